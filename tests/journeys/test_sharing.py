"""A member types a sentence, sees what is like it, and backs that, or goes on and posts an idea of their own."""

import re

import pytest
from playwright.sync_api import expect

from portal.ideas.workflow import Status
from tests.factories import make_board, make_idea, make_user
from tests.journeys.steps import look_again, told, vote_button

OPEN = "Download maps to use them without network"
DECLINED, SHIPPED = "Send printed maps for use without network", "Use the saved maps without network on a watch"
TYPED = "Use maps without network"


@pytest.fixture
def ideas(settle):
    author = make_user(name="Ines")
    found = [make_idea(OPEN, author=author, need="Maps do not load without network.", votes=40)]
    found += [make_idea(DECLINED, author=author, status=Status.DECLINED)]
    found += [make_idea(SHIPPED, author=author, status=Status.SHIPPED)]
    make_idea("Show sunrise and sunset", author=author, need="I start too late.")
    settle()
    return found


def test_a_member_backs_the_idea_that_exists_with_words_of_their_own(come, scripts, ideas):
    member = make_user(name="Noor")
    page = come(member)

    page.goto("/")
    page.get_by_label("What would make").press_sequentially(TYPED)
    if not scripts:
        page.get_by_role("button", name="Continue").click()

    found = page.get_by_role("region", name="Is it one of these?")
    expect(found.get_by_role("listitem")).to_have_count(3)
    expect(found.get_by_role("heading", level=3).first).to_have_text(OPEN)
    expect(found.locator("h3 mark").filter(has_text="network")).to_have_count(3)
    expect(found.get_by_role("listitem").filter(has_text=DECLINED).get_by_text("Declined")).to_be_visible()
    expect(found.get_by_role("link", name=re.compile(f"Read why.*{DECLINED}"))).to_be_visible()
    expect(found.get_by_role("listitem").filter(has_text=SHIPPED).get_by_text("Shipped")).to_be_visible()
    if scripts:
        expect(page.locator("#live")).to_have_text("3 similar ideas found.")
        expect(page.get_by_label("What would make")).to_be_focused()

    found.get_by_text("Vote, and add my words as a comment").click()
    expect(page.get_by_label("Your words as a comment")).to_have_value(TYPED)
    page.get_by_label("Your words as a comment").fill("On the ferry, too.")
    page.get_by_role("button", name="Vote, and post the comment").click()

    expect(told(page).first).to_contain_text("Voted, and your words stand here as a comment.")
    expect(vote_button(page, OPEN)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".comment__body")).to_have_text("On the ferry, too.")
    look_again()
    assert (ideas[0].votes, ideas[0].comments) == (41, 1)


def test_a_similar_idea_is_voted_for_on_the_spot(come, scripts, ideas):
    page = come(make_user(name="Noor"))

    page.goto("/")
    page.get_by_label("What would make").press_sequentially(TYPED)
    if not scripts:
        page.get_by_role("button", name="Continue").click()
    panel = page.get_by_role("region", name="Is it one of these?")
    vote_button(panel, OPEN).click()

    expect(told(page).filter(has_text="Voted.")).to_have_count(1)
    if not scripts:
        page.get_by_role("link", name=OPEN).click()
    expect(vote_button(page, OPEN).first).to_have_attribute("aria-pressed", "true")


def test_a_draft_survives_leaving_the_page_and_is_posted(come, scripts, ideas):
    member = make_user(name="Noor")
    page = come(member)

    page.goto("/")
    page.get_by_label("What would make").fill("Mark springs where I can fill a bottle")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Your idea in one sentence")).to_have_value("Mark springs where I can fill a bottle")
    page.get_by_label("What happens today").fill("I carry four litres because I never know.")
    if scripts:
        expect(page.get_by_text("Draft saved")).to_be_visible()
    else:
        page.get_by_role("button", name="Save for later").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Ideas").click()
    expect(page.get_by_role("heading", name="What would make")).to_be_visible()

    page.goto("/ideas/new")
    expect(page.get_by_label("Your idea in one sentence")).to_have_value("Mark springs where I can fill a bottle")
    expect(page.get_by_label("What happens today")).to_have_value("I carry four litres because I never know.")
    page.get_by_label("What would help?").fill("A blue drop on the map.")
    page.get_by_role("button", name="Post idea").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Mark springs where I can fill a bottle")
    expect(page.get_by_text("Posted. We").first).to_be_visible()
    page.goto("/ideas/new")
    expect(page.get_by_label("What happens today")).to_have_value("")


def test_a_form_that_comes_back_says_what_to_put_right_and_keeps_the_rest(come, scripts):
    make_board("Planning")
    page = come(make_user())

    page.goto("/ideas/new")
    page.get_by_label("What would help?").fill("A blue drop on the map.")
    page.get_by_role("button", name="Post idea").click()

    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("2 things to put right first")
    expect(page.get_by_label("What would help?")).to_have_value("A blue drop on the map.")
    expect(page.get_by_label("Your idea in one sentence")).to_have_attribute("aria-invalid", "true")
    if scripts:
        expect(summary).to_be_focused()
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("Your idea in one sentence")).to_be_focused()
