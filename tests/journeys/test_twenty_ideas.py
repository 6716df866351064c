"""Twenty new ideas are triaged without a pointer, each kind of act is taken back once, and every key is counted."""

import re
import time
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.ideas.models import Idea
from portal.ideas.workflow import Status
from tests.factories import make_board, make_idea, make_user
from tests.journeys.steps import look_again, told

DAY = timedelta(days=1)
TWINS = ("Warn me before the last bus leaves", "Let my partner follow me on a map", "Dim the screen while it is dark")
REVIEWED, ASKED, DECLINED = range(7), range(7, 11), range(14, 17)
SUBJECTS = (
    *("Huts", "Springs", "Ferries", "Trains", "Batteries", "Photos", "Tracks", "Weather", "Snow", "Dogs", "Bicycles"),
    *("", "", "", "Printing", "Sounds", "Sharing", "Watches", "Languages", "Maps"),
)


class Keyboard:
    """The only way to this page: keys, counted; letters of words that people read are counted apart."""

    def __init__(self, page):
        self.page, self.keys, self.letters, self.began = page, 0, 0, time.perf_counter()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        self.keys += len(keys)

    def pick(self, key, typed):
        """Open a list by its key, type until it is found, and take it."""
        self.press(key)
        expect(self.page.locator("[data-pick][open] [data-filter]")).to_be_focused()
        self.press(*typed, "Enter")

    def write(self, text):
        self.page.keyboard.type(text)
        self.letters += len(text)

    def hear(self, *sentences):
        for sentence in sentences:
            expect(told(self.page).first).to_contain_text(sentence)
        self.page.wait_for_load_state()  # scripts wait for the whole page


@pytest.fixture
def twenty(app, settle):
    app.config["FOLD_MINUTES"] = 15
    now, board = utcnow(), make_board("Walks")
    make_board("Safety")
    for title in TWINS:
        make_idea(title, board=board, at=now - 60 * DAY, status=Status.PLANNED, need=f"{title}, please, every day.")
    ids = []
    for number, subject in enumerate(SUBJECTS):
        title = TWINS[number - 11] if 11 <= number < 14 else f"{subject} should be easier to find"
        need = f"{title}, please, every day." if 11 <= number < 14 else f"I never find {subject}."
        ids.append(make_idea(title, board=board, at=now - (30 - number) * timedelta(hours=6), need=need).id)
    settle()
    return ids


def test_twenty_ideas_are_triaged_by_keyboard_alone(open_page, twenty, record_property):
    page = open_page(make_user(Role.PM, name="Petra"))
    keys = Keyboard(page)
    title = page.locator("#desk-heading")

    def at(number):
        look_again()
        expect(title).to_have_text(db.session.get_one(Idea, twenty[number]).title)

    page.goto("/triage/first-look")
    keys.began = time.perf_counter()
    for number in REVIEWED:
        at(number)
        keys.press("i")
        keys.hear("Assigned to Petra.")
        keys.pick("l", "huts" if number == 0 else "hu")
        keys.hear("Tags saved.")
        keys.pick("s", "und")
        keys.press("Control+Enter")
        keys.hear("Moved to Under review.")
        if number == 0:  # taken back one after the other, and done again
            keys.press("u")
            keys.hear("Taken back")
            at(0)
            keys.pick("l", "hu")
            keys.hear("Tags saved.")
            keys.press("u")
            keys.hear("Tags saved.")
            keys.pick("s", "und")
            keys.press("Control+Enter")
            keys.hear("Moved to Under review.")
    for number in ASKED:
        at(number)
        keys.pick("s", "nee")
        keys.write("Which of them, and where were you?")
        keys.press("Control+Enter")
        keys.hear("Moved to Needs info.")
    for number in range(11, 14):
        at(number)
        keys.press("m")
        expect(page.get_by_role("heading", name="Are these the same idea?")).to_be_visible()
        keys.press("m")
        keys.hear("Joined with “")
        if number == 11:
            keys.press("u")
            keys.hear("The merge is taken back.")
            keys.press("m")
            expect(page.get_by_role("heading", name="Are these the same idea?")).to_be_visible()
            keys.press("m")
            keys.hear("Joined with “")
    for number in DECLINED:
        at(number)
        keys.pick("s", "dec")
        decline(keys)
        keys.hear("Moved to Declined.")
    at(17)
    keys.pick("h", "mon")
    keys.hear("Snoozed until")
    keys.press("u")
    keys.hear("Back in your queues.")
    keys.pick("h", "mon")
    keys.hear("Snoozed until")
    at(18)
    keys.pick("b", "saf")
    keys.hear("Now on the board Safety.")
    keys.press("u")
    keys.hear("Now on the board Walks.")
    keys.press("e")
    keys.hear("Done.")
    keys.press("u")
    keys.hear("Back in the queue.")
    keys.press("e")
    at(19)
    keys.press("e")
    keys.hear("That was the last one.")

    for queue in ("snoozed", "team", "mine"):
        keys.press("[")
        page.wait_for_url(re.compile(f"/triage/{queue}"))
    for _ in range(3):
        keys.pick("s", "pla")
        keys.write("We build it this summer.")
        keys.press("Control+Enter")
        keys.hear("Moved to Planned.")
        keys.press("e")
        keys.hear("Done.")
    seconds = time.perf_counter() - keys.began
    record_property("keys", keys.keys)
    record_property("letters", keys.letters)
    record_property("seconds", round(seconds))
    print(f"twenty ideas: {keys.keys} keys, {keys.letters} letters of answers, {seconds:.0f} seconds")

    look_again()
    statuses = [db.session.get_one(Idea, number).status for number in twenty]
    assert sorted(statuses[number] for number in REVIEWED) == [Status.PLANNED] * 3 + [Status.UNDER_REVIEW] * 4
    assert {statuses[number] for number in ASKED} == {Status.NEEDS_INFO}
    assert {statuses[number] for number in range(11, 14)} == {Status.MERGED}
    assert {statuses[number] for number in DECLINED} == {Status.DECLINED}
    assert statuses[17:] == [Status.NEW] * 3
    assert keys.keys < 250


def decline(keys):
    """Answer, choose a reason, skip the evidence, name what would change our mind."""
    keys.write("Nobody could keep this right from day to day.")
    keys.press("Tab", "ArrowDown", "Tab", "Tab")
    keys.write("A source that is kept up to date.")
    keys.press("Control+Enter")


def test_each_act_and_its_undo_work_without_javascript_by_keyboard(open_page, twenty):
    page = open_page(make_user(Role.PM, name="Petra"), javascript=False)
    desk, notices = page.locator("#desk"), page.locator("#notices")

    def enter(button, within=desk):
        within.get_by_role("button", name=button, exact=True).first.press("Enter")

    def undo(sentence):
        enter("Undo", notices)
        expect(notices).to_contain_text(sentence)

    def open_list(name):
        desk.locator(f"#pick-{name}").press("Enter")

    page.goto("/triage/first-look")
    first = page.locator("#desk-heading").inner_text()
    open_list("owner")
    enter("Petra")
    expect(notices).to_contain_text("Assigned to Petra.")
    undo("Nobody is responsible any more.")
    open_list("tags")
    desk.get_by_label("Find or add a tag").fill("huts")
    desk.get_by_label("Find or add a tag").press("Enter")
    expect(notices).to_contain_text("Tags saved.")
    undo("Tags saved.")
    open_list("board")
    enter("Safety")
    expect(notices).to_contain_text("Now on the board Safety.")
    undo("Now on the board Walks.")
    open_list("snooze")
    enter(re.compile("^Next Monday"))
    expect(notices).to_contain_text("Snoozed until")
    undo("Back in your queues.")
    enter(re.compile("^Done"))
    expect(notices).to_contain_text("Done.")
    undo("Back in the queue.")
    expect(page.locator("#desk-heading")).to_have_text(first)
    open_list("status")
    desk.get_by_role("link", name=re.compile("Needs info")).first.press("Enter")
    form = page.locator("#form-needs_info")
    form.get_by_role("textbox").first.fill("Which of them, and where were you?")
    form.get_by_role("button", name=re.compile("^Publish")).press("Enter")
    expect(notices).to_contain_text("Moved to Needs info.")
    undo("Taken back.")

    look_again()
    idea = db.session.get_one(Idea, twenty[0])
    assert (idea.status, idea.owner_id, idea.tags, idea.board.name) == (Status.NEW, None, [], "Walks")
