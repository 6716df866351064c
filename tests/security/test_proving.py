"""Proving again who one is before a dangerous act."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.accounts.models import AuthSession
from portal.db import db, utcnow
from portal.security.models import SecurityEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.usefixtures("app")


def token_of(browser):
    with browser.session_transaction() as session:
        return session["_user_id"]


def test_s18_a_new_session_id_is_given_at_a_new_proof(browse):
    user = make_user(with_password=True)
    browser, thief = browse(user), browse()
    before = token_of(browser)
    with thief.session_transaction() as session:
        session["_user_id"] = before

    with time_machine.travel(utcnow() + timedelta(minutes=20)):
        answer = browser.post("/account/prove?next=/account", data={"by": "password", "password": PASSWORD})

        assert (answer.status_code, answer.location) == (303, "/account")
        assert token_of(browser) != before
        assert browser.get("/account").status_code == 200
        assert thief.get("/account").status_code == 303
        db.session.rollback()
        row = db.session.scalars(sa.select(AuthSession)).one()
        assert utcnow() - row.proved_at < timedelta(minutes=1)


def test_a_wrong_password_proves_nothing_and_is_written_down(browse):
    user = make_user(with_password=True)
    browser = browse(user)
    before = token_of(browser)

    answer = browser.post("/account/prove", data={"by": "password", "password": "not this one, surely"})

    assert answer.status_code == 422 and "This is not your password." in answer.text
    assert "not this one" not in answer.text
    assert token_of(browser) == before
    db.session.rollback()
    entry = db.session.scalars(sa.select(SecurityEntry)).one()
    assert (entry.kind, entry.user_id, entry.actor_id, entry.address) == ("proof.failed", user.id, user.id, "127.0.0.1")
