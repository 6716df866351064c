"""Somebody comes for the first time by an OpenID provider, and chooses a name."""

from __future__ import annotations

import re
from email import message_from_string
from email.policy import default

import pytest
from sqlalchemy import select

from portal.accounts.models import AuthSession, User
from portal.accounts.queries import find_by_email, has_accepted_rules
from portal.db import db
from portal.notifications.models import CaughtMail
from portal.options import decide
from portal.sso.models import Identity
from portal.transactions import transaction
from tests.factories import make_idea, make_provider, make_rules, make_user
from tests.sso.conftest import sign_in

pytestmark = pytest.mark.settings(OUTGOING_ALLOW="127.0.0.1")


@pytest.fixture
def provider(app, small):
    make_rules()
    return make_provider("Accounts", issuer=small.issuer, client_id="our-portal", secret="a secret of theirs")


def fill_in(browser, **fields: str):
    form = {"name": "Ada Example", "version": "1", "agreed": "y"} | fields
    return browser.post("/sso/new", data=form)


def anybody_signed_in() -> bool:
    db.session.rollback()
    return db.session.scalars(select(AuthSession)).first() is not None


def decided(name: str, value: object) -> None:
    with transaction(wake=False):
        decide(name, value)


def test_a_new_person_chooses_a_name_and_agrees_and_nothing_exists_before(browse, provider, small):
    browser = browse()
    answer = sign_in(browser, small, provider, next="/search?q=maps")

    assert answer.location == "/sso/new"
    page = browser.get("/sso/new").text
    assert 'value="Ada Example"' in page and "ada@example.org" in page and "Community rules" in page
    assert find_by_email("ada@example.org") is None

    answer = fill_in(browser, name="Ada of the Fells")

    assert (answer.status_code, answer.location) == (303, "/search?q=maps")
    db.session.rollback()
    ada = find_by_email("ada@example.org")
    assert (ada.name, ada.password_hash) == ("Ada of the Fells", None)
    assert ada.confirmed_at and ada.approved_at and has_accepted_rules(ada)
    linked = db.session.scalars(select(Identity)).one()
    assert (linked.user_id, linked.issuer, linked.subject) == (ada.id, small.issuer, "ada-1")
    assert db.session.scalars(select(AuthSession.way)).one() == "sso:accounts"
    assert fill_in(browser).status_code == 422  # nobody waits any more


def test_what_they_came_for_is_done_afterwards(browse, provider, small):
    idea, browser = make_idea(), browse()
    browser.post(f"/ideas/{idea.id}/vote")
    sign_in(browser, small, provider)

    fill_in(browser)

    db.session.rollback()
    assert idea.votes == 2


def test_without_agreeing_or_with_a_taken_name_the_form_comes_again(browse, provider, small):
    make_user(name="Noor")
    browser = browse()
    sign_in(browser, small, provider)

    assert fill_in(browser, agreed="").status_code == 422
    taken = fill_in(browser, name="Noor")
    assert taken.status_code == 422 and "has this name already" in taken.text
    make_rules("Be kind. Say why. Say when.")
    assert "The rules changed a moment ago" in fill_in(browser).text
    assert find_by_email("ada@example.org") is None and not anybody_signed_in()


@pytest.mark.parametrize("verified", [False, None, "false", 1], ids=["no", "not said", "in words", "a number"])
def test_s24_an_address_that_the_provider_did_not_verify_is_asked_by_mail_first(
    browse, provider, small, settle, verified
):
    small.person["email_verified"] = verified
    browser, other = browse(), browse()
    sign_in(browser, small, provider, next="/search?q=maps")

    assert fill_in(browser).location == "/sso/mailed"
    assert "We wrote to ada@example.org" in browser.get("/sso/mailed").text
    assert find_by_email("ada@example.org") is None and not anybody_signed_in()
    link = mailed_link(settle)

    assert "in the browser in which you asked" in other.get(link).text
    other.post(link)
    assert find_by_email("ada@example.org") is None and not anybody_signed_in()
    assert browser.get(link).status_code == 200
    assert find_by_email("ada@example.org") is None

    assert browser.post(link).location == "/search?q=maps"
    db.session.rollback()
    assert find_by_email("ada@example.org").confirmed_at and anybody_signed_in()
    assert browse().get(link).status_code == 410


def mailed_link(settle) -> str:
    settle()
    db.session.rollback()
    mail = db.session.scalars(select(CaughtMail).order_by(CaughtMail.id.desc())).first()
    text = message_from_string(mail.raw, policy=default).get_body(("plain",)).get_content()
    return re.search(r"/sso/confirm/[\w-]+", text)[0]


def test_s24_an_unverified_address_of_somebody_else_links_nothing_and_tells_nobody(browse, provider, small, settle):
    make_user(name="Real Ada", email="ada@example.org")
    small.person["email_verified"] = False
    browser = browse()

    assert sign_in(browser, small, provider).location == "/sso/new"
    assert fill_in(browser, name="Another Name").location == "/sso/mailed"
    settle()

    mail = db.session.scalars(select(CaughtMail)).one()
    assert "have an account already" in mail.subject and "/sso/confirm/" not in mail.raw
    assert db.session.scalars(select(Identity)).all() == [] and not anybody_signed_in()


def test_somebody_without_an_address_gives_one_that_is_asked_by_mail(browse, provider, small, settle):
    small.person |= {"email": None, "email_verified": None}
    browser = browse()
    sign_in(browser, small, provider)

    assert fill_in(browser, email="no address").status_code == 422
    assert fill_in(browser, email="ada@elsewhere.example").location == "/sso/mailed"
    browser.post(mailed_link(settle))

    db.session.rollback()
    assert find_by_email("ada@elsewhere.example").name == "Ada Example"


@pytest.mark.settings(MAIL_URL="")
def test_without_mail_an_unverified_address_is_not_taken(browse, provider, small):
    small.person["email_verified"] = False
    browser = browse()
    sign_in(browser, small, provider)

    assert "cannot send mail yet" in browser.get("/sso/new").text
    assert fill_in(browser).status_code == 503
    assert db.session.scalars(select(Identity)).all() == []


def test_membership_decides_who_may_join_by_a_provider_too(browse, provider, small):
    decided("membership", "invitation")
    browser = browse()
    sign_in(browser, small, provider)
    assert browser.get("/sso/new").status_code == 403 and fill_in(browser).status_code == 403

    decided("membership", "domains")
    decided("domains", ["fells.example"])
    assert fill_in(browser).status_code == 403
    decided("domains", ["example.org"])
    assert browser.get("/sso/new").status_code == 200

    decided("membership", "approval")
    fill_in(browser)
    db.session.rollback()
    assert find_by_email("ada@example.org").approved_at is None


def test_the_people_of_a_provider_that_admins_trust_join_at_once(browse, small):
    make_rules()
    provider = make_provider("Ours", issuer=small.issuer, client_id="our-portal", secret="theirs", admits=True)
    decided("membership", "invitation")
    browser = browse()
    sign_in(browser, small, provider)

    fill_in(browser)

    db.session.rollback()
    assert find_by_email("ada@example.org").approved_at


def test_an_invitation_to_the_verified_address_opens_the_portal(browse, provider, small):
    from datetime import timedelta

    from portal.db import utcnow
    from portal.membership.models import Invitation

    decided("membership", "invitation")
    with transaction(wake=False):
        invitation = Invitation(email="ada@example.org", expires_at=utcnow() + timedelta(days=1))
        db.session.add(invitation)
    browser = browse()
    sign_in(browser, small, provider)

    fill_in(browser)

    db.session.rollback()
    assert invitation.accepted_by_id == find_by_email("ada@example.org").id


def test_what_waits_is_forgotten_after_half_an_hour(browse, provider, small, monkeypatch):
    browser = browse()
    sign_in(browser, small, provider)
    monkeypatch.setattr("portal.sso.views.base.WAITS_FOR", -1)

    assert browser.get("/sso/new").status_code == 422
    assert fill_in(browser).status_code == 422
    assert db.session.scalars(select(User).where(User.email == "ada@example.org")).all() == []
