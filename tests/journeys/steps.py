"""Words for what people do in front of the portal, so that a journey reads as one."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from portal.accounts.models import User
from portal.db import db
from tests.factories import PASSWORD
from tests.support.mails import newest_code

expect.set_options(timeout=20_000)  # for busy machines: whoever waits for something sees it as soon as it is there

on_both_databases = pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)


def sign_in(page: Any, user: User) -> None:
    """Fill in the form that is open."""
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()


def sign_up(page: Any, email: str, name: str, settle: Callable[[], None]) -> None:
    """Read the rules, ask for an account in the form that is open, and type the code of the mail that comes."""
    ask_for_account(page, email, name)
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    settle()
    page.get_by_label("Code from the mail").fill(newest_code(email))
    page.get_by_role("button", name="Go on").click()


def ask_for_account(page: Any, email: str, name: str) -> None:
    """Read the rules and fill in the form for an account that is open."""
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Display name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    expect(page.get_by_role("region", name="Community rules, version")).to_be_visible()
    page.get_by_label("I have read the community rules").check()
    page.get_by_role("button", name="Agree and open the account").click()


def sign_out(page: Any) -> None:
    """Leave by the menu in the header."""
    page.locator(".topbar summary").click()
    page.get_by_role("button", name="Sign out").click()


def told(page: Any) -> Locator:
    """What the page says has just happened."""
    return page.locator("#notices, #live")


def vote_button(page: Any, title: str) -> Locator:
    """The vote on an idea, for somebody who is signed in."""
    return page.get_by_role("button", name=f"Vote for “{title}”")


def rows(page: Any) -> Locator:
    """The titles in a list of ideas."""
    return page.locator(".idea-row h3")


def pick(page: Any, menu: str, choice: str) -> None:
    """Choose from one of the menus above a list."""
    page.locator(f"#pick-{menu}").click()
    page.locator("details[open] .menu__panel").get_by_role("link", name=choice, exact=True).click()


def look_again() -> None:
    """See in this test what the pages changed meanwhile."""
    db.session.rollback()


def choose(page: Any, scripts: bool, status: str) -> None:
    """Pick the next status at the desk: from the list with scripts, from the links to the forms without."""
    if scripts:
        page.get_by_role("combobox", name="Move to").select_option(label=status)
    else:
        page.locator(".desk__moves").get_by_role("link", name=status).click()
