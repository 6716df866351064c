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
        if number == 0:
            keys.press("u")
            keys.hear("Nobody is responsible any more.")
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
        if number == 7:
            keys.press("u")
            keys.hear("Taken back.")
            at(7)
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
        if number == 14:
            keys.press("u")
            keys.hear("Taken back.")
            at(14)
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
    for place in range(3):
        for again in (False, True) if place == 0 else (True,):
            keys.pick("s", "pla")
            keys.write("We build it this summer.")
            keys.press("Control+Enter")
            keys.hear("Moved to Planned.")
            if not again:
                keys.press("u")
                keys.hear("Taken back.")
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
    assert keys.keys < 280


def decline(keys):
    """Answer, choose a reason, skip the evidence, name what would change our mind."""
    keys.write("Nobody could keep this right from day to day.")
    keys.press("Tab", "ArrowDown", "Tab", "Tab")
    keys.write("A source that is kept up to date.")
    keys.press("Control+Enter")


def test_twenty_ideas_are_triaged_without_javascript_and_each_act_is_taken_back_once(open_page, twenty):
    page = open_page(make_user(Role.PM, name="Petra"), javascript=False)
    desk, notices, done = page.locator("#desk"), page.locator("#notices"), set()

    def enter(button, within=desk):
        within.get_by_role("button", name=button, exact=isinstance(button, str)).first.press("Enter")

    def heard(act, sentence, taken_back):
        """Hear what was done; the first time take it back, hear that, and say that it has to be done again."""
        expect(notices).to_contain_text(sentence)
        again = act not in done
        if again:
            done.add(act)
            enter("Undo", notices)
            expect(notices).to_contain_text(taken_back)
        return again

    def twice(act, what, sentence, taken_back="Taken back."):
        what()
        if heard(act, sentence, taken_back):
            what()
            expect(notices).to_contain_text(sentence)

    def pick(name, choose):
        desk.locator(f"#pick-{name}").press("Enter")
        choose()

    def tag():
        desk.get_by_label("Find or add a tag").fill("huts")
        desk.get_by_label("Find or add a tag").press("Enter")

    def move(status, because=False, **said):
        form = page.locator(f"#form-{status}")
        for name, words in said.items():
            form.locator(f"[name={status}-{name}]").fill(words)
        if because:
            form.locator(f"[name={status}-because]").select_option(index=1)
        form.locator(".reply__send").press("Enter")

    def merge():
        desk.get_by_role("link", name=re.compile("^Merge into this")).first.press("Enter")
        enter(re.compile("^Merge"), page.get_by_role("main"))

    def decline():
        move("declined", because=True, answer="Nobody could keep this right.", reversal="A source that is kept right.")

    page.goto("/triage/first-look")
    for _number in REVIEWED:
        twice("assign", lambda: pick("owner", lambda: enter("Petra")), "Assigned to Petra.", "Nobody is responsible")
        twice("tag", lambda: pick("tags", tag), "Tags saved.", "Tags saved.")
        twice("review", lambda: move("under_review"), "Moved to Under review.")
    for _number in ASKED:
        twice("ask", lambda: move("needs_info", answer="Which of them, and where were you?"), "Moved to Needs info.")
    for _number in range(11, 14):
        twice("merge", merge, "Joined with “", "The merge is taken back.")
    for _number in DECLINED:
        twice("decline", decline, "Moved to Declined.")
    twice(
        "snooze", lambda: pick("snooze", lambda: enter(re.compile("^Next Monday"))), "Snoozed", "Back in your queues."
    )
    twice(
        "board", lambda: pick("board", lambda: enter("Safety")), "Now on the board Safety.", "Now on the board Walks."
    )
    twice("done", lambda: enter(re.compile("^Done")), "Done.", "Back in the queue.")
    enter(re.compile("^Done"))
    expect(page.get_by_role("heading", name="That was the last one.")).to_be_visible()
    page.goto("/triage/mine")
    for _number in range(3):
        twice("plan", lambda: move("planned", answer="We build it this summer."), "Moved to Planned.")
        enter(re.compile("^Done"))
        expect(notices).to_contain_text("Done.")

    look_again()
    statuses = [db.session.get_one(Idea, number).status for number in twenty]
    assert sorted(statuses[number] for number in REVIEWED) == [Status.PLANNED] * 3 + [Status.UNDER_REVIEW] * 4
    assert {statuses[number] for number in ASKED} == {Status.NEEDS_INFO}
    assert {statuses[number] for number in range(11, 14)} == {Status.MERGED}
    assert {statuses[number] for number in DECLINED} == {Status.DECLINED}
    assert statuses[17:] == [Status.NEW] * 3
