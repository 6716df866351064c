"""What becomes of ideas, in front of everybody: a manager plans on the roadmap and tells what came out."""

import re

import pytest
from playwright.sync_api import expect

from portal.accounts.roles import Role
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.workflow import Status
from portal.roadmap import service as roadmap
from portal.roadmap.models import Horizon
from portal.roadmap.service import Spot
from portal.transactions import transaction
from tests.factories import make_idea, make_user, make_votes
from tests.journeys.steps import look_again, told

SPRINGS, HUTS = "Mark springs on the map", "Show which huts are open"


@pytest.fixture
def manager():
    return make_user(Role.PM, name="Petra", team="Product team")


@pytest.fixture
def theme(manager):
    with transaction(wake=False):
        return roadmap.add_theme("Out of signal", "Before you leave.", manager)


def cell(page, theme, column):
    """One cell of the roadmap."""
    row = page.get_by_role("row").filter(has=page.get_by_role("heading", name=theme))
    return row.locator(f'[data-col="{column}"]')


def test_a_manager_plans_by_the_form_and_voters_hear_only_when_they_are_meant_to(come, manager, theme, settle):
    quiet, loud = (make_idea(title, status=Status.PLANNED) for title in (SPRINGS, HUTS))
    voter = make_votes(loud, 1)[0]
    numbers = quiet.id, loud.id
    page, reader = come(manager), come(voter)

    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Roadmap").click()
    page.get_by_role("link", name=f"Move: {SPRINGS}").click()
    page.get_by_role("radio", name="Now Being built").check()
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Say whether its status changes too.")
    status = page.get_by_role("radiogroup", name="And its status, under Now?")
    status.get_by_label("Leave it at Planned. It is only placed here, and nobody is told.").check()
    page.get_by_label("Theme").select_option("Out of signal")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(told(page).first).to_contain_text("Now under Now in “Out of signal”. Nobody is told.")
    expect(cell(page, "Out of signal", "Now")).to_contain_text("Planned")

    page.locator("#notices").get_by_role("button", name="Undo").click()
    expect(cell(page, "Everything else", "Next")).to_contain_text(SPRINGS)

    page.get_by_role("link", name=f"Move: {HUTS}").click()
    page.get_by_role("radio", name="Now Being built").check()
    page.get_by_label("Move it to In progress too. 2 people hear of it.").check()
    page.get_by_label("What people should know").fill("The wardens answer us.")
    page.get_by_label("When to expect it").fill("June")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(told(page).first).to_contain_text("Moved to In progress. 2 people will hear about it.")
    expect(cell(page, "Everything else", "Now")).to_contain_text("June")

    settle()
    reader.goto("/inbox")
    expect(reader.get_by_role("main")).to_contain_text("The wardens answer us.")
    look_again()
    assert [db.session.get_one(Idea, number).status for number in numbers] == [Status.PLANNED, Status.IN_PROGRESS]


def test_a_manager_plans_by_keys_and_by_dragging(open_page, manager, theme):
    idea = make_idea(SPRINGS, status=Status.PLANNED)
    with transaction(wake=False):
        roadmap.place_idea(make_idea(HUTS, status=Status.IN_PROGRESS), Spot(theme.id, Horizon.NOW), manager)
    page = open_page(manager)

    page.goto("/roadmap")
    page.get_by_role("link", name=SPRINGS, exact=True).focus()
    page.keyboard.press("[")
    expect(told(page).first).to_contain_text("Now under Next in “Out of signal”. Nobody is told.")
    page.keyboard.press("u")
    expect(cell(page, "Everything else", "Next")).to_contain_text(SPRINGS)

    page.get_by_role("listitem").filter(has_text=SPRINGS).drag_to(cell(page, "Out of signal", "Next"))
    expect(cell(page, "Out of signal", "Next")).to_contain_text(SPRINGS)
    look_again()
    assert roadmap.spot_of(idea) == Spot(theme.id, Horizon.NEXT)

    page.get_by_role("link", name=SPRINGS, exact=True).focus()
    page.keyboard.press("3")
    expect(page.get_by_role("heading", level=1)).to_have_text("Move on the roadmap")
    expect(page.get_by_role("radio", name="Later")).to_be_checked()
    expect(page.get_by_label("Why not now")).to_be_hidden()
    status = page.get_by_role("radiogroup", name="And its status, under Later?")
    status.get_by_label(re.compile("^Leave it at Planned")).check()
    page.keyboard.press("Enter")
    expect(cell(page, "Out of signal", "Later")).to_contain_text(SPRINGS)
    look_again()
    assert (roadmap.spot_of(idea).horizon, idea.status) == (Horizon.LATER, Status.PLANNED)


def test_an_entry_ships_two_ideas_and_thanks_by_name_whoever_agrees(come, manager, settle):
    author = make_user(name="Ines")
    first = make_idea(SPRINGS, author=author, status=Status.PLANNED)
    make_idea(HUTS, status=Status.IN_PROGRESS)
    voter = make_votes(first, 1)[0]
    page, hers, his = come(manager), come(author), come(voter)

    page.goto("/changelog")
    page.get_by_role("link", name="Write an entry").click()
    page.get_by_label("What came out").fill("Springs and huts, on every map")
    page.get_by_label("What people can do now, and how").fill("Switch on **Water**.")
    for title in (SPRINGS, HUTS):
        page.get_by_role("checkbox", name=title).check()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="This is how people will read it")).to_contain_text("Switch on Water.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Move it to Shipped, tell 2 people.")).to_be_visible()
    expect(page.get_by_text("Move it to Shipped, tell 1 person.")).to_be_visible()
    page.get_by_role("button", name="Publish now").click()
    expect(told(page).first).to_contain_text("2 ideas are Shipped now. 3 people will hear about it.")
    expect(page.get_by_role("article")).to_contain_text("asked for by 3 people")
    expect(page.get_by_role("article")).to_contain_text("Thank you: 2 members")

    settle()
    his.goto("/inbox")
    his.get_by_role("button", name=SPRINGS).first.click()
    expect(his.get_by_role("region", name="Official answer")).to_contain_text("Switch on Water.")
    his.get_by_role("link", name="Springs and huts, on every map").click()
    expect(his.get_by_role("article")).not_to_contain_text("Ines")

    hers.goto("/inbox")
    question = hers.get_by_role("listitem").filter(has_text="We would like to thank you by name")
    question.get_by_role("button", name=SPRINGS).first.click()
    hers.get_by_role("button", name="Yes, name me").click()
    expect(told(hers).first).to_contain_text("The entry names you now.")

    his.reload()
    expect(his.get_by_role("article")).to_contain_text("Ines suggested it")
    his.goto("/roadmap")
    expect(his.get_by_role("region", name="Shipped lately")).to_contain_text("First suggested by Ines")
