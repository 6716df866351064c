"""The queues: what waits where, in which order, for whom."""

import re
from datetime import date, timedelta

import pytest

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import utcnow
from portal.ideas.workflow import Publication, Status
from portal.triage import queues
from portal.triage.queues import QUEUES
from tests.factories import make_board, make_comment, make_idea, make_user, make_votes
from tests.support import either_way, queries

pytestmark = pytest.mark.usefixtures("app")

DAY = timedelta(days=1)


def waiting(name, viewer, board=None, **options):
    return [row.idea.title for row in queues.page_of(QUEUES[name], viewer, board, **options).rows]


def test_each_idea_waits_where_it_belongs():
    now, pm = utcnow(), make_user(Role.PM)
    make_idea("Young", at=now - DAY)
    make_idea("Old", at=now - 9 * DAY)
    make_idea("Very old", at=now - 20 * DAY)
    make_idea("Asked", status=Status.NEEDS_INFO, due_at=now + 20 * DAY)
    make_idea("Late promise", status=Status.PLANNED, due_at=now - DAY)
    make_idea("Young promise", status=Status.IN_PROGRESS, due_at=now + 30 * DAY, owner_id=pm.id)
    make_idea("Parked", status=Status.NOT_NOW, due_at=None, review_on=(now + 9 * DAY).date())
    make_idea("Parked for ever", status=Status.NOT_NOW, due_at=None, owner_id=pm.id)
    make_idea("Shipped", status=Status.SHIPPED, due_at=None, owner_id=pm.id)
    make_idea("Held idea", publication=Publication.HELD)
    make_idea("Hidden idea", publication=Publication.HIDDEN)
    make_idea("Removed idea", publication=Publication.REMOVED)

    found = {name: waiting(name, pm) for name in QUEUES}

    assert queues.count_all(pm, None) == {name: len(titles) for name, titles in found.items()} | {
        "duplicates": 0,
        "drafts": 0,
        "snoozed": 0,
    }
    assert found == {
        "first-look": ["Very old", "Old", "Young"],
        "answer-due": ["Very old", "Late promise", "Old"],
        "needs-info": ["Asked"],
        "promised": ["Late promise", "Young promise"],
        "quiet": [],
        "held": ["Held idea"],
        "mine": ["Young promise"],
        "team": [],
        "parked": ["Parked", "Parked for ever"],
        "hidden": ["Hidden idea"],
    }


@pytest.mark.parametrize(
    ("status", "days"),
    [
        (Status.NEW, 10),
        (Status.UNDER_REVIEW, 30),
        (Status.NEEDS_INFO, 21),
        (Status.PLANNED, 60),
        (Status.IN_PROGRESS, 45),
    ],
)
def test_an_answer_is_due_when_a_fifth_of_its_time_is_left(status, days):
    pm, edge = make_user(Role.PM), utcnow() + timedelta(days=days) / 5
    make_idea("Just due", status=status, due_at=edge - timedelta(minutes=5))
    make_idea("Not yet", status=status, due_at=edge + timedelta(minutes=5))

    assert waiting("answer-due", pm) == ["Just due"]


@pytest.mark.parametrize("name", ["first-look", "answer-due", "promised", "parked", "hidden"])
def test_the_pages_of_a_queue_together_are_the_queue(name):
    now, pm = utcnow(), make_user(Role.PM)
    for number in range(7):
        status = {"promised": Status.PLANNED, "parked": Status.NOT_NOW}.get(name, Status.NEW)
        if name == "promised" and number % 2:
            status = Status.IN_PROGRESS
        make_idea(
            f"Number {number} of seven",
            status=status,
            publication=Publication.HIDDEN if name == "hidden" else Publication.PUBLISHED,
            due_at=now - (number // 2) * DAY,
            review_on=(now + number // 2 * DAY).date() if number < 5 else None,
        )

    whole, pieces, after = waiting(name, pm), [], None
    for _ in range(4):
        page = queues.page_of(QUEUES[name], pm, None, after, limit=2)
        pieces += [row.idea.title for row in page.rows]
        after = page.rows[-1].place
    assert len(whole) == 7
    assert pieces == whole
    assert not page.more


def test_counting_stops_where_it_no_longer_matters(monkeypatch):
    pm = make_user(Role.PM)
    for _ in range(4):
        make_idea()
    monkeypatch.setattr(queues, "MOST_COUNTED", 3)

    assert queues.count_all(pm, None)["first-look"] == 3


def test_a_queue_can_be_narrowed_to_one_board(browse):
    maps, pm = make_board("Maps"), make_user(Role.PM)
    make_idea("About maps", board=maps)
    make_idea("About boots", board=make_board("Boots"))

    answer = browse(pm).get("/triage/first-look?board=maps")

    assert "About maps" in answer.text
    assert "About boots" not in answer.text
    assert queues.count_all(pm, maps)["first-look"] == 1
    assert re.search(r'href="/triage/first-look/\d+\?board=maps"', answer.text)


def test_ideas_of_boards_that_only_the_team_knows_wait_too():
    make_idea("Secret wish", board=make_board("Inside", Audience.STAFF))

    assert waiting("first-look", make_user(Role.PM)) == ["Secret wish"]


def test_triage_begins_where_something_waits(browse):
    browser = browse(make_user(Role.PM))

    empty = browser.get("/triage")
    make_idea(publication=Publication.HELD)
    full = browser.get("/triage")

    assert empty.location == "/triage/first-look"
    assert full.location == "/triage/held"


@pytest.mark.parametrize("path", ["/triage", "/triage/first-look", "/triage/first-look/{id}", "/triage/merge/{id}"])
def test_triage_is_for_the_team(browse, path):
    idea = make_idea()
    path = path.format(id=idea.id)

    guest, member = browse().get(path), browse(make_user()).get(path)

    assert (guest.status_code, guest.location.partition("?")[0]) == (303, "/sign-in")
    assert member.status_code == 403


def test_observers_read_and_change_nothing(browse):
    idea, held = make_idea("Open wish"), make_idea("Held wish", publication=Publication.HELD)
    observer = browse(make_user(Role.OBSERVER))

    desk = observer.get(f"/triage/first-look/{idea.id}")
    acts = [
        observer.post(f"/triage/first-look/{idea.id}/{act}", data={"reason": "x", "tags": "x", "onto": idea.board.slug})
        for act in (
            "move/under_review",
            "answer",
            "override",
            "owner",
            "board",
            "tags",
            "hide",
            "publish",
            "undo-merge",
        )
    ]

    assert desk.status_code == 200
    assert set(re.findall(r'method="post" action="([^"]*)"', desk.text)) == {
        "/sign-out",
        "/triage/save",  # a search of their own
        "/triage/shortcuts",
    }
    assert {answer.status_code for answer in acts} == {403}
    assert observer.get(f"/triage/merge/{idea.id}").status_code == 403
    assert observer.get(f"/triage/held/{held.id}").status_code == 404
    assert "Held wish" not in observer.get("/triage/held").text


def test_what_is_in_hand_is_somebody_s_also_where_no_word_is_due():
    pm, now = make_user(Role.PM), utcnow()
    make_idea("Due", status=Status.PLANNED, due_at=now + DAY, owner_id=pm.id)
    make_idea("Without a day", status=Status.UNDER_REVIEW, due_at=None, owner_id=pm.id)
    make_idea("Decided", status=Status.DECLINED, due_at=None, owner_id=pm.id)
    make_idea("Another’s", status=Status.UNDER_REVIEW, due_at=None, owner_id=make_user(Role.PM).id)

    assert sorted(waiting("mine", pm)) == ["Due", "Without a day"]


def test_an_unknown_queue_is_no_page(browse):
    assert browse(make_user(Role.PM)).get("/triage/gossip").status_code == 404


@either_way
def test_the_workspace_costs_the_same_however_much_there_is(browse, settle, headers):
    def fill(number):
        for _ in range(number):
            idea = make_idea("Let somebody at home see where I am", board=make_board())
            make_votes(idea, 2)
            make_comment(idea)
        settle()
        return idea_id

    browser = browse(make_user(Role.PM))
    idea_id = make_idea("Let somebody at home see me").id
    address = f"/triage/first-look/{idea_id}"

    fill(1)
    browser.get(address, headers=headers)
    with queries() as few:
        browser.get(address, headers=headers)
    fill(6)
    with queries() as many:
        answer = browser.get(address, headers=headers)

    assert answer.text.count('class="queue-row"') == 8
    assert len(many) == len(few) <= 35


def test_the_next_page_is_a_link(browse, monkeypatch):
    monkeypatch.setattr(queues.page_of, "__defaults__", (None, 2))
    now = utcnow()
    for number in range(3):
        make_idea(f"Waiting number {number}", at=now - (9 - number) * DAY)
    browser = browse(make_user(Role.PM))

    first = browser.get("/triage/first-look")
    older = re.search(r'href="(/triage/first-look\?page=[^"]+)"', first.text)
    second = browser.get(older[1])

    assert "Waiting number 1" in first.text
    assert "Waiting number 2" not in first.text
    assert "Waiting number 2" in second.text
    assert "Waiting number 1" not in second.text


def test_the_place_of_a_day_is_none_in_a_queue_of_moments(browse, monkeypatch):
    monkeypatch.setattr(queues.page_of, "__defaults__", (None, 1))
    for number in range(2):
        make_idea(f"Parked number {number}", status=Status.NOT_NOW, due_at=None, review_on=date(2026, 9, number + 1))
    make_idea("Waiting")
    browser = browse(make_user(Role.PM))

    older = re.search(r'href="/triage/parked(\?page=[^"]+)"', browser.get("/triage/parked").text)

    assert "Waiting" in browser.get(f"/triage/first-look{older[1]}").text
