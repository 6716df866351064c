"""The workspace in a real browser: by keyboard, on a phone, without JavaScript, for everybody."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.ideas.workflow import Status
from tests.factories import make_board, make_comment, make_idea, make_user, make_votes
from tests.support import assert_accessible

pytestmark = pytest.mark.usefixtures("app")

DAY = timedelta(days=1)


def three_ideas():
    """Three ideas that wait, the oldest first."""
    titles = ("Warn me before the last bus", "Let someone see where I am", "Dim the screen at night")
    return [make_idea(title, at=utcnow() - (9 - number) * DAY) for number, title in enumerate(titles)]


def heading(page):
    return page.locator("#desk-heading").inner_text()


def now(idea):
    db.session.rollback()
    db.session.refresh(idea)
    return idea


def test_a_queue_is_worked_off_by_keyboard(open_page):
    pm = make_user(Role.PM, name="Ines")
    first, second, third = three_ideas()
    page = open_page(pm)
    page.goto("/triage/first-look")

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/triage/first-look/{second.id}")
    page.wait_for_function("document.activeElement.id === 'desk'")
    assert heading(page) == second.title
    assert page.locator(".queue-row[aria-current]").inner_text().count(second.title) == 1

    page.keyboard.press("i")
    page.get_by_text("Assigned to Ines.").wait_for()
    assert now(second).owner_id == pm.id
    page.keyboard.press("u")
    page.get_by_text("Nobody is responsible any more.").wait_for()
    assert now(second).owner_id is None

    page.keyboard.press("s")
    expect(page.locator("[data-pick][open] [data-filter]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#pick-status")).to_be_focused()
    page.keyboard.press("s")
    page.keyboard.type("info")
    assert page.locator("[data-pick][open] [data-choice]:visible").all_inner_texts() == ["2\nNeeds info"]
    page.keyboard.press("Enter")
    assert page.locator("form[data-led=move]:visible").count() == 1
    expect(page.locator("#needs_info-answer")).to_be_focused()
    page.keyboard.type("Which phone do you use?")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Moved to Needs info. 1 person will hear about it.").wait_for()
    assert heading(page) == third.title
    assert page.locator(".queue-row").count() == 2
    assert now(second).status is Status.NEEDS_INFO

    page.keyboard.press("Escape")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/triage/first-look/{first.id}")
    page.keyboard.press("e")
    page.wait_for_url(f"**/triage/first-look/{third.id}")
    page.go_back()
    page.locator("#desk-heading", has_text=first.title).wait_for()
    assert page.url.endswith(f"/triage/first-look/{first.id}")


def test_what_follows_the_key_of_a_list_at_once_is_typed_into_it(open_page):
    make_idea("Dim the screen at night")
    page = open_page(make_user(Role.PM))
    page.goto("/triage/first-look")

    typed_into = page.evaluate(
        """() => {
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "s", bubbles: true, cancelable: true }));
          return document.activeElement.matches("[data-pick][open] [data-filter]");
        }"""
    )

    assert typed_into


def test_keys_do_nothing_once_they_are_switched_off(open_page):
    pm = make_user(Role.PM)
    first, _second, _third = three_ideas()
    page = open_page(pm)
    page.goto("/triage/first-look")

    page.get_by_label("Single-key shortcuts").uncheck()
    page.wait_for_selector("html[data-shortcuts=off]")
    page.keyboard.press("i")
    page.keyboard.press("j")

    assert now(first).owner_id is None
    assert page.evaluate("document.activeElement.tagName") == "BODY"


def test_on_a_phone_list_and_desk_are_pages_of_their_own(open_page):
    _first, second, _third = three_ideas()
    page = open_page(make_user(Role.PM), width=390)
    page.goto("/triage/first-look")
    assert not page.locator("#desk").is_visible()

    page.get_by_role("link", name=second.title).click()
    page.wait_for_url(f"**/triage/first-look/{second.id}")

    assert heading(page) == second.title
    assert not page.locator("#triage-queue").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    bar = page.get_by_label("Act on this idea").bounding_box()
    assert bar["y"] + bar["height"] == 900

    page.locator(".desk__back").click()
    page.wait_for_url("**/triage/first-look")
    assert page.locator("#triage-queue").is_visible()


def test_everything_works_without_javascript(open_page):
    pm = make_user(Role.PM)
    first, second, third = three_ideas()
    page = open_page(pm, javascript=False)
    page.goto("/triage/first-look")

    page.locator("#form-not_now").get_by_label("Why not now").fill("**Later**, with the new maps.")
    page.locator("#not_now-because").select_option(index=1)
    page.locator("#form-not_now").get_by_role("button", name="Preview").click()
    assert page.locator("#preview strong").inner_text() == "Later"
    page.locator("#form-not_now").get_by_role("button", name="Publish").click()
    assert "Name a date, or what would change our mind." in page.locator("#form-not_now").inner_text()
    page.locator("#form-not_now").get_by_label("Look at it again on").fill("2090-05-01")
    page.locator("#form-not_now").get_by_role("button", name="Publish").click()
    assert "Moved to Not now." in page.locator("#notices").inner_text()
    assert heading(page) == second.title
    assert now(first).status is Status.NOT_NOW

    page.get_by_role("link", name="Merge", exact=True).click()
    page.get_by_role("searchbox", name="Number, address or words of the main idea").fill(str(third.id))
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("button", name="Merge").click()
    assert now(second).merged_into_id == third.id
    page.get_by_role("button", name="Undo", exact=True).click()
    assert (now(second).merged_into_id, now(second).status) == (None, Status.NEW)


def test_everybody_can_use_triage(open_page, settle):
    pm = make_user(Role.ADMIN)
    idea = make_idea("Share my live position with one person", board=make_board("Safety"))
    other = make_idea("Share my live position with one person for a day", status=Status.PLANNED)
    make_votes(idea, 2)
    make_comment(idea)
    page, idea_id, other_id = open_page(pm), idea.id, other.id
    settle()

    for path in (
        "/triage/mine",
        f"/triage/first-look/{idea_id}",
        f"/triage/merge/{idea_id}",
        f"/triage/merge/{idea_id}?into={other_id}",
    ):
        page.goto(path)
        assert_accessible(page)
