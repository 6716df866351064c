"""Signing in and out, and how long that lasts."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.accounts import service
from portal.accounts.models import AuthSession
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.transactions import transaction
from tests.factories import PASSWORD, make_user
from tests.support import on_one_database

HTTPS = {
    "BASE_URL": "https://ideas.example.org",
    "SECRET_KEY": "a secret of the tests, and of nobody else",
    "PRODUCTION": True,
    "TRUSTED_HOSTS": ["ideas.example.org"],
}
LIMITED = pytest.mark.settings(LIMITS=True)


def sign_in(browser, user, password=PASSWORD, **more):
    """Fill in the form."""
    where = {key: more.pop(key) for key in ("environ_base",) if key in more}
    return browser.post("/sign-in", data={"email": user.email, "password": password, **more}, **where)


def is_in(browser):
    """Whether the browser is signed in."""
    return browser.get("/account").status_code == 200


def test_the_right_password_signs_in(browse):
    user, browser = make_user(with_password=True, email="robin@example.org"), browse()

    answer = browser.post("/sign-in", data={"email": " ROBIN@example.org", "password": PASSWORD})

    assert (answer.status_code, answer.location) == (303, "/")
    assert is_in(browser)
    assert db.session.scalars(select(EventRecord.name).order_by(EventRecord.id)).all()[-1] == "member.signed_in"
    assert db.session.scalars(select(EventRecord.actor_id).order_by(EventRecord.id)).all()[-1] == user.id


def test_s16_a_wrong_password_and_an_unknown_address_are_answered_alike(browse):
    suspended = make_user(with_password=True, suspended_at=utcnow())
    without = make_user()
    user = make_user(with_password=True)

    answers = [
        sign_in(browse(), user, "a wrong but long password"),
        sign_in(browse(), suspended),
        sign_in(browse(), without),
        browse().post("/sign-in", data={"email": "nobody@example.org", "password": PASSWORD}),
    ]

    pages = {re.sub(r'value="[^"]*"', "", answer.text) for answer in answers}
    assert {answer.status_code for answer in answers} == {422}
    assert len(pages) == 1
    assert len({tuple(sorted(dict(answer.headers))) for answer in answers}) == 1
    assert PASSWORD not in answers[1].text
    db.session.rollback()
    noted = select(EventRecord.data).where(EventRecord.name == "member.sign_in_failed").order_by(EventRecord.id)
    failed = db.session.scalars(noted).all()
    assert [event["user_id"] for event in failed] == [user.id, suspended.id, without.id, None]


def test_the_address_stays_in_the_form_and_the_password_does_not(browse):
    user = make_user(with_password=True)

    answer = sign_in(browse(), user, "a wrong but long password")

    assert user.email in answer.text
    assert "a wrong but long password" not in answer.text


@LIMITED
def test_s15_guessing_stops_after_five_wrong_passwords_and_says_for_how_long(browse):
    user, browser = make_user(with_password=True), browse()

    answers = [sign_in(browser, user, "a wrong but long password") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert 25 <= int(answers[5].headers["Retry-After"]) <= 30
    assert "You can try again in" in answers[5].text
    assert sign_in(browser, user).status_code == 429  # nor with the right one, from here


@LIMITED
def test_s15_nobody_can_lock_the_rightful_person_out(browse):
    user = make_user(with_password=True)
    for number in range(40):
        sign_in(browse(), user, "a wrong but long password", environ_base={"REMOTE_ADDR": f"10.0.{number}.9"})
        sign_in(browse(), user, "a wrong but long password", environ_base={"REMOTE_ADDR": "10.9.9.9"})

    answer = sign_in(browse(), user, environ_base={"REMOTE_ADDR": "192.0.2.7"})

    assert answer.status_code == 303


@LIMITED
def test_s15_one_address_cannot_try_one_password_on_many_accounts(browse):
    users = [make_user() for _ in range(21)]

    statuses = [sign_in(browse(), user, "a wrong but long password").status_code for user in users]

    assert statuses == [422] * 20 + [429]


@LIMITED
def test_s15_one_ipv6_household_counts_as_one_address(browse):
    user = make_user(with_password=True)

    statuses = [
        sign_in(
            browse(), user, "a wrong but long password", environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{n:x}"}
        ).status_code
        for n in range(1, 7)
    ]

    assert statuses == [422] * 5 + [429]


@LIMITED
def test_s15_right_passwords_are_not_counted(browse):
    user = make_user(with_password=True)

    statuses = [sign_in(browse(), user).status_code for _ in range(25)]

    assert set(statuses) == {303}


@LIMITED
def test_s15_the_wait_is_over_after_a_quarter_of_an_hour(browse):
    user, browser = make_user(with_password=True), browse()
    for _ in range(6):
        sign_in(browser, user, "a wrong but long password")

    with time_machine.travel(utcnow() + timedelta(minutes=16), tick=True):
        assert sign_in(browser, user).status_code == 303


def test_s18_a_new_session_begins_at_every_sign_in(browse):
    user, browser = make_user(with_password=True), browse()
    with browser.session_transaction() as session:
        session["_user_id"] = "chosen by somebody else"

    tokens = []
    for _ in range(2):
        sign_in(browser, user)
        with browser.session_transaction() as session:
            tokens.append(session["_user_id"])

    assert len({*tokens, "chosen by somebody else"}) == 3
    assert all(len(token) >= 43 for token in tokens)
    db.session.rollback()
    assert len(db.session.scalars(select(AuthSession.token_hash)).all()) == 1  # the one before is ended


def test_s19_only_a_hash_of_the_session_is_stored(browse):
    browser = browse(make_user())
    with browser.session_transaction() as session:
        token = session["_user_id"]

    rows = db.session.execute(select(AuthSession)).scalars().all()

    assert token not in str([vars(row) for row in rows])
    assert all(len(row.token_hash) == 64 for row in rows)


@pytest.mark.settings(**HTTPS)
def test_s19_the_cookie_is_for_this_host_for_tls_and_for_no_script(app):
    user = make_user(with_password=True)
    browser, at = FlaskClient(app, app.response_class), {"base_url": "https://ideas.example.org"}
    form = browser.get("/sign-in", **at)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)[1]
    said = {"email": user.email, "password": PASSWORD, "csrf_token": token}

    answer = browser.post("/sign-in", data=said, headers={"Referer": "https://ideas.example.org/sign-in"}, **at)

    assert answer.status_code == 303
    for given in (form, answer):
        cookies = given.headers.getlist("Set-Cookie")
        assert [cookie.partition("=")[0] for cookie in cookies] == ["__Host-browser", "__Host-portal"][-len(cookies) :]
        for cookie in cookies:
            _name, *flags = cookie.split("; ")
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(flags)
            assert not any(flag.startswith("Domain") for flag in flags)


@pytest.mark.settings(**HTTPS)
def test_s19_every_cookie_has_its_flags(app):
    browser, at = FlaskClient(app, app.response_class), {"base_url": "https://ideas.example.org"}
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/appearance", **at).text)[1]

    answer = browser.post("/appearance", data={"theme": "dark", "language": "en", "csrf_token": token}, **at)

    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 3
    assert all({"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; ")) for cookie in cookies)


PERIODS = [
    (Role.MEMBER, False, timedelta(hours=12), timedelta(days=30)),
    (Role.MEMBER, True, timedelta(days=14), timedelta(days=30)),
    (Role.MODERATOR, True, timedelta(minutes=60), timedelta(hours=12)),
    (Role.PM, False, timedelta(minutes=60), timedelta(hours=12)),
]


@pytest.mark.parametrize(("role", "remember", "idle", "longest"), PERIODS)
def test_s19_a_session_ends_when_it_is_not_used(browse, role, remember, idle, longest):
    user, browser, start = make_user(role, with_password=True), browse(), utcnow()
    sign_in(browser, user, **({"remember": "y"} if remember else {}))

    with time_machine.travel(start + idle - timedelta(minutes=1), tick=False):
        assert is_in(browser)
    with time_machine.travel(start + 2 * idle - timedelta(minutes=2), tick=False):
        assert is_in(browser)  # for it was used meanwhile
    with time_machine.travel(start + 3 * idle, tick=False):
        assert not is_in(browser)


@pytest.mark.parametrize(("role", "remember", "idle", "longest"), PERIODS)
def test_s19_a_session_ends_in_the_end_however_much_it_is_used(browse, role, remember, idle, longest):
    user, browser, now = make_user(role, with_password=True), browse(), utcnow()
    sign_in(browser, user, **({"remember": "y"} if remember else {}))
    end = now + longest

    while (now := now + idle * 0.9) < end:
        with time_machine.travel(now, tick=False):
            assert is_in(browser)
    with time_machine.travel(end + timedelta(minutes=1), tick=False):
        assert not is_in(browser)


def test_at_most_twenty_browsers_are_signed_in_at_once(browse):
    user = make_user(with_password=True)
    browsers = [browse() for _ in range(21)]

    start = utcnow() - timedelta(minutes=1)
    for number, browser in enumerate(browsers):
        with time_machine.travel(start + timedelta(seconds=number), tick=False):
            sign_in(browser, user)

    assert [is_in(browser) for browser in browsers] == [False] + [True] * 20


def test_s20_signing_out_ends_the_session_also_for_whoever_copied_the_cookie(app, browse):
    user, browser, thief = make_user(), browse(), browse()
    browser.sign_in(user)
    cookie = browser.get_cookie(app.config["SESSION_COOKIE_NAME"])
    thief.set_cookie(cookie.key, cookie.value)
    assert is_in(thief)

    browser.post("/sign-out")

    assert not is_in(browser)
    assert not is_in(thief)
    db.session.rollback()
    assert db.session.scalars(select(EventRecord.name).order_by(EventRecord.id)).all()[-1] == "member.signed_out"


def test_s20_suspension_counts_on_the_next_request(browse):
    user = make_user(with_password=True)
    browsers = [browse(user), browse(user)]
    assert all(is_in(browser) for browser in browsers)

    with transaction():
        user.suspended_at = utcnow()

    assert not any(is_in(browser) for browser in browsers)
    assert sign_in(browse(), user).status_code == 422


def test_s20_a_new_role_counts_on_the_next_request_with_its_shorter_session(browse):
    user = make_user(with_password=True)
    browser = browse()
    sign_in(browser, user, remember="y")

    with transaction():
        service.set_role(user, Role.MODERATOR, None)

    assert "Moderator" in browser.get("/account").text
    with time_machine.travel(utcnow() + timedelta(minutes=70), tick=False):
        assert not is_in(browser)


def test_s34_signing_out_leaves_nothing_in_the_browser(browse):
    browser = browse(make_user())

    answer = browser.post("/sign-out")

    assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    with browser.session_transaction() as session:
        assert list(session) == ["_flashes"]  # the sentence that one is signed out
    assert browser.get("/").text.count("You are signed out.") == 1
    with browser.session_transaction() as session:
        assert set(session) <= {"csrf_token"}


def test_s27_opening_an_address_signs_nobody_out(browse):
    browser = browse(make_user())

    assert browser.get("/sign-out").status_code == 405
    assert is_in(browser)


WRITES = [
    "/sign-in",
    "/sign-up",
    "/sign-in/as",
    "/sign-out",
    "/rules/agree",
    "/confirm/abc",
    "/appearance",
    "/account/name",
    "/account/preferences",
    "/account/confirmation",
    "/account/password",
    "/account/sessions/end",
]


@pytest.mark.parametrize("path", WRITES)
@on_one_database
def test_s27_every_change_needs_the_token_of_a_page_of_ours(browse, path):
    user = make_user(with_password=True)
    browser, other = browse(user), browse(make_user())
    foreign = other.token()
    browser.carries_token = False

    refused = [
        browser.post(path, data={"email": user.email}),
        browser.post(path, data={"email": user.email, "csrf_token": foreign}),
        browser.post(path, headers={"X-CSRFToken": browser.token(), "Sec-Fetch-Site": "cross-site"}),
        browser.post(path, headers={"X-CSRFToken": browser.token(), "Origin": "https://elsewhere.example"}),
        browser.post(path, data="email=x", headers={"Content-Type": "text/plain"}),
    ]

    assert [answer.status_code for answer in refused] == [400, 400, 403, 403, 400]
    assert is_in(browser)


@pytest.mark.settings(DEMO=True, DEMO_ACCOUNTS=(("robin@example.org", "Robin (member)"),))
def test_in_a_demo_one_press_makes_one_of_its_people(browse):
    make_user(email="robin@example.org", name="Robin Hale")
    make_user(email="other@example.org")
    browser = browse()

    page = browser.get("/sign-in").text
    refused = browser.post("/sign-in/as", data={"email": "other@example.org"})
    answer = browser.post("/sign-in/as?next=/rules", data={"email": "robin@example.org"})

    assert "Sign in as Robin (member)" in page and "other@example.org" not in page
    assert refused.status_code == 404
    assert (answer.status_code, answer.location) == (303, "/rules")
    assert "Robin Hale" in browser.get("/account").text


@pytest.mark.settings(DEMO=False, DEMO_ACCOUNTS=(("robin@example.org", "Robin (member)"),))
def test_outside_a_demo_nobody_is_signed_in_without_a_password(browse):
    make_user(email="robin@example.org")
    browser = browse()

    answer = browser.post("/sign-in/as", data={"email": "robin@example.org"})

    assert answer.status_code == 404
    assert "Robin (member)" not in browser.get("/sign-in").text
    assert not is_in(browser)
