"""What stands against a workflow, and what is said about a change of it."""

from typing import Any

import pytest

from portal.ideas.workflow import BEGINNING, read
from portal.workflows import drafting
from portal.workflows.checks import problems, unreachable
from portal.workflows.differences import differences, effects
from portal.workflows.drafting import beginning
from tests.support import on_one_database

pytestmark = [pytest.mark.usefixtures("app"), on_one_database]

PLAIN = {"by": "decider", "demands": [], "one_of": [], "offers": [], "news": "step", "tells": ["author"]}


def move(source: str, target: str, **values: Any) -> drafting.Document:
    return drafting.with_move(beginning(), source, target, **(PLAIN | values))


def without(source: str, *targets: str) -> drafting.Document:
    document = beginning()
    for target in targets:
        document = drafting.without_move(document, source, target)
    return document


def status(key: str, **values: Any) -> drafting.Document:
    return drafting.with_status(beginning(), key, **values)


OUT_OF_PLANNED = ("not_now", "declined", "merged", "in_progress", "under_review", "shipped")
OUT_OF_NEW = ("under_review", "needs_info", "not_now", "declined", "available", "merged")


def test_nothing_stands_against_the_beginning():
    assert problems(beginning(), {"new": 7, "merged": 3}) == []
    assert unreachable(BEGINNING) == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (lambda: without("planned", *OUT_OF_PLANNED), "12 ideas would be in a status with no way out: Planned."),
        (lambda: without("confirmed", "under_review"), "Ideas could come to Confirmed, and from there nowhere."),
        (lambda: without("new", *OUT_OF_NEW), "Nobody could take a new idea up."),
        (lambda: without("not_now", "under_review"), "moves ideas from Not now to Under review. Keep that move."),
        (lambda: without("shipped", "confirmed"), "moves ideas from Shipped to Confirmed. Keep that move."),
        (lambda: move("needs_info", "under_review", demands=["answer"]), "can give nothing but a reason"),
        (lambda: status("needs_info", days=0), "Needs info needs a clock"),
        (lambda: move("under_review", "new"), "an idea is new once"),
        (lambda: move("merged", "planned"), "comes back by undoing the merge"),
        (lambda: move("under_review", "merged"), "a merge needs the main idea"),
        (lambda: move("under_review", "planned", by="system"), "never makes this move by itself"),
        (lambda: move("under_review", "planned", news="decision", tells=["voter"]), "the author must hear"),
        (lambda: move("new", "needs_info", news="question"), "whoever is asked must be told the question"),
        (lambda: move("under_review", "planned", one_of=["link"]), "there must be several"),
        (lambda: move("under_review", "planned", demands=["salary"]), "asks for something that no form has"),
        (lambda: move("under_review", "planned", demands=["answer"], offers=["answer"]), "that no form has"),
        (lambda: move("under_review", "planned", tells=["everyone"]), "tells people whom nobody knows"),
        (lambda: status("planned", label="shipped"), "Two statuses are called"),
        (lambda: status("planned", label="x" * 41), "needs a name of at most 40 characters"),
        (lambda: status("planned", days=9999), "A clock runs for at most 730 days."),
        (lambda: drafting.without_status(beginning(), "in_progress"), "can be renamed, not removed"),
        (lambda: drafting.with_new_status(beginning(), "new", "seen", label="Seen"), "Beside New no other status"),
        (lambda: {"statuses": [], "moves": [{}]}, "cannot be read"),
    ],
)
def test_what_would_strand_ideas_or_break_the_portal_is_named(document, said):
    found = problems(document(), {"planned": 12})

    assert any(said in sentence for sentence in found), found


def test_a_status_with_ideas_cannot_go():
    added = drafting.with_new_status(beginning(), "planned", "planned_x", label="On the list")
    gone = drafting.without_status(added, "planned_x")

    assert problems(added, {}) == []
    assert problems(gone, {"planned_x": 0}) == []
    assert problems(gone, {"planned_x": 2}) == [
        "2 ideas stand in the status that is to go. Move them first.",
    ]


def test_a_status_added_has_the_ways_of_its_kind():
    added = read(drafting.with_new_status(beginning(), "planned", "planned_x", label="On the list"))

    out = {move.name for move in added.moves_from(added.rules["planned_x"])}
    assert out == {*OUT_OF_PLANNED, "planned"}
    assert {source for source, target in added.moves if target == "planned_x"} == {"under_review", "planned"}
    assert list(added.rules).index("planned_x") == list(added.rules).index("planned") + 1


def test_a_change_is_said_in_sentences_with_what_it_means_today():
    after = status("under_review", days=45, votes=False, label="Being looked at")
    after = drafting.without_move(after, "under_review", "planned")
    after = drafting.with_move(after, "planned", "in_progress", **(PLAIN | {"by": "admin", "demands": ["reason"]}))

    assert differences(beginning(), beginning()) == []
    assert differences(beginning(), after) == [
        "Under review is called Being looked at.",
        "Being looked at takes no votes any more.",
        "Being looked at: the next word is due within 30 days, from now on within 45 days.",
        "Under review → Planned is no longer allowed.",
        "Planned → In progress: Product managers could do this, from now on Admins.",
        "Planned → In progress: must be given: Reason.",
        "Planned → In progress: may be given: nothing.",
        "Planned → In progress: is told to: The author.",
    ]
    assert effects(beginning(), after, {"under_review": 12}, {"under_review": 9}) == [
        "Votes close on 12 ideas.",
        "9 ideas keep the days that were promised for their next word; after them the new clock counts.",
        "12 ideas have fewer ways to go on.",
    ]
