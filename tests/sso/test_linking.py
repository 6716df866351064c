"""A sign-in is linked to an account only when the provider vouches for the address and its owner proves the account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import AuthSession
from portal.db import db, utcnow
from portal.notifications.models import CaughtMail
from portal.security.models import SecurityEntry
from portal.sso import queries
from portal.sso.models import Identity
from portal.transactions import transaction
from tests.factories import PASSWORD, link_identity, make_idea, make_provider, make_rules, make_user
from tests.sso.conftest import sign_in

pytestmark = pytest.mark.settings(OUTGOING_ALLOW="127.0.0.1")


@pytest.fixture
def provider(app, small):
    make_rules()
    return make_provider("Accounts", issuer=small.issuer, client_id="our-portal", secret="a secret of theirs")


@pytest.fixture
def ada(app):
    return make_user(name="Ada", email="ada@example.org", with_password=True)


def linked() -> list[tuple[int, str]]:
    db.session.rollback()
    return [(row.user_id, row.subject) for row in db.session.scalars(select(Identity))]


def with_password(browser, user, **query: str):
    return browser.post("/sign-in", data={"email": user.email, "password": PASSWORD}, query_string=query)


def test_s24_a_verified_address_is_linked_only_after_the_account_is_proven_and_one_press(
    browse, provider, small, ada, settle
):
    browser = browse()

    assert sign_in(browser, small, provider, next="/search?q=maps").location == "/sso/link"
    page = browser.get("/sso/link").text
    assert "There is an account with this address here" in page and 'href="/sign-in?next=/sso/link"' in page
    assert browser.post("/sso/link").location.startswith("/sign-in")
    assert linked() == []

    assert with_password(browser, ada, next="/sso/link").location == "/sso/link"
    assert linked() == []
    assert "Link the two only if both are yours" in browser.get("/sso/link").text
    assert linked() == []

    assert browser.post("/sso/link").location == "/search?q=maps"
    assert linked() == [(ada.id, "ada-1")]
    settle()
    mails = db.session.scalars(select(CaughtMail)).all()
    assert "A sign-in was linked to your account" in [mail.subject for mail in mails]
    assert "identity.linked" in db.session.scalars(select(SecurityEntry.kind)).all()
    fresh = browse()
    sign_in(fresh, small, provider)
    db.session.rollback()
    assert db.session.scalars(select(AuthSession).where(AuthSession.way == "sso:accounts")).one().user_id == ada.id


def test_s24_an_unverified_address_is_never_linked_even_by_its_owner(browse, provider, small, ada):
    small.person["email_verified"] = False
    browser = browse(ada)

    assert sign_in(browser, small, provider).location == "/sso/link"
    assert "does not say that the address is yours" in browser.get("/sso/link").text
    assert browser.post("/sso/link").status_code == 409
    assert linked() == []


def test_s24_a_foreign_address_is_linked_to_nobody(browse, provider, small, ada):
    bob = make_user(name="Bob", email="bob@example.org", with_password=True)
    browser = browse(bob)

    sign_in(browser, small, provider)  # the provider says that this is ada@example.org

    assert "belongs to another account" in browser.get("/sso/link").text
    assert browser.post("/sso/link").status_code == 409
    assert linked() == []


def test_s24_signing_in_as_somebody_else_than_the_address_links_nothing(browse, provider, small, ada):
    bob = make_user(name="Bob", email="bob@example.org", with_password=True)
    browser = browse()
    sign_in(browser, small, provider)

    with_password(browser, bob, next="/sso/link")

    assert browser.post("/sso/link").status_code == 409 and linked() == []


def test_s24_an_address_changed_at_the_provider_reaches_no_other_account(browse, provider, small, ada):
    mallory = make_user(name="Mallory", email="mallory@example.org")
    link_identity(mallory, provider, "mallory-1")
    small.person |= {"sub": "mallory-1", "email": "ada@example.org"}
    browser = browse()

    sign_in(browser, small, provider)

    db.session.rollback()
    assert db.session.scalars(select(AuthSession)).one().user_id == mallory.id
    assert mallory.email == "mallory@example.org" and linked() == [(mallory.id, "mallory-1")]


def test_s24_a_sign_in_that_is_somebody_elses_already_is_not_taken_over(browse, provider, small, ada):
    bob = make_user(name="Bob", email="bob@example.org")
    browser = browse(ada)
    sign_in(browser, small, provider)
    link_identity(bob, provider, "ada-1")

    assert browser.post("/sso/link").status_code == 409
    assert linked() == [(bob.id, "ada-1")]


def test_another_address_that_is_nobodys_can_be_linked_by_somebody_signed_in(browse, provider, small, ada):
    small.person["email"] = "ada@private.example"
    browser = browse(ada)
    sign_in(browser, small, provider, next="/account/security")

    assert "The addresses differ" in browser.get("/sso/link").text
    browser.post("/sso/link")

    assert linked() == [(ada.id, "ada-1")]
    db.session.rollback()
    assert ada.email == "ada@example.org"


def test_s22_linking_and_unlinking_take_a_fresh_proof(browse, provider, small, ada):
    browser = browse(ada)
    sign_in(browser, small, provider)
    with transaction(wake=False):
        db.session.scalars(select(AuthSession)).one().proved_at = utcnow() - timedelta(minutes=16)

    assert browser.get("/sso/link").location.startswith("/account/prove")
    assert browser.post("/sso/link").location.startswith("/account/prove")
    identity = link_identity(ada, provider, "other")
    assert browser.post(f"/account/identities/{identity.id}/unlink").location.startswith("/account/prove")
    assert linked() == [(ada.id, "other")]


def test_what_waited_is_done_after_linking_and_after_not_now(browse, provider, small, ada):
    for leave in ({}, {"leave": "1"}):
        idea, browser = make_idea(), browse()
        browser.post(f"/ideas/{idea.id}/vote")
        small.person["sub"] = f"ada-{len(leave)}"
        sign_in(browser, small, provider)
        with_password(browser, ada, next="/sso/link")
        assert browser.get("/sso/link").status_code == 200

        browser.post("/sso/link", data=leave)

        db.session.rollback()
        assert idea.votes == 2
    assert linked() == [(ada.id, "ada-0")]


def test_linked_sign_ins_stand_on_the_account_page_and_can_be_unlinked(browse, provider, small, ada, settle):
    identity = link_identity(ada, provider)
    browser = browse(ada)
    page = browser.get("/account/security").text
    assert "Linked sign-ins" in page and "Accounts" in page

    assert browser.get(f"/account/identities/{identity.id}/unlink").status_code == 200
    assert linked() != []
    browser.post(f"/account/identities/{identity.id}/unlink")

    assert linked() == []
    settle()
    assert "A sign-in was unlinked from your account" in db.session.scalars(select(CaughtMail.subject)).all()
    assert "Link Accounts" in browser.get("/account/security").text


def test_the_only_way_in_stays(browse, provider):
    cleo = make_user(name="Cleo")
    identity = link_identity(cleo, provider)
    browser = browse(cleo)

    assert "Your only way in" in browser.get("/account/security").text
    refused = browser.post(f"/account/identities/{identity.id}/unlink")
    assert refused.status_code == 409 and "your only way in" in refused.text
    assert len(linked()) == 1

    other = link_identity(cleo, make_provider("Other"))
    browser.post(f"/account/identities/{identity.id}/unlink")
    db.session.rollback()
    assert [row.id for row in queries.identities_of(cleo)] == [other.id]


def test_s04_a_link_of_somebody_else_is_not_there(browse, provider, ada):
    theirs = link_identity(make_user(), provider)
    browser = browse(ada)

    assert browser.get(f"/account/identities/{theirs.id}/unlink").status_code == 404
    assert browser.post(f"/account/identities/{theirs.id}/unlink").status_code == 404
    assert len(linked()) == 1


def test_s18_a_sign_in_by_a_provider_gets_a_session_of_its_own(browse, provider, small, ada):
    link_identity(ada, provider, "ada-1")
    browser = browse(make_user(name="Bob"))
    with browser.session_transaction() as session:
        before = session["_user_id"]

    sign_in(browser, small, provider)

    with browser.session_transaction() as session:
        assert session["_user_id"] != before
    db.session.rollback()
    assert db.session.scalars(select(AuthSession)).one().user_id == ada.id
