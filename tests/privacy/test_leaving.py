"""Leaving: at once a former member to all others, fourteen days to come back, then nothing of the person anywhere."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy import select

from portal import doctor
from portal.accounts.models import AuthSession
from portal.accounts.roles import Role
from portal.credentials import addresses, links
from portal.credentials.models import MailedLink, Purpose
from portal.db import Model, db, utcnow
from portal.doctor import records
from portal.events import EventRecord
from portal.ideas.models import Follow, Idea, Vote
from portal.notifications.mails.transport import transport_for
from portal.notifications.models import CaughtMail, Mail
from portal.privacy import service
from portal.privacy.holdings import HOLDINGS, Fate
from portal.security.models import SecurityEntry
from portal.sso.models import Identity
from portal.transactions import transaction
from tests.factories import PASSWORD, link_identity, make_comment, make_idea, make_user
from tests.privacy.everything import MARKS, fresh, make_somebody, missing_for
from tests.support import either_way, timeless

SURE = {"sure": "y"}


def leave(browse, user):
    return browse(fresh(user)).post("/account/leave", data=SURE)


def link_in(settle):
    """The address behind the button of the one letter."""
    settle()
    raw = db.session.scalars(select(CaughtMail.raw).where(CaughtMail.subject.contains("leaving"))).one()
    return re.search(r"/account/stay/[\w-]+", raw.replace("=\n", "").replace("=\r\n", ""))[0]


def later(days):
    return time_machine.travel(utcnow() + timedelta(days=days, minutes=1))


# At once


def test_leaving_says_in_words_what_goes_and_what_stays(browse):
    page = browse(make_user()).get("/account/leave").text

    for words in ("Your name, mail address, password and picture", "under “Former member”", "For 14 days"):
        assert words in page


def test_s20_whoever_leaves_is_signed_out_everywhere_at_once(browse):
    user = make_user()
    here, there = browse(user), browse(user)

    answer = here.post("/account/leave", data=SURE, follow_redirects=True)

    assert "You are signed out everywhere" in answer.text and user.email in answer.text
    assert [browser.get("/account").status_code for browser in (here, there)] == [303, 303]
    assert db.session.scalars(select(AuthSession)).all() == []


def test_from_then_on_others_see_a_former_member_and_no_name(browse):
    user, reader = make_user(name="Quillon Marwick"), make_user()
    idea = make_idea("Mark the wells", author=user)
    make_comment(idea, author=user, body="I need this.")
    make_comment(idea, author=reader, body="So do I.")

    leave(browse, user)

    pages = [
        browse(viewer).get(path).text
        for viewer in (None, reader, make_user(Role.MODERATOR))
        for path in (f"/ideas/{idea.id}", "/?sort=new", "/search?q=wells", f"/ideas/{idea.id}/history")
    ]
    assert all("Quillon" not in page for page in pages)
    assert "Former member" in pages[0] and f"/people/{user.id}" not in pages[0]
    assert "I need this." in pages[0]


@pytest.mark.parametrize("role", [None, Role.MEMBER, Role.OWNER])
def test_a_former_member_has_no_profile(browse, role):
    user, viewer = make_user(), make_user(role) if role else None
    before = browse(viewer).get(f"/people/{user.id}").status_code

    leave(browse, user)

    left, unknown = (browse(viewer).get(f"/people/{number}") for number in (user.id, 987654))
    assert (before, left.status_code) == (200, 404)
    assert timeless(left.text) == timeless(unknown.text)


def test_mails_stop_at_once_but_for_the_one_with_the_way_back(browse, settle):
    user = make_user()
    idea = make_idea(author=user)
    settle()
    leave(browse, user)
    make_comment(idea, author=make_user(), body="A word for the author.")
    settle()

    mails = db.session.scalars(select(CaughtMail).where(CaughtMail.recipient == user.email)).all()
    sent = select(Mail.kind).where(Mail.user_id == user.id, Mail.done_at.is_not(None), Mail.suppressed.is_(None))
    assert [mail.subject for mail in mails if "leaving" in mail.subject] == ["You are leaving Ideas"]
    assert not [mail for mail in mails if "A word for" in mail.raw]
    assert "leaving" in db.session.scalars(sent).all() and "commented" not in db.session.scalars(sent).all()


def test_the_letter_is_sent_however_often_somebody_changes_their_mind(browse, settle):
    user = make_user()
    for _ in range(4):
        with transaction():
            service.leave(fresh(user))
        with transaction():
            service.stay(fresh(user))
    leave(browse, user)

    settle()

    sent = db.session.scalars(select(CaughtMail).where(CaughtMail.subject.contains("leaving"))).all()
    assert len(sent) == 1, "those whose links are void are not sent any more"


def test_nobody_leaves_without_having_read_what_that_means(browse):
    user = make_user()

    answer = browse(user).post("/account/leave")

    assert answer.status_code == 422 and "tick the box" in answer.text and not fresh(user).is_leaving


# Who may


def test_s08_the_last_owner_cannot_leave(browse):
    owner = make_user(Role.OWNER)
    browser = browse(owner)

    page, answer = browser.get("/account/leave").text, browser.post("/account/leave", data=SURE)

    assert "You are the last owner" in page and "Leave and erase me" not in page
    assert answer.status_code == 409 and "Make another member an owner" in answer.text
    assert fresh(owner).leaves_at is None and browser.get("/account").status_code == 200


def test_s08_of_two_owners_one_can_leave(browse):
    first, second = make_user(Role.OWNER), make_user(Role.OWNER)

    answers = [leave(browse, person).status_code for person in (first, second)]

    assert answers == [303, 409] and fresh(first).is_leaving and not fresh(second).is_leaving


def test_s22_leaving_needs_a_fresh_proof(browse):
    user = make_user(with_password=True)
    browser = browse(user)

    with time_machine.travel(utcnow() + timedelta(minutes=20)):
        answers = [browser.get("/account/leave"), browser.post("/account/leave", data=SURE)]

    assert [answer.location.split("?")[0] for answer in answers] == ["/account/prove"] * 2
    assert not fresh(user).is_leaving


# Coming back


def test_s26_the_link_brings_everything_back_by_a_press_and_only_once(browse, settle):
    user = make_user(name="Quillon Marwick")
    idea = make_idea("Mark the wells", author=user)
    leave(browse, user)
    link, browser = link_in(settle), browse()

    for method in ("GET", "HEAD"):
        assert browser.open(link, method=method).status_code == 200
    untouched = fresh(user).is_leaving
    answer = browser.post(link)
    again = browser.post(link)

    assert untouched and answer.status_code == 303 and again.status_code == 410
    assert (fresh(user).name, user.kept_name, user.leaves_at) == ("Quillon Marwick", None, None)
    assert "Quillon Marwick" in browse().get(f"/ideas/{idea.id}").text
    assert browse(user).get("/account").status_code == 200


def test_a_picture_comes_back_too(browse, settle):
    user = make_somebody(settle)
    name = user.picture
    leave(browse, user)
    gone = browse().get(f"/people/{user.id}/picture/{name}.webp").status_code

    browse().post(link_in(settle))

    assert gone == 404 and fresh(user).picture == name
    assert browse().get(f"/people/{user.id}/picture/{name}.webp").status_code == 200


def test_s17_a_link_is_void_after_fourteen_days_and_for_other_purposes(browse, settle):
    user = make_user()
    leave(browse, user)
    link = link_in(settle)
    token = link.rpartition("/")[2]

    elsewhere = [browse().post(f"/{path}/{token}").status_code for path in ("password", "sign-in/link", "address")]
    with later(15):
        settle()
        late = browse().post(link)

    assert late.status_code == 410 and all(status >= 400 for status in elsewhere)
    assert fresh(user).erased_at is not None


def test_somebody_who_signs_in_is_asked_and_can_do_nothing_else(browse, settle):
    user = make_user(name="Quillon Marwick")
    idea = make_idea()
    leave(browse, user)
    browser = browse(fresh(user))

    page = browser.get("/", follow_redirects=True).text
    vote = browser.post(f"/ideas/{idea.id}/vote")
    elsewhere = [browser.get(path).location for path in ("/account", "/inbox", f"/ideas/{idea.id}", "/account/data")]

    assert "Stay or go?" in page and "Quillon Marwick" in page
    assert elsewhere == ["/account/stay"] * 4 and vote.location == "/account/stay"
    assert db.session.get(Vote, (idea.id, user.id)) is None


@pytest.mark.parametrize("stays", [True, False])
def test_signing_in_lets_one_stay_or_go(browse, settle, stays):
    user = make_user(with_password=True, name="Quillon Marwick")
    leave(browse, user)
    browser = browse()

    led = browser.post("/sign-in", data={"email": user.email, "password": PASSWORD}, follow_redirects=True)
    browser.post("/account/stay" if stays else "/sign-out")
    with later(15):
        settle()
        person = fresh(user)

        assert "Stay or go?" in led.text
        assert (person.erased_at is None, person.name) == (
            (True, "Quillon Marwick") if stays else (False, "Former member")
        )


@either_way
def test_a_page_that_was_open_leads_to_the_question_too(browse, headers):
    user = make_user()
    leave(browse, user)

    answer = browse(fresh(user)).get("/inbox", headers=headers)

    assert (answer.headers.get("HX-Redirect") or answer.location) == "/account/stay"


# Erased


def erased(browse, settle, user):
    leave(browse, user)
    settle()
    with later(14):
        settle()
    return fresh(user)


def texts():
    """Each text in each column of each table, with where it stands."""
    db.session.rollback()
    for table in Model.metadata.sorted_tables:
        for row in db.session.execute(sa.select(table)):
            for key, value in row._mapping.items():
                yield f"{table.name}.{key}", repr(value).casefold()


def test_s66_nothing_of_the_person_is_left_in_any_table_file_or_page(browse, settle, app):
    user = make_somebody(settle)
    idea = db.session.scalars(select(Idea).where(Idea.author_id == user.id)).one()
    browse(user).post("/account/data/export")
    settle()
    assert missing_for(user) == set(), "the seed leaves these out, so this test would not notice"
    assert {mark for mark in MARKS if any(mark in text for _where, text in texts())} == set(MARKS)

    erased(browse, settle, user)

    left = {(where, mark) for where, text in texts() for mark in MARKS if mark in text}
    assert left == set()
    for path in Path(app.config["INSTANCE"]).rglob("*"):
        content = path.read_bytes().lower() if path.is_file() else b""
        assert not [mark for mark in MARKS if mark.encode() in content], path
    for viewer in (None, make_user(), make_user(Role.OWNER)):
        for page in (f"/ideas/{idea.id}", "/?sort=new", "/search?q=wells", f"/ideas/{idea.id}/history", "/inbox"):
            text = browse(viewer).get(page).text.casefold()
            assert not [mark for mark in MARKS if mark in text], page


def test_s66_what_was_given_to_all_stays_and_counts_as_before(browse, settle):
    user = make_somebody(settle)
    counted = {idea.id: (idea.votes, idea.comments, idea.board.ideas) for idea in db.session.scalars(select(Idea))}
    votes = len(db.session.scalars(select(Vote)).all())

    erased(browse, settle, user)

    after = {idea.id: (idea.votes, idea.comments, idea.board.ideas) for idea in db.session.scalars(select(Idea))}
    assert after == counted and len(db.session.scalars(select(Vote)).all()) == votes
    findings = [finding for finding in records.counters() if finding.health is not doctor.Health.OK]
    assert findings == []
    idea = db.session.scalars(select(Idea).where(Idea.title == "Mark the wells")).one()
    page = browse().get(f"/ideas/{idea.id}").text
    assert "Former member" in page and "Mark the wells" in page


def test_s66_rows_that_go_are_gone_and_the_journal_keeps_numbers_only(browse, settle):
    user = make_somebody(settle)

    erased(browse, settle, user)

    for holding in HOLDINGS:
        left = db.session.scalar(select(sa.func.count()).select_from(holding.model).where(holding.column == user.id))
        if holding.fate is not Fate.STAYS:
            assert left == 0, holding.name
    acts = db.session.scalars(select(SecurityEntry).where(SecurityEntry.user_id == user.id)).all()
    assert {"erasure.asked", "erased"} <= {act.kind for act in acts}
    assert {(act.address, act.browser) for act in acts} == {("", "")}
    assert all("quill" not in str(record.data) for record in db.session.scalars(select(EventRecord)))


def test_an_erased_account_opens_to_nobody_and_its_address_and_name_are_free(browse, settle):
    user = make_user(with_password=True, name="Quillon Marwick", email="quillon@example.org")
    erased(browse, settle, user)

    answer = browse().post("/sign-in", data={"email": "quillon@example.org", "password": PASSWORD})
    another = make_user(name="Quillon Marwick", email="quillon@example.org")

    assert answer.status_code == 422 and another.id != user.id
    assert fresh(user).role is Role.MEMBER and not user.is_active


def test_erasing_waits_for_its_day_and_twice_is_once(browse, settle):
    user = make_user(name="Quillon Marwick")
    leave(browse, user)
    settle()
    with later(13):
        settle()
        waits = fresh(user).kept_name
    with later(14):
        settle()
        settle()
    with transaction():
        service.erase(fresh(user))

    kinds = db.session.scalars(select(SecurityEntry.kind).where(SecurityEntry.user_id == user.id)).all()
    assert waits == "Quillon Marwick" and kinds.count("erased") == 1


def test_somebody_can_be_erased_at_once_by_the_team(app, browse):
    admin, user = make_user(Role.ADMIN), make_user(name="Quillon Marwick")
    idea = make_idea(author=user)

    with transaction():
        service.erase(user, actor=admin)

    entry = db.session.scalars(select(SecurityEntry).where(SecurityEntry.kind == "erased")).one()
    assert (entry.actor_id, entry.user_id) == (admin.id, user.id)
    assert fresh(user).email == f"former-{user.id}@erased.invalid"
    assert db.session.get(Follow, (idea.id, user.id)) is None


def test_s08_the_last_owner_is_not_erased_by_the_team_either(app):
    owner = make_user(Role.OWNER)

    with app.test_request_context(), pytest.raises(service.LastOwner), transaction():
        service.erase(owner)

    assert fresh(owner).erased_at is None


def test_mail_for_an_erased_person_goes_nowhere(app):
    assert transport_for("catch:") is not None
    user = make_user()
    with transaction():
        service.erase(user)

    assert not fresh(user).can_get_mail


def test_s66_erasing_takes_nothing_that_is_another_persons(app):
    """Whoever types a stranger's address, to have theirs changed to it, and leaves must not take the stranger along."""
    user, stranger = make_user(), make_user()
    with transaction():
        link_identity(stranger).email = "quillon@work.example.org"
        link = links.make(Purpose.RESET, "quillon@work.example.org", user=stranger)
        addresses.ask_to_change(user, "quillon@work.example.org")

    with transaction():
        service.erase(user)

    db.session.rollback()
    left = select(Identity.email).where(Identity.user_id == stranger.id)
    assert db.session.scalars(left).all() == ["quillon@work.example.org"]
    assert [row.id for row in db.session.scalars(select(MailedLink))] == [link.id]
