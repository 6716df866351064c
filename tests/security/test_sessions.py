"""Sessions: new ids, who ends them, and how soon that counts."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from datetime import timedelta
from email import message_from_string
from email.policy import default
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
import time_machine

from portal.accounts.models import AuthSession, User
from portal.accounts.roles import Role
from portal.credentials import service as credentials
from portal.credentials.models import MailedLink
from portal.db import db, utcnow
from portal.membership import people
from portal.notifications.models import CaughtMail, Mail
from portal.privacy import service as privacy
from portal.security import retention
from portal.security import service as security
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from portal.web.session import end_sessions
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.usefixtures("app")


def is_in(browser):
    return browser.get("/account").status_code == 200


def token_of(browser):
    with browser.session_transaction() as session:
        return session.get("_user_id")


# Whatever ends sessions ends them all, with the next request


def change_password(user, admin):
    credentials.note_new_password(user)
    end_sessions(user)


def disown(user, admin):
    security.note_sign_in(user, "password", "")
    security.note_sign_in(user, "password", "")
    link = db.session.scalars(sa.select(MailedLink)).one()
    security.disown_sign_in(link)
    end_sessions(user)


ENDINGS: dict[str, Callable[[User, User], object]] = {
    "a new password": change_password,
    "this was not me": disown,
    "suspension": lambda user, admin: people.suspend(user, admin, reason="Spam", days=3),
    "leaving": lambda user, admin: privacy.leave(user),
    "an admin": people.sign_out_everywhere,
}


@pytest.mark.parametrize("ending", list(ENDINGS))
def test_s20_every_session_ends_with_its_next_request(browse, ending):
    user, admin = make_user(with_password=True), make_user(Role.ADMIN)
    browsers = [browse(user), browse(user)]
    assert all(is_in(browser) for browser in browsers)

    with transaction(wake=False):
        ENDINGS[ending](user, admin)

    assert [is_in(browser) for browser in browsers] == [False, False]
    assert is_in(browse(admin))


def test_s20_also_on_a_connection_that_stays_open(browse, live, app):
    user, admin = make_user(), make_user(Role.ADMIN)
    browser = browse(user)
    name = app.config["SESSION_COOKIE_NAME"]
    headers = {"Cookie": f"{name}={browser.get_cookie(name).value}", "Connection": "keep-alive"}
    connection = http.client.HTTPConnection(urlsplit(live).netloc)

    def ask():
        connection.request("GET", "/account", headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    assert ask() == 200
    with transaction():
        people.suspend(user, admin, reason="Spam", days=3)
    assert ask() == 303
    connection.close()


def test_s20_a_role_that_is_lost_is_lost_with_the_next_request(browse):
    user, admin = make_user(Role.MODERATOR), make_user(Role.ADMIN)
    browsers = [browse(user), browse(user)]
    assert [browser.get("/triage").status_code for browser in browsers] in ([200, 200], [303, 303])

    with transaction():
        people.set_role(user, Role.MEMBER, admin)

    assert [browser.get("/triage").status_code for browser in browsers] == [403, 403]


def test_s20_a_session_of_an_erased_account_is_nobodys(browse):
    user = make_user()
    browser = browse(user)
    with transaction():
        user.erased_at = utcnow()

    assert not is_in(browser)


def test_s21_admins_end_the_sessions_of_others_and_that_is_written_down(browse):
    user, admin = make_user(), make_user(Role.ADMIN)
    browser = browse(user)

    answer = browse(admin).post(f"/admin/people/{user.id}/sign-out")

    assert answer.status_code == 303
    assert not is_in(browser)
    db.session.rollback()
    entry = db.session.scalars(sa.select(SecurityEntry).where(SecurityEntry.kind == "sessions.ended")).one()
    assert (entry.user_id, entry.actor_id) == (user.id, admin.id)


@pytest.mark.parametrize("role", [None, Role.MEMBER, Role.MODERATOR])
def test_s21_nobody_else_does(browse, role):
    user = make_user()
    browser = browse(user)

    answer = browse(make_user(role) if role else None).post(f"/admin/people/{user.id}/sign-out")

    assert answer.status_code in {303, 403, 404}
    assert is_in(browser)


# A new id at every way in


def by_password(browser, user, settle):
    return browser.post("/sign-in", data={"email": user.email, "password": PASSWORD})


def by_link(browser, user, settle):
    browser.post("/sign-in/link", data={"email": user.email})
    settle()
    db.session.rollback()
    raw = db.session.scalars(sa.select(CaughtMail.raw).order_by(CaughtMail.id.desc())).first()
    text = message_from_string(raw, policy=default).get_body(("plain",)).get_content()
    return browser.post(re.search(r"/sign-in/link/[\w-]+", text)[0])


@pytest.mark.parametrize("way", [by_password, by_link])
def test_s18_an_id_that_was_put_into_a_browser_is_never_taken_up(browse, settle, way):
    user, browser, thief = make_user(with_password=True), browse(), browse()
    planted = "an id that somebody else knows, as long as ours are"
    for each in (browser, thief):
        with each.session_transaction() as session:
            session["_user_id"] = planted

    assert way(browser, user, settle).status_code == 303

    assert is_in(browser) and not is_in(thief)
    assert token_of(browser) != planted


@pytest.mark.parametrize("way", [by_password, by_link])
def test_s18_the_session_before_is_over_for_whoever_copied_it(browse, settle, way):
    user, browser, thief = make_user(with_password=True), browse(), browse()
    browser.sign_in(user)
    with thief.session_transaction() as session:
        session["_user_id"] = token_of(browser)
    assert is_in(thief)
    browser.get("/sign-in")

    assert way(browser, user, settle).status_code == 303

    assert is_in(browser) and not is_in(thief)


def test_s19_the_id_has_256_random_bits_and_is_stored_hashed(browse):
    browsers = [browse(make_user()) for _ in range(5)]
    tokens = [token_of(browser) for browser in browsers]

    assert len(set(tokens)) == 5
    assert all(re.fullmatch(r"[\w-]{43}", token) for token in tokens)
    assert not set(tokens) & set(db.session.scalars(sa.select(AuthSession.token_hash)))


def test_s19_sessions_that_are_over_are_dropped_with_their_addresses(browse):
    browse(make_user())
    with time_machine.travel(utcnow() + timedelta(days=31)):
        retention.forget_what_is_old()
        assert db.session.scalars(sa.select(AuthSession)).all() == []


def test_mails_to_people_without_an_account_are_forgotten_after_90_days():
    known, old = make_user(), utcnow() - timedelta(days=91)
    with transaction(wake=False):
        for key, fields in {
            "ended": {"done_at": old},
            "given up": {"given_up_at": old},
            "still waiting": {},
            "a member's": {"done_at": old, "user_id": known.id},
            "new": {"done_at": utcnow(), "queued_at": utcnow()},
        }.items():
            db.session.add(Mail(**{"key": key, "kind": "agree", "recipient": "a@b.example", "queued_at": old} | fields))

    assert retention.forget_what_is_old() == 2

    assert set(db.session.scalars(sa.select(Mail.key))) == {"still waiting", "a member's", "new"}
