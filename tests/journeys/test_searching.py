"""People find what was said before: by words, by limits, and what comes later by searches that they keep."""

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


def test_a_search_is_narrowed_by_facets_and_by_what_is_typed(come, scripts, settle):
    ines, noor = make_user(name="Ines"), make_user(name="Noor")
    planning, walking = make_board("Planning"), make_board("On the way")
    make_comment(make_idea(WATER, author=ines, board=walking), body="A lost flask taught me.")
    old = utcnow() - timedelta(days=400)
    make_idea(HUTS, author=ines, board=planning, need="I lost my booking.", status=Status.PLANNED)
    make_idea(SIGNS, author=noor, board=walking, need="I got lost there.", at=old)
    settle()
    page = come(make_user())

    page.goto("/search?q=lost")
    expect(rows(page)).to_have_count(3)
    narrow = page.get_by_role("complementary", name="Narrow it down")
    narrow.get_by_role("link", name="Planned 1").click()
    expect(rows(page)).to_have_text([HUTS])
    expect(page.get_by_role("searchbox")).to_have_value("lost status:planned")
    page.get_by_role("link", name="Take away Status: planned").click()
    narrow.get_by_role("link", name="On the way 2").click()
    expect(rows(page)).to_have_count(2)

    page.get_by_role("searchbox").fill("lost author:ines -signpost after:2020 -is:decided")
    if not scripts:
        page.get_by_role("main").get_by_role("button", name="Search").click()
    expect(rows(page)).to_have_text([WATER])
    expect(page.locator(".search__hit")).to_contain_text("In a comment: A lost flask taught me.")
    assert "author" in page.url
    if scripts:
        expect(page.locator("#live")).to_have_text("1 idea")


def test_what_was_meant_is_found_and_the_page_says_so(come, settle):
    make_idea(WATER)
    make_idea("Springs in summer")
    settle()
    page = come(make_user())

    page.goto("/search?q=sprimgs")
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_text("Showing results for springs")).to_be_visible()
    page.get_by_role("link", name="Search for “sprimgs” instead").click()

    expect(page.get_by_role("heading", name="No idea matches “sprimgs”.")).to_be_visible()


def test_the_team_keeps_a_search_and_hears_of_a_new_idea(come, settle):
    make_idea(WATER)
    settle()
    page = come(make_user(Role.OBSERVER))

    page.goto("/search?q=springs+status:new")
    page.get_by_text("Keep this search").click()
    page.get_by_label("Name").fill("Where to drink")
    page.get_by_label("Alert about new ideas").select_option(label="In my inbox, at once")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#notices")).to_contain_text("Kept as “Where to drink”")
    make_idea("Taste of springs")
    settle()

    page.goto("/inbox")
    expect(page.locator(".news-row__why")).to_contain_text("1 new idea for your search “Where to drink”")
    page.get_by_role("button", name="Taste of springs", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Taste of springs")
    page.goto("/search/saved")
    page.get_by_role("button", name="Delete Where to drink").click()
    expect(page.get_by_role("heading", name="You keep no search yet.")).to_be_visible()


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
