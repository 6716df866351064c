"""A product manager goes through triage: the longest waiting first, along the workflow, with words for who asked."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.ideas import service
from portal.ideas.models import Answer
from portal.ideas.workflow import Status
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_user, make_votes
from tests.journeys.steps import choose, look_again, told

OLD, RECENT = "Mark springs on the map", "Report a missing signpost"


@pytest.fixture
def manager():
    return make_user(Role.PM, name="Petra", team="Product team")


def test_a_manager_looks_at_the_longest_waiting_and_moves_it_to_planned(come, scripts, manager):
    make_idea(RECENT, at=utcnow() - timedelta(days=1))
    idea = make_idea(OLD, at=utcnow() - timedelta(days=9))
    make_votes(idea, 3)
    make_comment(idea)
    page = come(manager)

    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Triage").click()
    waiting = page.get_by_role("list", name="Ideas in this queue").get_by_role("link")
    expect(waiting).to_have_text([re.compile(f"{OLD}.*9 days", re.S), re.compile(RECENT, re.S)])
    waiting.first.click()
    desk = page.locator("#desk")
    expect(desk.get_by_role("heading", name=OLD)).to_be_visible()

    desk.get_by_role("button", name="To me").click()
    expect(told(page).first).to_contain_text("Assigned to Petra.")

    choose(page, scripts, "Under review")
    form = page.locator("#form-under_review")
    form.get_by_role("button", name="Move, tell 5 people").click()
    expect(told(page).first).to_contain_text("Moved to Under review. 5 people will hear about it.")

    page.get_by_role("navigation", name="Queues").get_by_role("link", name="Assigned to you").click()
    page.get_by_role("list", name="Ideas in this queue").get_by_role("link", name=OLD).click()
    page.wait_for_url(re.compile(rf"/triage/mine/{idea.id}\b"))
    choose(page, scripts, "Planned")
    form = page.locator("#form-planned")
    form.get_by_role("button", name="Publish, tell 5 people").click()
    expect(form.get_by_role("alert")).to_contain_text("One thing to put right first")
    form.get_by_label("What will be built, and why").fill("**We build it.** Springs come with the summer map.")
    form.get_by_label("When to expect it").fill("June")
    form.get_by_role("button", name="Publish, tell 5 people").click()
    expect(told(page).first).to_contain_text("Moved to Planned. 5 people will hear about it.")

    page.goto(f"/ideas/{idea.id}")
    expect(page.get_by_role("region", name="Official answer")).to_contain_text("Springs come with the summer map.")
    expect(page.locator("[aria-current=step]")).to_contain_text("Planned")
    expect(page.get_by_text("expected June")).to_be_visible()


def test_a_manager_declines_with_reasons(come, scripts, manager):
    idea, page = make_idea(OLD), come(manager)

    page.goto(f"/triage/first-look/{idea.id}")
    choose(page, scripts, "Declined")
    form = page.locator("#form-declined")
    form.get_by_label("Why not", exact=True).fill("Nobody tells us when a spring dries out.")
    form.get_by_label("Reason from the list").select_option("It costs more than it gives")
    form.get_by_role("button", name="Publish, tell 1 person").click()
    expect(form.get_by_label("What would change our mind")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_label("Why not", exact=True)).to_have_value("Nobody tells us when a spring dries out.")
    form.get_by_label("What would change our mind").fill("A source that is kept up to date.")
    form.get_by_role("button", name="Publish, tell 1 person").click()
    expect(told(page).first).to_contain_text("That was the last one.")

    page.goto(f"/ideas/{idea.id}")
    answer = page.get_by_role("region", name="Official answer")
    expect(answer).to_contain_text("Nobody tells us when a spring dries out.")
    expect(answer).to_contain_text("A source that is kept up to date.")
    expect(answer).to_contain_text("It costs more than it gives.")
    expect(page.locator(".idea .vote--closed")).to_contain_text("Voting is closed.")


def test_a_manager_merges_after_a_preview_and_takes_it_back(come, manager, settle):
    main, second = make_idea(OLD), make_idea("Show springs and wells on the map")
    both = make_votes(main, 2)[0]
    with transaction(wake=False):
        service.cast_vote(second, both)
    settle()
    page = come(manager)

    page.goto(f"/triage/first-look/{second.id}")
    page.get_by_role("link", name=re.compile(f"Merge into this.*{OLD}")).click()
    expect(page.get_by_role("heading", name="Are these the same idea?")).to_be_visible()
    expect(page.locator(".after__sum")).to_have_text("4 votes")
    expect(page.get_by_text("2 only on the first, 1 only on the second, 1 on both")).to_be_visible()
    page.get_by_label("What they read").fill("Wells are springs to us.")
    page.get_by_role("button", name="Merge, tell 2 people").click()
    expect(told(page).first).to_contain_text(f"Joined with “{OLD}”.")

    page.goto(f"/ideas/{second.id}")
    page.get_by_role("main").get_by_role("link", name=OLD, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(OLD)
    expect(page.get_by_text("4 people want this")).to_be_visible()

    page.goto(f"/ideas/{second.id}")
    page.get_by_role("link", name="Open in triage").click()
    page.get_by_label("Why the merge is taken back").fill("Wells are private, springs are not.")
    page.get_by_role("button", name="Undo the merge").click()
    expect(told(page).first).to_contain_text("The merge is taken back.")
    look_again()
    assert (main.votes, second.votes, second.status) == (3, 2, Status.NEW)


def test_an_undo_at_hand_takes_the_last_act_back(come, manager):
    idea, page = make_idea(OLD), come(manager)

    page.goto(f"/triage/first-look/{idea.id}")
    page.get_by_role("button", name="To me").click()
    page.locator("#notices").get_by_role("button", name="Undo").click()

    expect(told(page).first).to_contain_text("Nobody is responsible any more.")


def test_whoever_comes_second_sees_the_fresh_state_and_keeps_what_was_typed(come, scripts, manager):
    idea = make_idea(OLD)
    slow, quick = come(manager), come(make_user(Role.PM, name="Quentin"))
    for page in (slow, quick):
        page.goto(f"/triage/first-look/{idea.id}")

    choose(slow, scripts, "Already available")
    slow.locator("#form-available").get_by_label("How to reach it today").fill("Layers, then water.")
    choose(quick, scripts, "Under review")
    quick.locator("#form-under_review").get_by_role("button", name=re.compile("^Move")).click()
    expect(told(quick).first).to_contain_text("Moved to Under review.")
    slow.locator("#form-available").get_by_role("button", name=re.compile("^Publish")).click()

    expect(slow.get_by_role("alert").first).to_contain_text("Somebody moved this to Under review meanwhile.")
    expect(slow.locator("#desk dd").first).to_contain_text("Under review")
    expect(slow.locator("#form-available").get_by_label("How to reach it today")).to_have_value("Layers, then water.")
    look_again()
    assert idea.status is Status.UNDER_REVIEW
    slow.locator("#form-available").get_by_role("button", name=re.compile("^Publish")).click()
    expect(told(slow).first).to_contain_text("Moved to Already available.")
    look_again()
    assert db.session.scalars(select(Answer.idea_id)).all() == [idea.id]
