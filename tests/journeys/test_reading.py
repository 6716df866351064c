"""A visitor reads: the board in all its orders, an idea, what a search finds; and nothing that is not for visitors."""

import re

from playwright.sync_api import expect

from portal.ideas import moves
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_user
from tests.journeys.steps import pick, rows

WATER, HUTS, SIGNS = "Mark springs on the map", "Book a bunk in mountain huts", "Report a missing signpost"


def test_a_visitor_sorts_and_filters_the_board(come):
    planning, walking, author = make_board("Planning"), make_board("On the way"), make_user(name="Ines")
    make_idea(HUTS, author=author, board=planning, votes=3, status=Status.PLANNED)
    springs = make_idea(WATER, author=author, board=walking, votes=9)
    make_idea(SIGNS, author=author, board=walking, votes=1)
    with transaction(wake=False):
        moves.set_tags(springs, ["water"], author)
    page = come()

    page.goto("/")
    expect(rows(page)).to_have_text([WATER, HUTS, SIGNS])

    page.get_by_role("navigation", name="Sort ideas").get_by_role("link", name="New").click()
    expect(rows(page)).to_have_text([SIGNS, WATER, HUTS])
    expect(page).to_have_url(re.compile("sort=new"))

    pick(page, "board", "On the way")
    expect(rows(page)).to_have_text([SIGNS, WATER])
    expect(page).to_have_url(re.compile("/boards/on-the-way.*sort=new"))

    pick(page, "tag", "water")
    expect(rows(page)).to_have_text([WATER])

    page.goto("/")
    pick(page, "status", "Planned")
    expect(rows(page)).to_have_text([HUTS])
    pick(page, "status", "Declined")
    expect(page.get_by_text("No idea is like that right now.")).to_be_visible()


def test_a_visitor_goes_on_to_older_ideas(come, scripts):
    author = make_user()
    titles = [make_idea(f"Add walk number {number}", author=author, votes=50 - number).title for number in range(23)]
    page = come()

    page.goto("/")
    expect(rows(page)).to_have_text(titles[:20])
    page.get_by_role("link", name="Show more ideas").click()

    expect(page).to_have_url(re.compile("after="))
    expect(rows(page)).to_have_text(titles if scripts else titles[20:])
    expect(page.get_by_role("link", name="Show more ideas")).to_have_count(0)
    if scripts:
        expect(rows(page).nth(20).get_by_role("link")).to_be_focused()
        expect(page.locator("#live")).to_have_text("3 more")
        page.reload()  # the address is that of the second page
        expect(rows(page)).to_have_text(titles[20:])


def test_a_visitor_reads_an_idea_and_finds_it_by_search(come, scripts, settle):
    idea = make_idea(WATER, need="I carry *four* litres because I never know.", votes=9)
    make_comment(idea, body="Cattle troughs would help as well.")
    settle()
    page = come()

    page.goto("/")
    page.get_by_role("link", name=WATER, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(WATER)
    expect(page.locator(".idea__text em")).to_have_text("four")
    expect(page.get_by_role("list", name="Progress of this idea").locator("[aria-current=step]")).to_contain_text("New")
    expect(page.get_by_role("heading", name="1 comment")).to_be_visible()

    page.get_by_role("searchbox", name="Search ideas").fill("troughs")
    page.keyboard.press("Enter")
    expect(page.locator(".search__count")).to_have_text("1 idea")
    expect(rows(page)).to_have_text([WATER])
    expect(page.locator(".search__hit mark")).to_have_text("troughs")

    box = page.get_by_role("searchbox", name="Search ideas")
    box.fill("hovercraft")
    if not scripts:
        box.press("Enter")
    expect(page).to_have_url(re.compile("q=hovercraft"))
    expect(page.get_by_text("No idea matches “hovercraft”.")).to_be_visible()
    expect(page.get_by_role("link", name="Share it as an idea")).to_be_visible()


def test_what_is_not_for_visitors_does_not_exist_for_them(come):
    author = make_user(name="Ines")
    unseen = [make_idea(title, author=author, publication=state) for title, state in NOT_FOR_VISITORS.items()]
    page, own = come(), come(author)

    for idea in unseen:
        assert page.goto(f"/ideas/{idea.id}").status == 404
        expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.goto("/?status=all&sort=new")

    expect(rows(page)).to_have_count(0)
    assert own.goto(f"/ideas/{unseen[0].id}").status == 200
    expect(own.get_by_text("This idea waits for a moderator.")).to_be_visible()


NOT_FOR_VISITORS = {
    "Held by a moderator": Publication.HELD,
    "Hidden by a moderator": Publication.HIDDEN,
    "Taken back by its author": Publication.REMOVED,
}
