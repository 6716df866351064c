"""People sign in with a real OpenID provider, link it to their account, and come from the customer's own product."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OctKey
from playwright.sync_api import expect
from sqlalchemy import select

from portal.accounts.models import AuthSession
from portal.accounts.queries import find_by_email
from portal.accounts.roles import Role
from portal.db import db
from portal.sso.models import Identity
from tests.factories import make_idea, make_product, make_provider, make_rules, make_user
from tests.journeys.steps import look_again, sign_in, sign_out, told, vote_button
from tests.support import assert_accessible, need
from tests.support.identity_server import PASSWORD
from tests.support.live import People
from tests.support.openid import RealProvider

pytestmark = pytest.mark.settings(OUTGOING_ALLOW="127.0.0.1")
WATER = "Mark springs on the map"


@pytest.fixture(scope="module")
def fells() -> Iterator[RealProvider]:
    provider = need("openid", lambda: RealProvider("Ada", "Bob"))
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def harbour() -> Iterator[RealProvider]:
    provider = need("openid", lambda: RealProvider("Ada"))
    yield provider
    provider.stop()


@pytest.fixture(autouse=True)
def lead_there(monkeypatch: pytest.MonkeyPatch, fells: RealProvider, harbour: RealProvider) -> None:
    """The browsers may leave the portal for these two."""
    monkeypatch.setattr(People, "elsewhere", (fells.issuer, harbour.issuer))


def connect(live: str, real: RealProvider, name: str) -> Any:
    """Connect a provider as an admin does, without the pages."""
    client_id, secret = real.register(f"{live}/sso/{name.lower()}/back")
    return make_provider(name, issuer=real.issuer, client_id=client_id, secret=secret)


def sign_in_there(page: Any, real: RealProvider, name: str) -> None:
    """Sign in at the provider and let it tell us who one is."""
    page.wait_for_url(f"{real.issuer}/**")
    page.locator("input[name=login]").fill(name.lower())
    page.locator("button[type=submit], input[type=submit]").first.click()
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit], input[type=submit]").first.click()
    agree(page)


def agree(page: Any) -> None:
    """Let the provider tell who one is, where it asks; it does once for each client."""
    accept = page.locator("button[name=answer][value=accept]")
    expect(accept.or_(page.locator("header.topbar"))).to_be_visible()
    if accept.is_visible():
        accept.click()


def look_at(page: Any, scripts: bool) -> None:
    """Hold the page against the rules of accessibility, which takes scripts."""
    if scripts:
        assert_accessible(page)


def test_somebody_new_comes_by_a_provider_and_the_vote_counts(come, scripts, live, fells):
    make_rules("Be kind to each other.")
    connect(live, fells, "Fells")
    idea, page = make_idea(WATER), come()

    page.goto("/")
    page.get_by_role("link", name=f"Vote for “{WATER}”").click()
    page.get_by_role("button", name="Go on with Fells").click()
    sign_in_there(page, fells, "Ada")
    expect(page.get_by_text("have no account here yet")).to_be_visible()
    expect(page.get_by_text("ada@example.org")).to_be_visible()
    expect(page.get_by_label("Display name")).to_have_value("Ada Example")
    look_at(page, scripts)
    page.get_by_label("I have read the community rules").check()
    page.get_by_role("button", name="Agree and open the account").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(WATER)
    expect(told(page).first).to_contain_text("Welcome, Ada Example.")
    expect(vote_button(page, WATER)).to_have_attribute("aria-pressed", "true")
    look_again()
    assert idea.votes == 2
    assert find_by_email("ada@example.org").password_hash is None

    sign_out(page)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Go on with Fells").click()  # still signed in there
    expect(told(page).first).to_contain_text("Welcome back, Ada Example.")


def test_an_account_is_linked_after_its_owner_proved_it_and_has_two_providers(come, scripts, live, fells, harbour):
    make_rules()
    connect(live, fells, "Fells")
    connect(live, harbour, "Harbour")
    ada = make_user(name="Ada of old", email="ada@example.org", with_password=True)
    page = come()

    page.goto("/sign-in")
    page.get_by_role("button", name="Go on with Fells").click()
    sign_in_there(page, fells, "Ada")
    expect(page.get_by_text("There is an account with this address here.")).to_be_visible()
    look_at(page, scripts)
    page.get_by_role("link", name="Sign in to my account").click()
    sign_in(page, ada)
    expect(page.get_by_text("Link the two only if both are yours.")).to_be_visible()
    look_again()
    assert db.session.scalars(select(Identity)).all() == []
    page.get_by_role("button", name="Link", exact=True).click()
    expect(told(page).first).to_contain_text("From now on you can sign in with Fells.")

    page.goto("/account/security")
    page.get_by_role("button", name="Link Harbour").click()
    sign_in_there(page, harbour, "Ada")
    page.get_by_role("button", name="Link", exact=True).click()
    expect(told(page).first).to_contain_text("From now on you can sign in with Harbour.")
    look_again()
    assert {row.user_id for row in db.session.scalars(select(Identity))} == {ada.id}

    page.goto("/account/security")
    page.get_by_role("link", name="Unlink Fells").click()
    page.get_by_role("button", name="Unlink").click()
    expect(told(page).first).to_contain_text("Fells is unlinked.")
    look_again()
    assert [row.issuer for row in db.session.scalars(select(Identity))] == [harbour.issuer]


def test_whoever_presses_cancel_there_is_told_so_here(come, live, fells):
    connect(live, fells, "Fells")
    page = come()

    page.goto("/sign-in?next=/ideas/new")
    page.get_by_role("button", name="Go on with Fells").click()
    page.wait_for_url(f"{fells.issuer}/**")
    page.locator("input[name=login]").fill("bob")
    page.locator("button[type=submit], input[type=submit]").first.click()
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit], input[type=submit]").first.click()
    page.locator("button[name=answer][value=deny]").click()

    expect(page.get_by_role("alert")).to_contain_text("Fells said no")
    page.get_by_role("link", name="Sign in another way, or try again").click()
    expect(page).to_have_url(f"{live}/sign-in?next=/ideas/new")


def test_an_admin_connects_a_provider_by_the_pages(come, scripts, live, fells):
    make_rules()
    page = come(make_user(Role.ADMIN, name="Kay"))

    page.goto("/admin/providers")
    page.get_by_role("link", name="Add an OpenID provider").click()
    page.get_by_label("Name", exact=True).fill("Fells")
    page.get_by_label("Issuer").fill(fells.issuer)
    page.get_by_role("button", name="Add").click()
    redirect_uri = page.locator("#redirect-uri").inner_text()
    assert redirect_uri == f"{live}/sso/fells/back"
    client_id, secret = fells.register(redirect_uri)
    page.get_by_label("Client id").fill(client_id)
    page.get_by_label("Client secret").fill(secret)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Test discovery").click()
    expect(page.get_by_role("status").filter(has_text="It answers")).to_be_visible()
    look_at(page, scripts)
    page.get_by_role("button", name="Switch on").click()
    expect(told(page).first).to_contain_text("Fells is switched on.")

    guest = come()
    guest.goto("/sign-up")
    guest.get_by_role("button", name="Go on with Fells").click()
    sign_in_there(guest, fells, "Bob")
    expect(guest.get_by_text("bob@example.org")).to_be_visible()


def test_somebody_comes_from_the_customers_own_product(come, scripts, live):
    make_rules()
    product, _name, secret = make_product("Fellside", "https://app.fellside.example")
    now = int(time.time())
    claims = {"iss": product.issuer, "aud": live, "sub": "17", "email": "ada@example.org", "email_verified": True}
    claims |= {"name": "Ada Example", "iat": now, "exp": now + 300, "jti": "first"}
    key = OctKey.import_key(secret)
    token = jws.serialize_compact({"alg": "HS256"}, json.dumps(claims), key, algorithms=["HS256"])
    page = come()

    page.goto(f"/hand-over?token={token}")
    expect(page).to_have_url(f"{live}/hand-over")
    expect(page.get_by_role("heading", level=1)).to_have_text("Go on as Ada Example")
    look_at(page, scripts)
    page.get_by_role("button", name="Go on as Ada Example").click()
    page.get_by_label("I have read the community rules").check()
    page.get_by_role("button", name="Agree and open the account").click()
    expect(told(page).first).to_contain_text("Welcome, Ada Example.")
    look_again()
    assert db.session.scalars(select(AuthSession.way)).one() == "handover"

    page.goto(f"/hand-over?token={token}")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_text("For developers").click()
    expect(page.get_by_text("was used already")).to_be_visible()
