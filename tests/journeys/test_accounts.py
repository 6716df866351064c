"""People open accounts, sign in and out, and what they began before that is done afterwards."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.accounts.queries import find_by_email, has_accepted_rules
from portal.db import db
from portal.ideas.models import Idea
from tests.factories import make_idea, make_rules, make_user
from tests.journeys.steps import look_again, sign_in, sign_out, sign_up, told, vote_button

WATER = "Mark springs on the map"


def test_a_visitor_registers_signs_out_and_signs_in(come):
    make_rules("Be kind to each other.")
    page = come()

    page.goto("/")
    page.get_by_role("link", name="Join").click()
    sign_up(page, "noor@example.org", "Noor")
    expect(told(page).first).to_contain_text("Welcome, Noor.")
    look_again()
    assert has_accepted_rules(find_by_email("noor@example.org"))

    sign_out(page)
    expect(told(page).first).to_contain_text("You are signed out.")
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, find_by_email("noor@example.org"))
    expect(told(page).first).to_contain_text("Welcome back, Noor.")


@pytest.mark.parametrize("has_account", [True, False], ids=["who has an account", "who opens an account"])
def test_the_vote_of_a_visitor_counts_once_the_visitor(come, has_account):
    make_rules()
    idea, page = make_idea(WATER), come()
    known = make_user(name="Noor", with_password=True) if has_account else None

    page.goto("/")
    page.get_by_role("link", name=f"Vote for “{WATER}”").click()
    expect(page.get_by_text("Sign in to vote. Your vote is kept.")).to_be_visible()
    if known:
        sign_in(page, known)
    else:
        page.get_by_role("link", name="Open an account").click()
        expect(page.get_by_text("Sign in to vote. Your vote is kept.")).to_be_visible()
        sign_up(page, "noor@example.org", "Noor")

    expect(page.get_by_role("heading", level=1)).to_have_text(WATER)
    expect(told(page).first).to_contain_text("Voted. 2 votes.")
    expect(vote_button(page, WATER)).to_have_attribute("aria-pressed", "true")
    look_again()
    assert idea.votes == 2


def test_what_a_visitor_writes_is_posted_after_signing_in(come):
    member, page = make_user(name="Noor", with_password=True), come()
    make_idea(WATER)

    page.goto("/ideas/new")
    page.get_by_label("Your idea in one sentence").fill("Warn me of thunderstorms")
    page.get_by_label("What happens today").fill("I look at three weather sites every morning.")
    page.get_by_role("button", name="Post idea").click()
    expect(page.get_by_text("Sign in to post your idea. What you wrote is kept.")).to_be_visible()
    sign_in(page, member)

    expect(page.get_by_role("heading", level=1)).to_have_text("Warn me of thunderstorms")
    expect(page.get_by_text("three weather sites")).to_be_visible()
    look_again()
    assert db.session.scalars(select(Idea.author_id).where(Idea.title == "Warn me of thunderstorms")).all() == [
        member.id
    ]


def test_changed_rules_are_agreed_to_before_the_vote_counts(come):
    make_rules("Be kind.")
    member, idea = make_user(name="Noor"), make_idea(WATER)
    make_rules("Be kind. Say why.")
    page = come(member)

    page.goto(f"/ideas/{idea.id}")
    vote_button(page, WATER).click()
    expect(page.get_by_role("heading", name="What changed since")).to_be_visible()
    expect(page.locator("ins")).to_contain_text("Say why.")
    page.get_by_label("I have read the community rules").check()
    page.get_by_role("button", name="Agree and go on").click()

    expect(told(page).first).to_contain_text("Voted. 2 votes.")
