"""The team finds what was said before: in titles, texts, comments, answers and wording that was merged away."""

from datetime import timedelta

from playwright.sync_api import expect

from portal.accounts.roles import Role
from portal.db import utcnow
from portal.ideas import moves
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_user
from tests.journeys.steps import rows

WATER, HUTS, SIGNS = "Mark springs on the map", "Book a bunk in mountain huts", "Report a missing signpost"


def test_the_team_narrows_a_search_to_a_status_a_board_an_author_and_a_time(come, scripts, settle):
    manager, ines, noor = make_user(Role.PM), make_user(name="Ines"), make_user(name="Noor")
    planning, walking = make_board("Planning"), make_board("On the way")
    make_comment(make_idea(WATER, author=ines, board=walking), body="A lost flask taught me.")
    old = utcnow() - timedelta(days=400)
    make_idea(HUTS, author=ines, board=planning, need="I lost my booking.", status=Status.PLANNED)
    make_idea(SIGNS, author=noor, board=walking, need="I got lost there.", at=old)
    settle()
    page = come(manager)

    page.goto("/search?q=lost")
    expect(rows(page)).to_have_count(3)
    narrow = page.get_by_role("complementary", name="Narrow it down")
    narrow.get_by_role("link", name="Planned 1").click()
    expect(rows(page)).to_have_text([HUTS])
    narrow.get_by_role("link", name="Any").first.click()
    narrow.get_by_role("link", name="On the way 2").click()
    expect(rows(page)).to_have_count(2)

    page.get_by_label("Author").fill("Noor")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    expect(rows(page)).to_have_text([SIGNS])

    page.get_by_label("Author").fill("")
    page.get_by_label("From").fill((utcnow() - timedelta(days=30)).date().isoformat())
    page.get_by_role("main").get_by_role("button", name="Search").click()
    expect(rows(page)).to_have_text([WATER])
    expect(page.locator(".search__hit")).to_contain_text("In a comment: A lost flask taught me.")


def test_wording_that_was_merged_away_leads_to_the_main_idea(come, settle):
    manager, main = make_user(Role.PM), make_idea(WATER)
    second = make_idea("Where can I refill my flask?")
    with transaction():
        moves.move_idea(second, Status.MERGED, manager, MoveDetails(into=main))
    settle()
    page = come(manager)

    page.goto("/")
    page.get_by_role("searchbox", name="Search ideas").fill("flask")
    page.keyboard.press("Enter")

    found = page.get_by_role("article").filter(has=page.get_by_role("link", name=WATER, exact=True))
    expect(found.locator(".search__hit")).to_contain_text("In a merged idea: Where can I refill my flask?")


def test_members_find_the_same_without_the_fields_of_the_team(come, settle):
    make_idea(WATER)
    settle()
    page = come(make_user())

    page.goto("/search?q=springs&author=Nobody")

    expect(rows(page)).to_have_text([WATER])
    expect(page.get_by_label("Author")).to_have_count(0)
