"""The plain pages, and what machines ask for."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.accounts import service
from portal.db import db, utcnow
from portal.events import EventRecord, OutboxRow
from portal.search import index
from portal.transactions import transaction
from tests.factories import make_idea, make_rules, make_user
from tests.support import on_one_database
from tests.support.beginning import MOVES, STATUSES

PUBLIC = ["/rules", "/privacy", "/how-we-decide", "/healthz", "/robots.txt", "/.well-known/security.txt"]


@pytest.mark.parametrize("path", PUBLIC)
@on_one_database
def test_s33_public_pages_set_no_cookie(browse, path):
    browser = browse()
    browser.carries_token = False

    answer = browser.get(path)

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-up", "/appearance", "/account", "/rules", "/people/{id}", "/rules/agree"]
)
@on_one_database
def test_s33_what_depends_on_a_person_is_stored_nowhere(browse, path):
    user = make_user()
    make_rules()

    answer = browse(user).get(path.format(id=user.id))

    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in answer.vary and "HX-Request" in answer.vary


def test_rules_are_shown_before_anybody_put_any_in_force(browse):
    page = browse().get("/rules").text

    assert "Version 1" in page and "One idea for each need" in page


def test_rules_show_the_version_in_force_what_changed_and_what_was_before(browse):
    make_rules("Be kind.")
    with transaction():
        service.publish_rules("Be kind and brief.", "Shorter is better.")
    browser = browse()

    now, before = browser.get("/rules").text, browser.get("/rules?version=1").text

    assert "Version 2" in now and "Be kind and brief." in now and "Shorter is better." in now
    assert "<del>kind.</del>" in now and "<ins>kind and brief.</ins>" in now
    assert "Be kind.</p>" in before and "no longer in force" in before and "brief" not in before
    for odd in ("9", "x", "", "-1"):
        assert "Be kind and brief." in browser.get(f"/rules?version={odd}").text


def test_rules_are_text_and_no_markup_of_others(browse):
    make_rules('Hello <script>alert(1)</script> <img src=x onerror="alert(1)"> [x](javascript:alert(1))')
    make_rules("Other <b>words</b>")

    page = browse().get("/rules").text

    for sign in ("<script>alert", "<img", 'href="javascript:', "<b>words"):
        assert sign not in page


@pytest.mark.settings(NAME="Fellside", MAIL_FROM="hello@fellside.example")
def test_privacy_names_this_portal_and_whom_to_write_to(browse):
    page = browse().get("/privacy").text

    assert "Fellside keeps as little" in page and "hello@fellside.example" in page
    assert "{" not in page.partition("<main")[2].partition("</main")[0]


def test_how_we_decide_says_what_the_workflow_does(browse):
    page = " ".join(browse().get("/how-we-decide").text.split())

    for status, rule in STATUSES.items():
        part = page.partition(f'id="{status.value}"')[2].partition("</article>")[0]
        assert str(rule.meaning) in part.replace("&#39;", "'")
        assert ("Votes are open." in part) is rule.takes_votes
        for source, target in MOVES:
            if source is status:
                assert target.label in part
        if rule.next_word_within:
            assert f"within {rule.next_word_within.days} days" in part


# Appearance


def test_a_guest_chooses_for_this_browser(browse):
    browser = browse()

    answer = browser.post("/appearance", data={"theme": "dark", "language": ""})

    assert answer.status_code == 303
    assert 'data-theme="dark"' in browser.get("/rules").text
    assert "data-theme" not in browse().get("/rules").text
    browser.post("/appearance", data={"theme": "", "language": ""})
    assert "data-theme" not in browser.get("/rules").text


def test_a_member_chooses_for_all_browsers(browse):
    user = make_user()

    browse(user).post("/appearance", data={"theme": "light", "language": "en"})

    assert 'data-theme="light"' in browse(user).get("/rules").text
    db.session.rollback()
    assert (user.theme, user.locale) == ("light", "en")


@pytest.mark.parametrize("said", [{"theme": "pink", "language": ""}, {"theme": "", "language": "xx"}])
def test_only_what_there_is_can_be_chosen(browse, said):
    answer = browse().post("/appearance", data=said)

    assert answer.status_code == 422
    assert not any("theme=" in cookie for cookie in answer.headers.getlist("Set-Cookie"))


def test_a_cookie_that_holds_something_else_is_no_theme(browse):
    browser = browse()
    browser.set_cookie("theme", 'dark" onload="x')
    browser.set_cookie("language", "../../etc")

    assert "onload" not in browser.get("/rules").text


# For machines


def test_the_process_says_it_is_alive(browse):
    answer = browse().get("/healthz")

    assert (answer.status_code, answer.text, answer.headers["Cache-Control"]) == (200, "alive\n", "no-store")


def test_a_portal_that_can_work_is_ready(browse, settle):
    make_idea()
    settle()

    answer = browse().get("/readyz")

    assert (answer.status_code, answer.text) == (
        200,
        "database: fine\nmigrations: fine\nsearch index: fine\nworker: fine\n",
    )


def test_an_index_that_is_gone_is_said(app, browse, settle):
    make_idea()
    settle()
    shutil.rmtree(Path(app.config["INSTANCE"]) / "index")
    index.init_app(app)

    answer = browse().get("/readyz")

    assert answer.status_code == 503
    assert "search index: the search index is missing or damaged; run: portal search rebuild" in answer.text


def test_work_that_nobody_does_is_said(browse):
    with transaction(wake=False):
        record = EventRecord(name="member.signed_in", data={})
        db.session.add(record)
        db.session.flush()
        db.session.add(OutboxRow(event_id=record.id, reaction="x.y", available_at=utcnow() - timedelta(minutes=7)))

    answer = browse().get("/readyz")

    assert answer.status_code == 503
    assert "worker: the oldest work has been due for 7 minutes; is a worker running?" in answer.text


def test_a_schema_of_another_version_is_said(browse):
    with transaction(wake=False):
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))

    answer = browse().get("/readyz")

    assert answer.status_code == 503
    assert "migrations: the schema is not that of this version; run: portal db upgrade" in answer.text
    assert "database: fine" in answer.text


@pytest.mark.settings(BASE_URL="http://ideas.example.org", MAIL_FROM="hello@example.org", TRUSTED_HOSTS=["localhost"])
def test_s70_weaknesses_can_be_told_to_somebody(browse):
    text = browse().get("/.well-known/security.txt").text

    assert "Contact: mailto:hello@example.org\n" in text
    assert "Canonical: http://ideas.example.org/.well-known/security.txt\n" in text
    assert "Expires: 20" in text


def test_password_managers_find_where_passwords_are_changed(browse):
    assert browse().get("/.well-known/change-password").location == "/account/security#password"


def test_search_engines_are_told_what_is_of_no_use_to_them(browse):
    text = browse().get("/robots.txt").text

    assert text.startswith("User-agent: *\n") and "Disallow: /sign-in\n" in text
    assert "Disallow: /\n" not in text
