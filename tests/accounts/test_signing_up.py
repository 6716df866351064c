"""Opening an account."""

import re

import pytest
from sqlalchemy import select

from portal.accounts import passwords, queries
from portal.accounts.models import AuthSession, RulesAcceptance, User
from portal.db import db
from portal.events import EventRecord
from portal.transactions import transaction
from tests.factories import PASSWORD, make_rules, make_user
from tests.support import either_way

ROBIN = {"email": "robin@example.org", "name": "Robin Hale", "password": PASSWORD, "agreed": "y", "version": "1"}


def said(answer):
    """What a page says, without what is different each time."""
    text = re.sub(r'name="csrf_token"[^>]*value="[^"]*"', "", answer.text)
    return re.sub(r'value="[^"]*@[^"]*"', "", text)


def test_a_visitor_opens_an_account_and_is_signed_in(browse):
    make_rules()
    browser = browse()

    answer = browser.post("/sign-up", data=ROBIN)

    user = queries.find_by_email("robin@example.org")
    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.get("/account").status_code == 200
    assert user.name == "Robin Hale" and user.role == "member" and user.confirmed_at is None
    assert db.session.scalars(select(RulesAcceptance.version).where(RulesAcceptance.user_id == user.id)).all() == [1]
    assert db.session.scalars(select(EventRecord.name).order_by(EventRecord.id)).all() == [
        "member.rules_accepted",
        "member.registered",
        "member.signed_in",
    ]


def test_the_first_account_puts_the_rules_in_force_that_were_shown(browse):
    assert queries.rules_in_force() is None
    shown = browse().get("/sign-up").text

    browse().post("/sign-up", data=ROBIN)

    db.session.rollback()
    user = queries.find_by_email("robin@example.org")
    assert "One idea for each need" in shown
    assert "One idea for each need" in queries.rules_in_force().body
    assert queries.has_accepted_rules(user)


def test_everything_but_the_password_stays_in_a_form_that_comes_back(browse):
    make_rules()

    answer = browse().post("/sign-up", data={**ROBIN, "password": "too short"})

    assert answer.status_code == 422
    assert 'value="robin@example.org"' in answer.text and 'value="Robin Hale"' in answer.text
    assert re.search(r'<input checked[^>]*name="agreed"|name="agreed"[^>]*checked', answer.text)
    assert "too short" not in answer.text
    assert "at least 15 characters" in answer.text


@pytest.mark.parametrize("missing", ["email", "name", "password", "agreed"])
def test_each_field_is_needed(browse, missing):
    make_rules()

    answer = browse().post("/sign-up", data={key: value for key, value in ROBIN.items() if key != missing})

    assert answer.status_code == 422
    assert f'href="#{missing}"' in answer.text
    assert queries.find_by_email("robin@example.org") is None


def test_everything_that_is_wrong_is_said_at_once(browse):
    make_rules()

    page = browse().post("/sign-up", data={"email": "x", "name": "R", "password": "short"}).text

    assert "4 things to put right first" in page
    assert all(f'id="{field}-error"' in page for field in ("email", "name", "password", "agreed"))


def test_agreeing_to_rules_that_changed_meanwhile_is_not_agreeing(browse):
    make_rules("First.")
    make_rules("Second.")

    answer = browse().post("/sign-up", data=ROBIN)

    assert answer.status_code == 422
    assert "read them once more" in answer.text and "Second." in answer.text
    assert 'value="2"' in answer.text


def test_s07_nobody_makes_themselves_an_admin(browse):
    make_rules()

    browse().post("/sign-up", data={**ROBIN, "role": "admin", "trusted_at": "2020-01-01", "confirmed_at": "2020-01-01"})

    user = queries.find_by_email("robin@example.org")
    assert (user.role, user.trusted_at, user.confirmed_at) == ("member", None, None)


def test_s16_an_address_with_an_account_is_refused_like_any_that_cannot_be_used(browse):
    make_rules()
    make_user(email="known@example.org", with_password=True)
    make_user(email="gone@example.org", with_password=True, suspended_at=make_user().created_at)

    answers = {
        address: browse().post("/sign-up", data={**ROBIN, "email": address, "password": "another long password"})
        for address in ("known@example.org", "gone@example.org", "no-such-place@example..org", "nonsense")
    }

    assert {answer.status_code for answer in answers.values()} == {422}
    assert len({said(answer) for answer in answers.values()}) == 1 + 1  # the last is without an @ in its value
    assert len({re.sub(r'value="nonsense"', "", said(answer)) for answer in answers.values()}) == 1


def test_s16_a_name_that_is_taken_is_said_before_anything_about_the_address(browse):
    make_rules()
    make_user(name="Taken")
    make_user(email="known@example.org", with_password=True)

    answers = [
        browse().post("/sign-up", data={**ROBIN, "name": "Taken", "email": address})
        for address in ("known@example.org", "unknown@example.org")
    ]

    # The right password of the first would sign in; here it is wrong for neither reason but the name.
    wrong = browse().post(
        "/sign-up", data={**ROBIN, "name": "Taken", "email": "known@example.org", "password": PASSWORD[::-1]}
    )
    assert answers[1].status_code == wrong.status_code == 422
    assert said(answers[1]) == said(wrong)


def test_s16_as_much_work_is_done_for_a_known_address_as_for_an_unknown_one(browse, monkeypatch):
    make_rules()
    make_user(email="known@example.org", with_password=True)
    make_user(name="Taken")
    work = []
    real = passwords._hasher()
    monkeypatch.setattr(passwords, "_hasher", lambda: Counting(real, work))

    for path, address, name in (
        ("/sign-up", "known@example.org", "Taken"),
        ("/sign-up", "unknown@example.org", "Taken"),
        ("/sign-in", "known@example.org", ""),
        ("/sign-in", "unknown@example.org", ""),
    ):
        work.clear()
        answer = browse().post(path, data={**ROBIN, "email": address, "name": name, "password": PASSWORD[::-1]})

        assert answer.status_code == 422
        assert work == ["verify"], (path, address)


class Counting:
    """A hasher that counts what it does."""

    def __init__(self, real, work):
        self.real, self.work = real, work

    def __getattr__(self, name):
        if name in {"hash", "verify"}:
            self.work.append(name)
        return getattr(self.real, name)


def test_signing_up_again_with_the_right_password_is_signing_in(browse):
    make_rules()
    user = make_user(email="robin@example.org", name="Robin Hale", with_password=True)
    browser = browse()

    answer = browser.post("/sign-up", data=ROBIN)

    assert answer.status_code == 303
    assert db.session.scalars(select(AuthSession.user_id)).all() == [user.id]
    assert db.session.scalars(select(User.email)).all() == ["robin@example.org"]


def test_whoever_is_signed_in_needs_no_account(browse):
    answer = browse(make_user()).get("/sign-up?next=/rules")

    assert (answer.status_code, answer.location) == (303, "/rules")


@pytest.mark.settings(LIMITS=True)
def test_s54_accounts_cannot_be_opened_in_bulk(browse):
    make_rules()
    browser = browse()
    statuses = [browser.post("/sign-up", data={**ROBIN, "agreed": ""}).status_code for _ in range(11)]

    assert statuses == [422] * 10 + [429]


@either_way
def test_reading_the_form_stores_nothing(browse, headers):
    browse().get("/sign-up?next=/ideas/1&then=vote", headers=headers)

    with transaction():
        assert db.session.scalars(select(EventRecord.id)).all() == []
        assert queries.rules_in_force() is None
