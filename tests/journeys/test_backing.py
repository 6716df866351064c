"""Somebody types an idea that exists, backs that instead, says how theirs differs, and the team sees it."""

import re

import pytest
from playwright.sync_api import expect

from portal.accounts.roles import Role
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.workflow import Status
from portal.search import index
from tests.factories import make_idea, make_user
from tests.journeys.steps import look_again, sign_in, told, vote_button

OPEN = "Download maps to use them without network"
DECLINED = "Send printed maps for use without network"
TYPED = "Use maps without network"
DIFFERS = "Mine is about the contour lines."


@pytest.fixture
def ideas():
    author = make_user(name="Ines")
    found = [make_idea(OPEN, author=author, need="Maps do not load without network.", votes=40)]
    found += [make_idea(DECLINED, author=author, status=Status.DECLINED)]
    index.rebuild()
    return found


def type_it(page, scripts):
    """Type the idea into the form, and see the ones like it: at once, or as a step before posting."""
    page.goto("/ideas/new")
    page.get_by_label("Your idea in one sentence").press_sequentially(TYPED)
    page.get_by_label("What happens today").fill("In the valley there is nothing.")
    if not scripts:
        page.get_by_role("button", name="Post idea").click()
    panel = page.get_by_role("region", name="Is it one of these?")
    expect(panel.get_by_role("listitem")).to_have_count(2)
    return panel


def test_a_member_backs_the_one_that_exists_says_how_theirs_differs_and_the_team_sees_it(come, scripts, ideas):
    number = ideas[0].id
    page = come(make_user(name="Noor"))

    panel = type_it(page, scripts)
    vote_button(panel, OPEN).click()
    expect(told(page).filter(has_text="Voted.")).to_have_count(1)
    if scripts:  # saving the draft must not go to the button that was pressed last
        expect(page.get_by_text("Draft saved")).to_be_visible()
        expect(vote_button(panel, OPEN)).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Mine differs because").fill(DIFFERS)
    page.get_by_role("button", name="Add the line" if scripts else "Save the line").first.click()
    expect(told(page).filter(has_text="Noted. Only the team reads it.")).to_have_count(1)
    page.goto("/ideas/new")
    expect(page.get_by_label("Your idea in one sentence")).to_have_value(TYPED)  # whoever votes may still post

    staff = come(make_user(Role.PM, name="Petra"))
    staff.goto(f"/ideas/{number}")
    receipts = staff.get_by_role("region", name="1 person was about to post this")
    expect(receipts).to_contain_text(DIFFERS)
    expect(receipts).to_contain_text(TYPED)
    receipts.get_by_role("button", name="Hide the line").click()
    expect(staff.locator(".receipts__line:visible")).to_have_count(0)
    look_again()
    assert db.session.get_one(Idea, number).votes == 41


def test_a_visitor_looks_their_words_over_signs_in_at_the_end_and_nothing_is_lost(come, scripts, ideas):
    number = ideas[0].id
    member = make_user(name="Noor", with_password=True)
    page = come()

    panel = type_it(page, scripts=True) if scripts else None
    if panel is None:  # visitors post last, so without script they come by the page of similar ideas
        page.goto(f"/search/similar?title={TYPED}")
        panel = page.get_by_role("region", name="Is it one of these?")
    panel.get_by_text("Vote, and add my words as a comment").click()
    expect(page.get_by_label("Your words as a comment")).to_have_value(
        f"{TYPED}\n\nIn the valley there is nothing." if scripts else TYPED
    )
    page.get_by_role("button", name="Back to my own idea").click()
    expect(page.get_by_label("Your idea in one sentence")).to_have_value(TYPED)
    page.get_by_text("Vote, and add my words as a comment").click()
    page.get_by_label("Your words as a comment").fill("On the ferry, too.")
    page.get_by_label("Mine differs because").fill(DIFFERS)
    page.get_by_role("button", name="Vote, and post the comment").click()
    sign_in(page, member)

    expect(told(page).filter(has_text="Voted, and your words stand here as a comment.")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"/ideas/{number}\b"))
    expect(page.locator(".comment__body")).to_have_text("On the ferry, too.")
    page.goto("/account/backed")
    expect(page.get_by_role("main")).to_contain_text(DIFFERS)
    page.goto("/ideas/new")
    expect(page.get_by_label("Your idea in one sentence")).to_have_value("")  # it went to the idea that exists


def test_where_voting_is_closed_one_hears_of_changes_instead(come, scripts, ideas):
    page = come(make_user(name="Noor"))

    panel = type_it(page, scripts)
    panel.get_by_role("button", name=re.compile(f"Tell me when this changes.*{DECLINED}")).click()

    expect(told(page).filter(has_text="You will hear when this changes.")).to_have_count(1)
    expect(page.get_by_label("Mine differs because")).to_be_visible()
