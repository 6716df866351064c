"""The story by keyboard alone: the focus is always to be seen, and lands where it helps after what has changed."""

from datetime import timedelta

from playwright.sync_api import expect

from portal.accounts.roles import Role
from portal.db import utcnow
from portal.ideas.workflow import Status
from tests.factories import make_board, make_idea, make_user
from tests.journeys.steps import look_again, told, vote_button

MAPS, WATER, SIGNS = "Download maps to use them without network", "Mark springs on the map", "Report a missing signpost"

SEEN = """() => {
    const here = document.activeElement, box = here.getBoundingClientRect();
    if (here === document.body) return "the focus is nowhere";
    const ringed = (element) => element && getComputedStyle(element).outlineStyle !== "none";
    if (![here, here.parentElement].some(ringed)) return "no ring: " + here.outerHTML.slice(0, 150);
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height, 40) / 2);
    const covered = !hit || !(here.contains(hit) || hit.contains(here) || here.labels?.[0]?.contains(hit));
    return covered ? "covered: " + here.outerHTML.slice(0, 150) + " by " + hit?.outerHTML.slice(0, 150) : "";
}"""


def test_a_member_shares_an_idea_by_keyboard(open_page, settle):
    make_board("Planning")
    make_idea(MAPS)
    settle()
    page = open_page(make_user(name="Noor"))

    page.goto("/")
    tab_to(page, page.get_by_role("link", name="Skip to content"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("What would make"))
    page.keyboard.type("Use maps without network")
    found = page.get_by_role("region", name="Is it one of these?")
    expect(found).to_be_visible()
    expect(page.get_by_label("What would make")).to_be_focused()
    tab_to(page, vote_button(found, MAPS))
    page.keyboard.press("Space")
    expect(vote_button(found, MAPS)).to_have_attribute("aria-pressed", "true")
    expect(vote_button(found, MAPS)).to_be_focused()

    page.goto("/")
    tab_to(page, page.get_by_label("What would make"))
    page.keyboard.type("Warn me of thunderstorms")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("What happens today"))
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    tab_to(page, page.get_by_role("alert").get_by_role("link"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("What happens today")).to_be_focused()
    page.keyboard.type("I look at three weather sites every morning.")
    tab_to(page, page.get_by_role("button", name="Post idea"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Warn me of thunderstorms")


def test_a_member_takes_part_by_keyboard(open_page):
    idea, page = make_idea(WATER), open_page(make_user(name="Noor"))

    page.goto("/")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search ideas")).to_be_focused()
    tab_to(page, page.get_by_role("link", name=WATER, exact=True))
    page.keyboard.press("Enter")
    tab_to(page, vote_button(page, WATER))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="2 votes. Vote for")).to_be_focused()
    tab_to(page, page.get_by_label("Add to the discussion"))
    page.keyboard.type("Cattle troughs help as well.")
    page.keyboard.press("Control+Enter")
    expect(told(page).first).to_contain_text("Posted.")
    tab_to(page, page.get_by_role("link", name="Delete"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Delete comment"))
    page.keyboard.press("Enter")
    expect(told(page).first).to_contain_text("The comment is gone.")
    tab_to(page, page.get_by_role("button", name="Following"))
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Follow “")).to_be_focused()

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Follow “")).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="What would make")).to_be_visible()
    look_again()
    assert (idea.votes, idea.comments) == (2, 0)


def test_the_team_decides_by_keyboard(open_page):
    oldest = make_idea(MAPS, at=utcnow() - timedelta(days=9))
    second = make_idea(WATER, at=utcnow() - timedelta(days=5))
    make_idea(SIGNS, at=utcnow() - timedelta(days=1))
    page = open_page(make_user(Role.PM, name="Petra"))
    row = page.get_by_role("list", name="Ideas in this queue").get_by_role("link")
    desk = page.locator("#desk")

    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(row).to_have_count(3)
    tab_to(page, row.first)
    page.keyboard.press("j")
    expect(row.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(row.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(desk).to_be_focused()
    expect(desk.get_by_role("heading", name=MAPS)).to_be_visible()
    page.keyboard.press("Escape")
    expect(row.first).to_be_focused()
    page.keyboard.press("o")
    expect(desk).to_be_focused()

    page.keyboard.press("i")
    expect(told(page).first).to_contain_text("Assigned to Petra.")
    expect(desk.locator("dd", has_text="Petra")).to_be_visible()
    expect(desk).to_be_focused()
    tab_to(page, desk.locator("#pick-tags"))
    page.keyboard.press("Enter")
    expect(desk.get_by_label("Find or add a tag")).to_be_focused()
    page.keyboard.type("paper")
    page.keyboard.press("Enter")
    expect(told(page).first).to_contain_text("Tags saved.")
    expect(desk.locator("#pick-tags")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row.first).to_be_focused()
    page.keyboard.press("o")
    expect(desk).to_be_focused()
    page.keyboard.press("s")
    expect(page.get_by_label("Find a status")).to_be_focused()
    page.keyboard.type("under")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Move to")).to_have_value("under_review")
    expect(page.get_by_role("combobox", name="Who looks at it")).to_be_focused()
    tab_to(page, page.locator("#form-under_review").get_by_role("button", name="Move, tell 1 person"))
    page.keyboard.press("Enter")
    expect(told(page).first).to_contain_text("Moved to Under review.")
    expect(desk).to_be_focused()
    expect(desk.get_by_role("heading", name=WATER)).to_be_visible()

    page.keyboard.press("s")
    page.keyboard.type("decl")
    page.keyboard.press("Enter")
    page.keyboard.type("Nobody tells us when a spring dries out.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    tab_to(page, page.locator("#form-declined").get_by_label("Reason from the list"))
    page.keyboard.press("F")  # for Few people need it
    tab_to(page, page.locator("#form-declined").get_by_label("What would change our mind"))
    page.keyboard.type("A source that is kept up to date.")
    page.keyboard.press("Control+Enter")
    expect(told(page).first).to_contain_text("Moved to Declined.")
    expect(desk.get_by_role("heading", name=SIGNS)).to_be_visible()
    look_again()
    assert (oldest.status, second.status) == (Status.UNDER_REVIEW, Status.DECLINED)


def tab_to(page, place):
    """Press Tab until the focus is there; on the way it must always be to be seen."""
    expect(place.first).to_be_visible()
    for _ in range(90):
        page.keyboard.press("Tab")
        assert not (fault := page.evaluate(SEEN)), fault
        if place.first.evaluate("place => place === document.activeElement"):
            return
    raise AssertionError(f"the focus never comes to {place}")
