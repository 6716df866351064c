"""Who has a role that demands a second factor, and none in this session, gets nowhere but to it."""

import pytest
from sqlalchemy import select

from portal.accounts.models import AuthSession
from portal.accounts.roles import Role
from portal.db import db
from portal.ideas.models import Vote
from portal.options import decide
from portal.transactions import transaction
from tests.credentials.test_two_step import set_up_app
from tests.factories import make_idea, make_user
from tests.support import HTMX, on_one_database, queries
from tests.support.factors import type_password


@pytest.fixture
def without(browse):
    """An admin who signed in by a password alone, and the browser."""
    admin, browser = make_user(Role.ADMIN, with_password=True), browse()
    answer = type_password(browser, admin)
    assert answer.location == "/"
    return admin, browser


@pytest.mark.parametrize("path", ["/", "/inbox", "/triage", "/account", "/search?q=map", "/sign-in", "/mail/health"])
@on_one_database
def test_s14_an_admin_without_a_second_factor_is_led_to_it(without, path):
    _admin, browser = without

    answer = browser.get(path)

    assert answer.status_code == 303
    assert answer.location.startswith("/account/two-step?next=")
    page = browser.get(answer.location).text
    assert "Your role asks for a second step." in page and "What you came for is kept." in page


def test_s14_htmx_is_led_there_too(without):
    _admin, browser = without

    answer = browser.get("/inbox", headers=HTMX | {"HX-Current-URL": "http://localhost/inbox?page=2"})

    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/account/two-step?next=/inbox?page%3D2"


@pytest.mark.parametrize("path", ["/rules", "/privacy", "/how-we-decide", "/healthz", "/robots.txt"])
@on_one_database
def test_plain_pages_stay_open(without, path):
    assert without[1].get(path).status_code == 200


def test_one_may_always_leave(without):
    assert without[1].post("/sign-out").location == "/"


def test_s14_what_was_begun_is_kept_and_done_with_the_second_factor_not_before(without):
    admin, browser = without
    idea = make_idea()

    led = browser.post(f"/ideas/{idea.id}/vote")
    around = browser.post("/sign-in")  # which goes on with what waits
    assert not voted(admin)
    set_up_app(browser)
    answer = browser.post("/account/two-step/go-on")

    assert led.location.startswith("/account/two-step")
    assert around.location.startswith("/account/two-step")
    assert answer.location.startswith(f"/ideas/{idea.id}")
    assert voted(admin)


def test_s14_a_vote_that_waited_for_signing_in_waits_for_the_second_factor_too(browse):
    admin, idea, browser = make_user(Role.ADMIN, with_password=True), make_idea(), browse()

    answer = type_password(browser, admin, next=f"/ideas/{idea.id}", then="vote")

    assert answer.location.startswith("/account/two-step")
    assert not voted(admin)
    set_up_app(browser)
    browser.post("/account/two-step/go-on")
    assert voted(admin)


def voted(person):
    """Whether the person voted for anything."""
    db.session.rollback()
    return db.session.scalar(select(Vote.idea_id).where(Vote.voter_id == person.id)) is not None


def test_setting_up_a_factor_opens_every_door_of_this_session(without):
    _admin, browser = without

    page = set_up_app(browser)[1]

    assert "Your recovery codes" in page.text
    assert browser.get("/inbox").status_code == 200
    db.session.rollback()
    assert [(row.way, row.second) for row in db.session.scalars(select(AuthSession))] == [("password", True)]


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.ADMIN, Role.OWNER}])
@on_one_database
def test_whose_role_demands_nothing_goes_everywhere(browse, role):
    user, browser = make_user(role, with_password=True), browse()
    type_password(browser, user)

    assert browser.get("/inbox").status_code == 200


def test_the_demo_demands_nothing(browse):
    with transaction():
        decide("second_factor", [])
    admin, browser = make_user(Role.ADMIN, with_password=True), browse()
    type_password(browser, admin)

    assert browser.get("/inbox").status_code == 200


def test_s20_a_new_role_is_asked_for_its_second_factor_on_the_next_request(browse):
    user, browser = make_user(with_password=True), browse()
    type_password(browser, user)
    assert browser.get("/inbox").status_code == 200

    with transaction():
        user.role = Role.OWNER

    assert browser.get("/inbox").location.startswith("/account/two-step")


def test_nobody_is_looked_up_for_a_file(browse):
    admin = browse(make_user(Role.ADMIN))

    with queries() as asked:
        admin.get("/static/icons.svg").close()

    assert asked == []
