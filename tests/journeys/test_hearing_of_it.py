"""Everybody behind an idea hears of it: once in the inbox, once by mail, with the reason, until they want no more."""

import re

import pytest
from playwright.sync_api import expect

from portal.accounts.roles import Role
from portal.ideas import moves, service
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_user
from tests.journeys.steps import look_again

WATER = "Mark springs on the map"
ANSWER = "We build it. Springs come with the summer map."


def test_each_of_them_finds_one_line_with_the_reason(come, settle):
    people, manager = everybody_behind_it(), make_user(Role.PM, name="Petra", team="Product team")
    plan(people["author"][2], manager, settle)

    for user, reason, _idea in people.values():
        page = come(user)
        page.goto("/")
        page.get_by_role("link", name=re.compile("unread$")).click()
        moved = page.locator(".news-row").filter(has_text="summer map")
        expect(moved).to_have_count(1)
        expect(moved.locator(".news-row__why")).to_contain_text(reason)
        expect(moved.locator(".shift")).to_contain_text(re.compile("Under review.*to.*Planned", re.S))
        page.context.close()


def test_reading_the_inbox_leaves_nothing_unread(come, scripts, settle):
    people, manager = everybody_behind_it(), make_user(Role.PM)
    plan(people["voter"][2], manager, settle)
    page = come(people["voter"][0])

    page.goto("/inbox")
    page.get_by_role("button", name=f"Mark as read: {WATER}").click()
    expect(page.get_by_role("link", name="Inbox", exact=True)).to_be_visible()
    expect(page.locator(".news-row[data-unread]")).to_have_count(0)
    if scripts:
        expect(page.get_by_role("heading", name="Inbox")).to_be_focused()

    page.get_by_role("button", name=WATER, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(WATER)
    expect(page.get_by_text("Springs come with the summer map.")).to_be_visible()


def test_each_gets_one_mail_and_stops_them_without_signing_in(come, settle, smtp):
    people, manager = everybody_behind_it(), make_user(Role.PM)
    plan(people["author"][2], manager, settle)
    about = [mail for mail in smtp.got if "Planned" in mail["Subject"]]
    assert sorted(mail["To"].addresses[0].addr_spec for mail in about) == sorted(p[0].email for p in people.values())
    mail = next(mail for mail in about if people["voter"][0].email in mail["To"])
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    page = come()
    page.goto(re.search(r"https?://[^\s>]+/mail/stop/[^\s>]+", mail.get_body(("plain",)).get_content()).group())
    expect(page.get_by_text(f"You hear of changes to “{WATER}”.")).to_be_visible()
    page.get_by_role("button", name="Stop for this idea").click()
    expect(page.get_by_text(f"Stopped. You hear no more of “{WATER}”.")).to_be_visible()
    page.get_by_role("button", name="Stop all mails").click()
    expect(page.get_by_text("Stopped. No more mails come.")).to_be_visible()

    look_again()
    assert people["voter"][0].wants_mail is False
    smtp.got.clear()
    with transaction():
        moves.move_idea(people["author"][2], Status.SHIPPED, manager, MoveDetails(answer="The springs are in."))
    settle()
    others = [people[reason][0].email for reason in ("author", "commenter", "follower")]
    assert sorted(mail["To"].addresses[0].addr_spec for mail in smtp.got) == sorted(others)


@pytest.mark.settings(DEMO=True)
def test_in_the_demo_the_mails_are_read_in_the_browser(come, settle):
    people, manager = everybody_behind_it(), make_user(Role.PM)
    plan(people["voter"][2], manager, settle)
    page = come()

    page.goto("/")
    page.get_by_role("link", name="Open the mail catcher").click()
    row = page.get_by_role("listitem").filter(has_text=f"To {people['voter'][0].email}").filter(has_text="Planned")
    expect(row).to_have_count(1)
    row.get_by_role("link").click()
    expect(page.locator(".mail__text").first).to_contain_text("Springs come with the summer map.")
    letter = page.frame_locator(".mail__frame")
    expect(letter.get_by_text("Springs come with the summer map.").last).to_be_visible()
    letter.get_by_role("link", name=re.compile("^Stop")).first.click()

    page.get_by_role("button", name="Stop for this idea").click()
    expect(page.get_by_text("Stopped. You hear no more of")).to_be_visible()


def everybody_behind_it():
    """One idea, and four people with four reasons to hear of it."""
    author, voter, commenter, follower = (make_user(name=name) for name in ("Ines", "Noor", "Ole", "Pau"))
    idea = make_idea(WATER, author=author)
    with transaction(wake=False):
        service.cast_vote(idea, voter)
        service.follow(idea, follower)
    make_comment(idea, author=commenter, body="Cattle troughs would help.")
    return {
        "author": (author, "Your idea has moved", idea),
        "voter": (voter, "An idea you voted for has moved", idea),
        "commenter": (commenter, "An idea you commented on has moved", idea),
        "follower": (follower, "An idea you follow has moved", idea),
    }


def plan(idea, manager, settle):
    """Move it as a product manager does, and let follow what follows."""
    with transaction():
        moves.move_idea(idea, Status.UNDER_REVIEW, manager, MoveDetails(owner=manager))
    with transaction():
        moves.move_idea(idea, Status.PLANNED, manager, MoveDetails(answer=ANSWER))
    settle()
