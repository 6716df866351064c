"""People open accounts, sign in and out, and what they began before that is done afterwards."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.accounts.queries import find_by_email, has_accepted_rules
from portal.db import db
from portal.ideas.models import Idea
from tests.factories import PASSWORD, make_board, make_idea, make_rules, make_user
from tests.journeys.steps import ask_for_account, look_again, sign_in, sign_out, sign_up, told, vote_button
from tests.support.mails import newest_code, newest_link

WATER = "Mark springs on the map"


def test_a_visitor_registers_signs_out_and_signs_in(come, settle):
    make_rules("Be kind to each other.")
    page = come()

    page.goto("/")
    page.get_by_role("link", name="Join").click()
    sign_up(page, "noor@example.org", "Noor", settle)
    expect(told(page).first).to_contain_text("Welcome, Noor.")
    look_again()
    assert has_accepted_rules(find_by_email("noor@example.org"))

    sign_out(page)
    expect(told(page).first).to_contain_text("You are signed out.")
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, find_by_email("noor@example.org"))
    expect(told(page).first).to_contain_text("Welcome back, Noor.")


@pytest.mark.parametrize("has_account", [True, False], ids=["who has an account", "who opens an account"])
def test_the_vote_of_a_visitor_counts_once_the_visitor(come, settle, has_account):
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
        sign_up(page, "noor@example.org", "Noor", settle)

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


def test_a_guests_idea_is_posted_by_the_code_from_the_mail(come, settle):
    make_rules()
    make_board("Weather")
    page = come()

    page.goto("/ideas/new")
    page.get_by_label("Your idea in one sentence").fill("Warn me of thunderstorms")
    page.get_by_label("What happens today").fill("I look at three weather sites every morning.")
    page.get_by_role("button", name="Post idea").click()
    page.get_by_role("link", name="Open an account").click()
    expect(page.get_by_text("Sign in to post your idea. What you wrote is kept.")).to_be_visible()
    sign_up(page, "noor@example.org", "Noor", settle)

    expect(page.get_by_role("heading", level=1)).to_have_text("Warn me of thunderstorms")
    look_again()
    assert db.session.scalars(select(Idea.author_id)).all() == [find_by_email("noor@example.org").id]


def test_a_slip_in_the_address_is_put_right_on_the_page_that_names_it(come, settle):
    make_rules()
    page = come()

    page.goto("/sign-up")
    ask_for_account(page, "nor@example.org", "Noor")
    expect(page.get_by_text("nor@example.org")).to_be_visible()
    page.get_by_role("button", name="Send it again").click()
    expect(told(page).first).to_contain_text("We have sent it again.")
    page.get_by_text("Use another address").click()
    page.get_by_label("E-mail address").fill("noor@example.org")
    page.get_by_role("button", name="Send it there").click()
    expect(page.get_by_text("We have sent a mail to noor@example.org.")).to_be_visible()
    settle()
    page.get_by_label("Code from the mail").fill(newest_code("noor@example.org"))
    page.get_by_role("button", name="Go on").click()

    expect(told(page).first).to_contain_text("Welcome, Noor.")


def test_a_guests_idea_is_posted_by_the_link_opened_on_a_phone(come, settle):
    make_rules()
    make_board("Weather")
    page, phone = come(), come(width=390)

    page.goto("/ideas/new")
    page.get_by_label("Your idea in one sentence").fill("Warn me of thunderstorms")
    page.get_by_label("What happens today").fill("I look at three weather sites every morning.")
    page.get_by_role("button", name="Post idea").click()
    page.get_by_role("link", name="Open an account").click()
    ask_for_account(page, "noor@example.org", "Noor")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    settle()
    phone.goto(newest_link("noor@example.org"))
    phone.get_by_label("Password", exact=True).fill(PASSWORD)
    phone.get_by_role("button", name="Open my account").click()

    expect(phone.get_by_role("heading", level=1)).to_have_text("Warn me of thunderstorms")


def test_a_member_signs_in_by_mail_and_chooses_another_password(come, settle):
    make_user(name="Noor", email="noor@example.org", with_password=True)
    page = come()

    page.goto("/sign-in")
    page.get_by_role("link", name="Mail me a link").click()
    page.get_by_label("E-mail address").fill("noor@example.org")
    page.get_by_role("button", name="Mail me a link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    settle()
    page.goto(newest_link("noor@example.org"))
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(told(page).first).to_contain_text("Welcome back, Noor.")

    sign_out(page)
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgotten your password?").click()
    page.get_by_label("E-mail address").fill("noor@example.org")
    page.get_by_role("button", name="Mail me the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    settle()
    page.goto(newest_link("noor@example.org"))
    page.get_by_label("New password", exact=True).fill("eleven grey stones in a wall")
    page.get_by_role("button", name="Save the password and sign in").click()
    expect(told(page).first).to_contain_text("Your password is changed.")


def test_a_member_moves_to_another_address(come, settle):
    noor = make_user(name="Noor", email="noor@example.org", with_password=True)
    page = come(noor)

    page.goto("/account/address")
    page.get_by_label("New e-mail address").fill("noor@fells.example.org")
    page.get_by_role("button", name="Send the two mails").click()
    expect(page.get_by_role("heading", name="A change is waiting")).to_be_visible()
    settle()
    for address, button, said in (
        ("noor@fells.example.org", "Yes, use this address", "One more to go"),
        ("noor@example.org", "Yes, I agree", "Your address is changed"),
    ):
        page.goto(newest_link(address))
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(said)

    look_again()
    assert find_by_email("noor@fells.example.org").name == "Noor"


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
