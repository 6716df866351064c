"""People set up passkeys and apps with a real browser, whose devices are virtual, and sign in with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select

from portal.accounts.models import AuthSession
from portal.accounts.roles import Role
from portal.credentials.models import Passkey
from portal.db import db
from tests.factories import make_user
from tests.journeys.steps import look_again, sign_in, sign_out, told
from tests.support.accessibility import violations_of_a_page
from tests.support.factors import add_app, add_recovery_codes, code_of
from tests.support.live import served


@pytest.fixture
def live(app: Flask) -> Iterator[str]:
    """The portal under a name: browsers make no passkeys for a bare number."""
    with served(app) as address:
        app.config["BASE_URL"] = address.replace("127.0.0.1", "localhost")
        yield app.config["BASE_URL"]


class Device:
    """The authenticator of one page: a phone or laptop that knows its owner, or a key that only notices a touch."""

    def __init__(self, page: Any, verifies: bool = True, resident: bool = True) -> None:
        self.session = page.context.new_cdp_session(page)
        self.session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal" if verifies else "usb",
            "hasResidentKey": resident,
            "hasUserVerification": verifies,
            "isUserVerified": verifies,
            "automaticPresenceSimulation": True,
        }
        made = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.id = made["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        """What the device holds."""
        held = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(held["credentials"])

    def refuse(self) -> None:
        """Let its owner be somebody else from now on."""
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False})


def never_offer(page: Any) -> None:
    """Let the browser be one that offers no passkeys in fields, as an older one."""
    page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")


def add_passkey(page: Any, name: str) -> None:
    """Add a passkey on the page “Two steps”."""
    page.goto("/account/two-step")
    page.get_by_label("Name of the new passkey").fill(name)
    page.get_by_role("button", name="Add a passkey").click()


def keep_codes(page: Any) -> list[str]:
    """Read the recovery codes and go on."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem").all_inner_texts()
    page.get_by_role("button", name="I have kept them. Go on").click()
    return codes


def ways_in() -> list[tuple[str, bool]]:
    """How the open sessions began, and whether by two factors."""
    look_again()
    return [(row.way, row.second) for row in db.session.scalars(select(AuthSession).order_by(AuthSession.created_at))]


def test_a_passkey_is_added_and_signs_in_without_an_address_or_password(open_page):
    user = make_user(name="Noor", with_password=True)
    page = open_page(user)
    device = Device(page)

    add_passkey(page, "Work laptop")
    assert len(keep_codes(page)) == 10
    expect(page.get_by_text("Work laptop", exact=True)).to_be_visible()
    [credential] = device.credentials()
    assert credential["isResidentCredential"] and credential["rpId"] == "localhost"

    sign_out(page)
    never_offer(page)
    page.goto("/sign-in?next=/rules")
    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(told(page).first).to_contain_text("Welcome back, Noor.")
    assert page.url.endswith("/rules")
    assert ways_in() == [("passkey", True)]


def test_the_browser_offers_a_passkey_in_the_address_field(open_page):
    user = make_user(name="Noor", with_password=True)
    page = open_page(user)
    Device(page)
    add_passkey(page, "Work laptop")
    keep_codes(page)
    sign_out(page)

    page.goto("/sign-in")  # the virtual device takes the offer at once

    expect(told(page).first).to_contain_text("Welcome back, Noor.")
    assert ways_in() == [("passkey", True)]


def test_a_key_without_a_pin_is_the_second_step_after_the_password(open_page):
    user = make_user(name="Noor", with_password=True)
    page = open_page(user)
    Device(page, verifies=False, resident=False)
    add_passkey(page, "Blue key")
    keep_codes(page)
    sign_out(page)

    page.goto("/sign-in?next=/rules")
    sign_in(page, user)
    expect(page.get_by_role("heading", level=1)).to_have_text("The second step")
    page.get_by_role("button", name="Use a passkey").click()

    expect(told(page).first).to_contain_text("Welcome back, Noor.")
    assert page.url.endswith("/rules")
    assert ways_in() == [("password", True)]


def test_a_device_that_does_not_know_its_owner_says_so_on_the_page(open_page):
    user = make_user(with_password=True)
    page = open_page(user)
    device = Device(page)
    add_passkey(page, "Phone")
    keep_codes(page)
    sign_out(page)
    never_offer(page)
    device.refuse()

    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_role("alert").filter(has_text="No passkey was used")).to_be_visible()
    assert ways_in() == []


def test_a_passkey_is_renamed_and_removed_by_keyboard(open_page):
    user = make_user(with_password=True)
    page = open_page(user)
    Device(page)
    add_passkey(page, "Phone")
    keep_codes(page)

    page.get_by_text("Rename “Phone”").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Old phone")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Old phone", exact=True)).to_be_visible()
    page.get_by_text("Remove “Old phone”").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(told(page).first).to_contain_text("The passkey is removed.")
    look_again()
    assert db.session.scalars(select(Passkey)).all() == []


def test_an_admin_sets_up_an_app_signs_in_with_it_and_once_with_a_recovery_code(come):
    admin = make_user(Role.ADMIN, name="Ada", with_password=True)
    page = come()
    page.goto("/sign-in?next=/inbox")
    sign_in(page, admin)
    expect(page.get_by_text("Your role asks for a second step.")).to_be_visible()

    page.get_by_role("link", name="Set up an app").click()
    secret = page.locator("#app-secret").inner_text().replace(" ", "")
    expect(page.get_by_role("img", name="Picture for your app to scan")).to_be_visible()
    page.get_by_label("Code that the app shows").fill("000000" if code_of(secret) != "000000" else "111111")
    page.get_by_role("button", name="Set up this app").click()
    expect(page.get_by_text("This code is not right").first).to_be_visible()
    page.get_by_label("Code that the app shows").fill(code_of(secret))
    page.get_by_role("button", name="Set up this app").click()
    codes = keep_codes(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Inbox")

    sign_out(page)
    page.goto("/sign-in?next=/inbox")
    sign_in(page, admin)
    page.get_by_label("Code from your app").fill(code_of(secret, 1))  # the one of this half minute was used
    page.get_by_label("Code from your app").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Inbox")

    sign_out(page)
    page.goto("/sign-in?next=/inbox")
    sign_in(page, admin)
    page.get_by_text("Your phone or key is not at hand").click()
    page.get_by_role("textbox", name="Recovery code").fill(codes[0].lower())
    page.get_by_role("button", name="Use this code").click()
    expect(told(page).first).to_contain_text("You used a recovery code; 9 are left.")
    assert ways_in() == [("password", True)]


def test_recovery_codes_are_downloaded_as_a_file(come):
    user = make_user()
    add_app(user)
    page = come(user)
    page.goto("/account/two-step")
    page.get_by_role("button", name="Make ten new codes").click()

    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()

    assert download.value.suggested_filename == "recovery-codes.txt"
    kept = Path(download.value.path()).read_text()
    assert kept.split()[-10:] == keep_codes(page)


def test_without_javascript_the_pages_say_that_passkeys_need_it_and_offer_the_rest(open_page):
    user = make_user(with_password=True)
    add_app(user)
    page = open_page(javascript=False)

    page.goto("/sign-in")
    assert "Passkeys need JavaScript." in page.locator("main noscript").text_content()  # shown where the parser knows
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    sign_in(page, user)
    expect(page.get_by_label("Code from your app")).to_be_visible()


def test_the_pages_are_accessible(open_page):
    user = make_user(Role.OWNER, with_password=True)
    add_app(user)
    add_recovery_codes(user)
    page, visitor, found = open_page(user), open_page(), []

    for path in ("/account/two-step", "/account/two-step/app", "/admin/sign-in"):
        page.goto(path)
        found += violations_of_a_page(page)
    page.goto("/account/two-step")
    page.get_by_role("button", name="Make ten new codes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    found += violations_of_a_page(page)
    visitor.goto("/sign-in")
    sign_in(visitor, user)
    expect(visitor.get_by_role("heading", level=1)).to_have_text("The second step")
    found += violations_of_a_page(visitor)
    assert found == []
