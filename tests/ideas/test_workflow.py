"""The workflow: exactly the moves of the product's table, for exactly the people it names."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts.roles import DECIDERS, TRIAGERS, Role
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import EventRecord
from portal.ideas import queries, service
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.moves import (
    DetailMissing,
    MoveDetails,
    MoveNotAllowed,
    answer_idea,
    assign_owner,
    change_board,
    move_idea,
    moves_for,
    set_tags,
)
from portal.ideas.workflow import ANSWER_LABELS, By, Category, Publication, Status
from portal.transactions import transaction
from portal.working_days import Calendar
from tests.factories import make_board, make_idea, make_user, make_votes
from tests.support import on_one_database
from tests.support.beginning import MOVES, STATUSES

pytestmark = pytest.mark.usefixtures("app")

# From | To | Who | Must be given; "a / b": one of them, "(a)": may be given.
PRODUCT_TABLE = """
New                                    | Under review      | triager | owner
New, Under review                      | Needs info        | triager | answer
Needs info                             | Under review      | system  |
Under review                           | Planned           | decider | answer (expected) (reversal)
New, Under review, Planned             | Not now           | decider | answer review_on/reversal (alternative)
New, Under review, Not now, Planned    | Declined          | decider | answer reversal (alternative)
New, Under review                      | Already available | triager | answer (link)
New, Under review, Planned, Not now    | Merged            | triager | into (reason)
Planned                                | In progress       | decider | (answer) (expected)
Planned, In progress                   | Under review      | decider | reason
Planned, In progress                   | Shipped           | decider | answer (link)
Shipped, Already available             | Confirmed         | decider | reason
Shipped, Confirmed, Already available  | Under review      | decider | reason
Declined, Not now                      | Under review      | decider | reason
"""

BY_LABEL = {status.label: status for status in Status}


def table() -> dict[tuple[Status, Status], tuple[By, set[str], set[str], set[str]]]:
    """The product's table: who, what must be given, one of what, and what may be given."""
    read = {}
    for line in PRODUCT_TABLE.strip().splitlines():
        sources, target, who, given = (cell.strip() for cell in line.split("|"))
        words = given.split()
        may = {word.strip("()") for word in words if word.startswith("(")}
        one_of = {name for word in words if "/" in word for name in word.split("/")}
        must = {word for word in words if "/" not in word and not word.startswith("(")}
        for source in sources.split(","):
            read[BY_LABEL[source.strip()], BY_LABEL[target]] = (By(who), must, one_of, may)
    return read


FULL: dict[str, Any] = {
    "answer": "This is what we will do.",
    "reason": "Because things have changed.",
    "alternative": "Use the other page meanwhile.",
    "reversal": "Ten more people who need it.",
    "expected": "June",
    "link": "https://help.example.org/routes",
}


def details(**but: Any) -> MoveDetails:
    """Everything that any move may ask for, but for what is given here."""
    if not {"owner", "into"} <= but.keys():
        but = {"owner": make_user(Role.PM), "into": make_idea()} | but
    return MoveDetails(**(FULL | {"review_on": utcnow().date() + timedelta(days=90)} | but))


def test_the_moves_are_those_of_the_products_table():
    ours = {
        pair: (move.by, set(move.demands), set(move.demands_one_of), set(move.offers)) for pair, move in MOVES.items()
    }

    assert ours == table()


def test_each_status_belongs_to_the_category_that_reports_count_it_in():
    of = {category: {status for status in Status if STATUSES[status].category is category} for category in Category}

    assert of == {
        Category.OPEN: {Status.NEW, Status.UNDER_REVIEW, Status.NEEDS_INFO},
        Category.COMMITTED: {Status.PLANNED, Status.IN_PROGRESS},
        Category.DONE: {Status.SHIPPED, Status.CONFIRMED, Status.AVAILABLE},
        Category.PARKED: {Status.NOT_NOW},
        Category.CLOSED: {Status.DECLINED, Status.MERGED},
    }


CLOCKS = {"New": 10, "Under review": 30, "Needs info": 21, "Planned": 60, "In progress": 45}


@pytest.mark.parametrize("status", list(Status))
@on_one_database
def test_the_teams_next_word_is_due_when_the_table_says(status):
    within = STATUSES[status].next_word_within

    assert (within.days if within else None) == CLOCKS.get(status.label)


OPEN_VOTES = {"New", "Under review", "Needs info", "Planned", "In progress", "Not now"}
NO_COMMENTS = {"Confirmed", "Merged"}
COMMENTS_FOR_30_DAYS = {"Shipped", "Declined", "Already available"}


def test_votes_and_comments_are_open_where_the_table_says():
    assert {status.label for status, rule in STATUSES.items() if rule.takes_votes} == OPEN_VOTES
    assert {status.label for status, rule in STATUSES.items() if not rule.takes_comments} == NO_COMMENTS
    limited = {status.label for status, rule in STATUSES.items() if rule.comments_for == timedelta(days=30)}
    assert limited == COMMENTS_FOR_30_DAYS
    assert all(rule.comments_for in {None, timedelta(days=30)} for rule in STATUSES.values())


def test_each_move_that_publishes_words_says_what_they_are_called():
    assert {move.target for move in MOVES.values() if "answer" in move.asks} == set(ANSWER_LABELS)


# All pairs and all roles

MAY = {By.TRIAGER: TRIAGERS, By.DECIDER: DECIDERS, By.SYSTEM: frozenset()}


@on_one_database
def test_s56_each_role_makes_exactly_the_moves_of_the_table():
    people = {role: make_user(role) for role in Role}
    given, idea = details(), make_idea()
    for person in (*people.values(), given.owner):
        db.session.refresh(person)
        db.session.expunge(person)  # nothing here changes them, so they need not be read again
    wrong = []
    for (source, target), role in product(product(Status, Status), Role):
        if (target, role) == (Status.NEW, Role.MEMBER):
            put(idea, source)
        move = MOVES.get((source, target))
        expected = move is not None and role in MAY[move.by]
        if try_to_move(idea, target, people[role], given) is not expected:
            wrong.append(f"{role}: {source} to {target} should be {'possible' if expected else 'refused'}")

    assert wrong == []


def test_s56_an_admin_goes_round_the_table_only_with_a_reason_and_leaves_a_mark():
    admin, pm, idea = make_user(Role.ADMIN), make_user(Role.PM), make_idea()

    with pytest.raises(MoveNotAllowed), transaction():
        move_idea(idea, Status.SHIPPED, pm, details(), override=True)
    with pytest.raises(DetailMissing), transaction():
        move_idea(idea, Status.SHIPPED, admin, details(reason=" "), override=True)
    with transaction():
        change = move_idea(idea, Status.SHIPPED, admin, details(), override=True)

    assert (idea.status, change.overrides) == (Status.SHIPPED, True)


@pytest.mark.parametrize("source", list(Status))
@on_one_database
def test_s56_not_even_an_admin_merges_or_stays_by_going_round_the_table(source):
    admin, idea = make_user(Role.OWNER), make_idea()
    put(idea, source)
    beyond = [source] + ([Status.MERGED] if (source, Status.MERGED) not in MOVES else [])

    for target in beyond:
        with pytest.raises(MoveNotAllowed), transaction():
            move_idea(idea, target, admin, details(), override=True)


@pytest.mark.parametrize("publication", [Publication.HELD, Publication.HIDDEN, Publication.REMOVED])
def test_an_idea_out_of_sight_is_not_moved(publication):
    idea, pm = make_idea(publication=publication), make_user(Role.OWNER)

    with pytest.raises(MoveNotAllowed), transaction():
        move_idea(idea, Status.UNDER_REVIEW, pm, details())

    assert moves_for(idea, pm) == []


def test_only_moves_of_the_table_are_offered():
    idea, pm, moderator = make_idea(), make_user(Role.PM), make_user(Role.MODERATOR)

    assert {move.target for move in moves_for(idea, moderator)} == {
        Status.UNDER_REVIEW,
        Status.NEEDS_INFO,
        Status.AVAILABLE,
        Status.MERGED,
    }
    assert {move.target for move in moves_for(idea, pm)} - {move.target for move in moves_for(idea, moderator)} == {
        Status.NOT_NOW,
        Status.DECLINED,
    }


# What must be given


def test_each_detail_that_a_move_demands_is_demanded():
    idea, owner = make_idea(), make_user(Role.OWNER)
    given = {"owner": make_user(Role.PM), "into": make_idea()}
    accepted = []
    for (source, target), move in MOVES.items():
        if move.by is By.SYSTEM:
            continue
        for field in move.demands:
            put(idea, source)
            empty = None if field in {"owner", "into"} else " \n"
            if try_to_move(idea, target, owner, details(**given | {field: empty})):
                accepted.append((source, target, field))
        if move.demands_one_of:
            put(idea, source)
            if try_to_move(idea, target, owner, details(**given, review_on=None, reversal="")):
                accepted.append((source, target, move.demands_one_of))

    assert accepted == []


def test_one_of_a_day_and_a_condition_is_enough_to_park():
    pm = make_user(Role.PM)

    for but in ({"review_on": None}, {"reversal": ""}):
        idea = make_idea()
        with transaction():
            move_idea(idea, Status.NOT_NOW, pm, details(**but))
        assert idea.status is Status.NOT_NOW


def test_a_refused_move_leaves_no_trace():
    idea, pm = make_idea(), make_user(Role.PM)

    with pytest.raises(DetailMissing), transaction():
        move_idea(idea, Status.DECLINED, pm, details(reversal=""))

    assert idea.status is Status.NEW
    assert db.session.scalars(select(StatusChange)).all() == []
    assert db.session.scalars(select(Answer)).all() == []


# What a move leaves behind


def test_a_move_is_remembered_with_everything_that_was_said():
    idea, pm = make_idea(), make_user(Role.PM)
    make_votes(idea, 3)
    put(idea, Status.UNDER_REVIEW)

    with transaction():
        change = move_idea(idea, Status.PLANNED, pm, details(answer="We build **it**."))

    [answer] = queries.answers(idea)
    assert (change.source, change.target, change.actor_id) == (Status.UNDER_REVIEW, Status.PLANNED, pm.id)
    assert change.told == 4  # the author and three voters
    assert answer.body_html == "<p>We build <strong>it</strong>.</p>\n"
    assert (answer.reversal, answer.status) == (FULL["reversal"], Status.PLANNED)
    assert (idea.expected, idea.answered_at) == ("June", answer.at)
    assert idea.due_at == Calendar().due(idea.status_since, 60)
    moved = db.session.scalars(select(EventRecord).where(EventRecord.name == "idea.moved")).one()
    assert (moved.actor_id, moved.data["source"], moved.data["target"]) == (pm.id, "under_review", "planned")


def test_the_number_told_leaves_out_whoever_moves():
    pm = make_user(Role.PM)
    idea = make_idea(author=pm)
    make_votes(idea, 2)

    with transaction():
        change = move_idea(idea, Status.DECLINED, pm, details())

    assert change.told == 2


def test_the_number_told_leaves_out_of_a_step_whoever_asked_for_decisions_only():
    idea, pm = make_idea(), make_user(Role.PM)
    voter = make_votes(idea, 2)[0]
    put(idea, Status.UNDER_REVIEW)
    with transaction():
        service.follow_quietly(idea, voter)
        planned = move_idea(idea, Status.PLANNED, pm, details()).told
        begun = move_idea(idea, Status.IN_PROGRESS, pm, details()).told

    assert (planned, begun) == (3, 2)


def test_a_word_without_a_move_makes_the_next_one_due_anew():
    idea, pm = make_idea(), make_user(Role.PM)
    with transaction():
        idea.due_at = utcnow() - timedelta(days=3)

    with transaction():
        answer = answer_idea(idea, pm, MoveDetails(answer="We have not forgotten."))

    assert idea.due_at == Calendar().due(answer.at, 10)
    assert idea.status is Status.NEW


def test_an_answer_needs_words_and_an_idea_in_sight():
    pm = make_user(Role.PM)

    with pytest.raises(DetailMissing), transaction():
        answer_idea(make_idea(), pm, MoveDetails(answer="  "))
    with pytest.raises(Refusal), transaction():
        answer_idea(make_idea(publication=Publication.HIDDEN), pm, MoveDetails(answer="Here."))


def test_only_the_team_owns_ideas():
    idea, pm = make_idea(), make_user(Role.PM)

    with pytest.raises(Refusal), transaction():
        assign_owner(idea, make_user(), pm)
    for _ in range(2):
        with transaction():
            assign_owner(idea, pm, pm)

    assert idea.owner_id == pm.id
    assert len(db.session.scalars(select(EventRecord).where(EventRecord.name == "idea.owner_assigned")).all()) == 1


def test_an_idea_that_changes_boards_is_counted_on_the_new_one():
    pm, old, new = make_user(Role.PM), make_board(), make_board()
    idea = make_idea(board=old)

    for _ in range(2):
        with transaction():
            change_board(idea, new, pm)

    assert (old.ideas, new.ideas) == (0, 1)


def test_tags_are_short_few_and_the_same_for_everybody():
    idea, pm = make_idea(), make_user(Role.PM)

    with transaction():
        set_tags(idea, ["Maps", " maps ", "", "x" * 40, "Über Nacht"], pm)

    assert [tag.name for tag in idea.tags] == ["maps", "x" * 30, "über nacht"]
    with pytest.raises(Refusal), transaction():
        set_tags(idea, [f"tag {number}" for number in range(11)], pm)


def try_to_move(idea: Idea, target: Status, actor: Any, given: MoveDetails) -> bool:
    """Whether the move is taken; it is undone again."""
    try:
        move_idea(idea, target, actor, given)
        return True
    except Refusal:
        return False
    finally:
        db.session.rollback()


def put(idea: Idea, status: Status) -> None:
    with transaction(wake=False):
        idea.status, idea.merged_into_id = status, None
