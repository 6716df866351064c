"""Taking one's data along: asked for, gathered in steps, fetched by its owner only, and gone after a week."""

import io
import json
import stat
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.ideas import service as ideas
from portal.notifications.models import CaughtMail
from portal.privacy import files, gathering, service
from portal.privacy.holdings import HOLDINGS, NEVER
from portal.privacy.models import Export
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user
from tests.privacy.everything import NAME, SECRETS, fresh, make_somebody, missing_for
from tests.support import HTMX


def ask(browse, user):
    return browse(fresh(user)).post("/account/data/export")


def gather():
    db.session.rollback()
    gathering.make_exports()


def only_export():
    db.session.rollback()
    return db.session.scalars(select(Export)).one()


def fetch(browse, user):
    answer = browse(fresh(user)).get(f"/account/data/{only_export().id}/file")
    answer.data  # noqa: B018 - reads it to its end
    answer.close()
    return answer


def gathered(browse, user, settle):
    """Ask for an export, let it be made, fetch it, and return what is in it, by the name of the file."""
    ask(browse, user)
    settle()
    answer = fetch(browse, user)
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.data)) as pack:
        return {name: pack.read(name) for name in pack.namelist()}


def test_s66_the_file_holds_something_from_every_table_that_refers_to_the_person(browse, settle):
    user = make_somebody(settle)

    found = gathered(browse, user, settle)

    missing = missing_for(fresh(user))
    assert missing == set(), "the seed leaves these out, so this test would not notice"
    assert {f"{holding.section}.json" for holding in HOLDINGS} <= set(found)
    assert {"account.json", "picture.webp", "README.txt"} <= set(found)
    assert all(json.loads(content) for name, content in found.items() if name.endswith(".json"))


def test_s66_the_file_says_what_was_seeded(browse, settle):
    user = make_somebody(settle)

    found = gathered(browse, user, settle)

    account = json.loads(found["account.json"])[0]
    assert (account["name"], account["email"]) == (NAME, "quillon@quillfield.example")
    assert [row["title"] for row in json.loads(found["ideas.json"])] == ["Mark the wells"]
    assert [row["body"] for row in json.loads(found["comments.json"])] == ["I need this."]
    assert [row["body"] for row in json.loads(found["comments_before_edits.json"])] == ["I need it."]
    assert {row["idea"] for row in json.loads(found["votes.json"])} == {"Mark the wells", "Draw the fences"}
    assert json.loads(found["draft.json"])[0]["title"] == "quilldraft"
    assert json.loads(found["passkeys.json"])[0]["name"] == "quillkey"
    assert json.loads(found["places_on_boards.json"])[0]["board"] == "Everything"
    assert found["picture.webp"][:4] == b"RIFF"
    readme = found["README.txt"].decode()
    assert all(name in readme for name in found) and "your name, address, preferences" in readme


def test_s69_no_secret_is_in_the_file(browse, settle):
    user = make_somebody(settle)

    everything = b"".join(gathered(browse, user, settle).values())

    assert fresh(user).password_hash.encode() not in everything
    assert all(secret.encode() not in everything for secret in SECRETS)
    assert all(f'"{column}"'.encode() not in everything for column in NEVER - {"steps"})


def test_s05_titles_of_ideas_one_may_not_see_are_not_in_the_file(browse, settle):
    user, board = make_user(), make_board("Open for now")
    idea = make_idea("A MARKER of the staff", board=board)
    with transaction():
        ideas.cast_vote(idea, user)
        board.audience = Audience.STAFF

    found = gathered(browse, user, settle)

    assert b"MARKER" not in b"".join(found.values())
    assert [row["idea_id"] for row in json.loads(found["votes.json"])] == [idea.id]


def test_what_others_did_to_the_account_is_there_without_where_they_were(browse, settle):
    user, admin = make_user(), make_user(Role.ADMIN)
    with transaction():
        db.session.add(
            SecurityEntry(
                kind="role.changed", user_id=user.id, actor_id=admin.id, address="198.51.100.9", browser="ADMINBROWSER"
            )
        )

    found = gathered(browse, user, settle)

    acts = json.loads(found["security_log.json"])
    assert {"role.changed"} <= {act["kind"] for act in acts}
    assert b"198.51.100.9" not in found["security_log.json"] and b"ADMINBROWSER" not in found["security_log.json"]


def test_a_file_of_somebody_who_did_nothing_is_small_and_whole(browse, settle):
    found = gathered(browse, make_user(), settle)

    assert {"account.json", "README.txt", "signed_in_devices.json"} <= set(found) and "ideas.json" not in found


def test_a_letter_says_that_it_is_ready(browse, settle):
    user = make_user(wants_mail=False)

    gathered(browse, user, settle)

    mail = db.session.scalars(select(CaughtMail)).one()
    assert (mail.recipient, mail.subject) == (fresh(user).email, "Your data is ready")
    assert "/account/data" in mail.raw and "/file" not in mail.raw


# Asking


def test_s22_an_export_needs_a_fresh_proof_to_ask_for_and_to_fetch(browse, settle):
    user = make_user(with_password=True)
    gathered(browse, user, settle)
    export, browser = only_export(), browse(fresh(user))

    with time_machine.travel(utcnow() + timedelta(minutes=20)):
        answers = [
            browser.get("/account/data/export"),
            browser.post("/account/data/export"),
            browser.get(f"/account/data/{export.id}/file"),
        ]

    assert [answer.status_code for answer in answers] == [303] * 3
    assert all(answer.location.startswith("/account/prove") for answer in answers)
    assert only_export().id == export.id


def test_one_may_ask_once_a_day(browse, settle):
    user = make_user()

    first, second = ask(browse, user), ask(browse, user)
    page = browse(fresh(user)).get("/account/data/export").text
    settle()
    with time_machine.travel(utcnow() + timedelta(hours=25)):
        third = ask(browse, user)

    assert (first.status_code, second.status_code, third.status_code) == (303, 429, 303)
    assert "Ask again tomorrow" in second.text and "You can ask again from" in page
    db.session.rollback()
    assert len(db.session.scalars(select(Export)).all()) == 2


def test_asking_and_fetching_are_acts_of_security(browse, settle):
    gathered(browse, make_user(), settle)

    db.session.rollback()
    kinds = db.session.scalars(select(SecurityEntry.kind)).all()
    assert {"export.asked", "export.fetched"} <= set(kinds)


# While it is made


def test_the_page_shows_how_far_it_is_with_scripts_and_without(browse, monkeypatch):
    user = make_user()
    ask(browse, user)
    browser = browse(fresh(user))
    waiting = browser.get("/account/data").text
    seen = []

    def look():
        seen.append(browser.get("/account/data").text)
        seen.append(browser.get("/account/data", headers=HTMX).text)

    at_second = HOLDINGS[4]
    real = gathering._rows

    def rows(holding, person):
        if holding is at_second:
            look()
        return real(holding, person)

    monkeypatch.setattr(gathering, "_rows", rows)
    gather()

    page, part = seen
    assert "waits for its turn" in waiting and 'hx-trigger="every 2s"' in waiting
    assert f'max="{gathering.STEPS}" value="5"' in page and "<html" in page
    assert f"5 of {gathering.STEPS} kinds" in part and "<html" not in part
    ready = browser.get("/account/data", headers=HTMX).text
    assert "Fetch your data" in ready and "hx-trigger" not in ready


def test_a_broken_attempt_is_made_again_and_leaves_nothing(browse, monkeypatch, settle):
    user = make_user()
    ask(browse, user)

    def fail(*_arguments):
        raise OSError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(gathering, "_rows", fail)
        gather()
    after_one = only_export().done_at, only_export().given_up_at, only_export().steps_done
    left = list(files.folder().iterdir())
    with time_machine.travel(utcnow() + timedelta(minutes=5)):
        settle()

    assert after_one == (None, None, 1) and left == []
    assert only_export().done_at is not None


def test_after_three_broken_attempts_the_page_says_so_and_one_may_ask_again(browse, monkeypatch, settle):
    user = make_user()
    ask(browse, user)

    def fail(*_arguments):
        raise OSError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(gathering, "_rows", fail)
        for minutes in (0, 10, 30):
            with time_machine.travel(utcnow() + timedelta(minutes=minutes)):
                gather()
    page = browse(fresh(user)).get("/account/data").text

    assert only_export().given_up_at is not None
    assert "could not be gathered" in page and "no space" not in page and "Ask for your data" in page
    assert ask(browse, user).status_code == 303


# Fetching and keeping


def test_s43_the_file_is_served_as_a_file_and_kept_by_nobody(browse, settle):
    user = make_user()
    gathered(browse, user, settle)

    answer = fetch(browse, user)

    assert answer.headers["Content-Disposition"].startswith("attachment; filename=my-data-")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store" and answer.mimetype == "application/zip"


@pytest.mark.parametrize("role", [None, Role.MEMBER, Role.ADMIN, Role.OWNER])
def test_s44_nobody_else_fetches_it_whatever_their_role(browse, settle, role):
    gathered(browse, make_user(), settle)
    export = only_export()

    answer = browse(make_user(role) if role else None).get(f"/account/data/{export.id}/file")

    assert answer.status_code == (404 if role else 303)


def test_s44_the_file_has_a_name_of_our_own_and_only_the_portal_reads_it(browse, settle, app):
    gathered(browse, make_user(name="Odd/../Name"), settle)

    path = files.path_of(only_export())

    assert path.parent == Path(app.config["INSTANCE"]) / "exports" and len(path.stem) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_after_a_week_the_file_is_gone(browse, settle):
    user = make_user()
    gathered(browse, user, settle)
    export, path = only_export(), files.path_of(only_export())

    with time_machine.travel(utcnow() + timedelta(days=6, hours=23)):
        settle()
        kept = path.exists()
    with time_machine.travel(utcnow() + timedelta(days=7, minutes=1)):
        settle()
        answer = browse(fresh(user)).get(f"/account/data/{export.id}/file")
        page = browse(fresh(user)).get("/account/data").text

    assert kept and not path.exists()
    assert answer.status_code == 404 and "Fetch your data" not in page


def test_what_a_dead_process_left_is_removed(app, browse, settle, monkeypatch):
    left = files.folder() / "0123.zip"
    left.write_bytes(b"half")
    monkeypatch.setattr(files, "LEFT_OVER", -1)

    gathered(browse, make_user(), settle)

    assert not left.exists() and files.path_of(only_export())


def test_somebody_who_left_meanwhile_gets_no_file(browse, settle):
    user = make_user()
    ask(browse, user)
    with transaction():
        service.leave(fresh(user))

    settle()

    db.session.rollback()
    assert db.session.scalars(select(Export)).all() == [] and list(files.folder().iterdir()) == []
