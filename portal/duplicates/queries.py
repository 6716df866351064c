"""Reading pairs, each time from the boards that the viewer works on; both ideas must be theirs to see."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased, joinedload

from portal.accounts.models import Person
from portal.accounts.readers import built_once
from portal.accounts.roles import STAFF_READERS, Role
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.db import db
from portal.duplicates.models import Pair, Proposal, Scan, State
from portal.ideas.models import Idea
from portal.ideas.queries import ideas_visible_to
from portal.ideas.workflow import Publication, Status, current

MOST_COUNTED = 100
PAGE = 50
LIKELY = {"likely", "same"}
TOGETHER = 6  # ideas compared at once

OPEN = Pair.state == sa.literal_column("'open'")  # said in full, so that the index of open pairs is used

Place = tuple[float, int]
"""Where a pair stands in the queue: its weight, then its number."""


def waiting(viewer: Person, board_id: int | None = None) -> Select[Pair]:
    """Select what waits for the team: the pairs in question that are worth reading."""
    return in_question(viewer, board_id).where(Pair.weight > 0)


def in_question(viewer: Person, board_id: int | None = None) -> Select[Pair]:
    """Select open pairs of published ideas of which one can be joined to the other."""
    either = aliased(Idea)
    joinable = sa.exists().where(
        either.id.in_([Pair.first_id, Pair.second_id]), _can_be_joined(either), *_on(either, board_id)
    )
    return select(Pair).where(
        OPEN,
        _is_worked_on(Pair.first_id, viewer, STAFF_READERS),
        _is_worked_on(Pair.second_id, viewer, STAFF_READERS),
        joinable,
    )


def count_waiting(viewer: Person, board_id: int | None = None) -> sa.ScalarSelect[Any]:
    """Count what waits, up to ``MOST_COUNTED``, for use inside another statement."""
    some = waiting(viewer, board_id).with_only_columns(Pair.id).limit(MOST_COUNTED)
    return select(sa.func.count()).select_from(some.subquery()).scalar_subquery()


def page_of_waiting(viewer: Person, after: Place | None = None, board: Board | None = None) -> tuple[list[Pair], bool]:
    """Return one page of the queue, the surest first, and whether there is more, with one statement."""
    pairs = waiting(viewer, board.id if board else None)
    pairs = pairs if after is None else pairs.where(_beyond(after))
    shown = pairs.options(*_with_ideas()).order_by(Pair.weight.desc(), Pair.id.desc()).limit(PAGE + 1)
    found = list(db.session.scalars(shown))
    return found[:PAGE], len(found) > PAGE


def next_waiting(viewer: Person, after: Place, leaving: int) -> Pair | None:
    """Return what comes after a place in the queue, or else what comes first; None when nothing is left."""
    for pairs in (waiting(viewer).where(_beyond(after)), waiting(viewer)):
        best = pairs.where(Pair.id != leaving).order_by(Pair.weight.desc(), Pair.id.desc()).limit(1)
        if found := db.session.scalar(best):
            return found
    return None


def place_in_queue(pair: Pair, viewer: Person) -> tuple[int, int]:
    """Return how many pairs stand before this one and how many there are, both up to ``MOST_COUNTED``."""
    row = sa.tuple_(Pair.weight, Pair.id)
    before = waiting(viewer).where(row > (pair.weight, pair.id)).with_only_columns(Pair.id).limit(MOST_COUNTED)
    counted = select(sa.func.count()).select_from(before.subquery()).scalar_subquery()
    standing, all_of_them = db.session.execute(select(counted, count_waiting(viewer))).one()
    return standing, all_of_them


def find_pair(one: int, other: int) -> Pair | None:
    """Return what is known of two ideas; whoever calls has seen to it that both may be seen."""
    return db.session.scalar(
        select(Pair).where(Pair.first_id == min(one, other), Pair.second_id == max(one, other)).options(*_with_ideas())
    )


def refused_with(idea_id: int) -> list[int]:
    """Return the ideas of which the team said that they are not the same as this one, or stay apart from it."""
    rows = db.session.execute(*_refused(idea_id=idea_id))
    return [first + second - idea_id for first, second in rows]


def proposals_for(pairs: Collection[Pair]) -> dict[int, list[Proposal]]:
    """Return what members said, by pair, oldest first."""
    said = select(Proposal).where(Proposal.pair_id.in_([pair.id for pair in pairs]))
    found: dict[int, list[Proposal]] = {}
    for proposal in db.session.scalars(said.options(joinedload(Proposal.proposer)).order_by(Proposal.id)):
        found.setdefault(proposal.pair_id, []).append(proposal)
    return found


def keeper_of(one: Idea, other: Idea, proposals: Sequence[Proposal]) -> Idea:
    """Return the idea that stays: the one that can only stay, else the one of which nobody said that it is a copy."""
    fixed = [idea for idea in (one, other) if current().move(idea.rule, Status.MERGED.rule) is None]
    if len(fixed) == 1:
        return fixed[0]
    if proposals:
        return one if proposals[0].idea_id == other.id else other
    return max(one, other, key=lambda idea: (idea.votes, -idea.id))


def open_proposals_of(idea: Idea, viewer: Person) -> list[tuple[Pair, Idea]]:
    """Return the pairs that members proposed for an idea and nobody decided, with the other idea the viewer may see."""
    proposed = select(Proposal.pair_id)
    pairs = (
        select(Pair)
        .where(OPEN, Pair.id.in_(proposed))
        .where(sa.or_(Pair.first_id == idea.id, Pair.second_id == idea.id))
    )
    found = list(db.session.scalars(pairs.order_by(Pair.weight.desc()).limit(TOGETHER)))
    others = _published([pair.first_id + pair.second_id - idea.id for pair in found], viewer)
    return [(pair, others[n]) for pair in found if (n := pair.first_id + pair.second_id - idea.id) in others]


def group_around(one: int, other: int, viewer: Person) -> list[int]:
    """Return more ideas that may each be the same as both, pair by pair: all of them likely, each with each."""
    sides = [(Pair.first_id, Pair.second_id), (Pair.second_id, Pair.first_id)]
    near = sa.union_all(
        *(
            in_question(viewer)
            .where(here.in_([one, other]))
            .with_only_columns(here.label("here"), there.label("there"))
            for here, there in sides
        )
    ).subquery()
    shared = (
        select(near.c.there)
        .where(near.c.there.not_in([one, other]))
        .group_by(near.c.there)
        .having(sa.func.count(sa.distinct(near.c.here)) == 2)
        .order_by(near.c.there)
        .limit(TOGETHER * 2)
    )
    candidates = list(db.session.scalars(shared))
    known = _pairs_among(candidates, viewer)
    kept: list[int] = []
    for candidate in candidates:
        if all((min(candidate, before), max(candidate, before)) in known for before in kept):
            kept.append(candidate)
    return kept[: TOGETHER - 2]


def alike_in_question(idea_id: int, viewer: Person) -> dict[int, bool]:
    """Return the ideas that may be the same as one, the surest first, each with whether that is likely."""
    pairs = in_question(viewer).where(sa.or_(Pair.first_id == idea_id, Pair.second_id == idea_id))
    best = pairs.order_by(Pair.weight.desc(), Pair.id.desc()).limit(TOGETHER)
    return {
        pair.first_id + pair.second_id - idea_id: pair.strength in LIKELY or pair.confirmed
        for pair in db.session.scalars(best)
    }


def scan_progress() -> Scan | None:
    """Return how far the first look through the archive is; None before it began."""
    return db.session.get(Scan, 1)


@built_once
def _refused(*, idea_id: int) -> Select[int, int]:
    closed = select(Pair.first_id, Pair.second_id).where(Pair.state.in_([State.REFUSED, State.KEPT_APART]))
    return closed.where(sa.or_(Pair.first_id == idea_id, Pair.second_id == idea_id))


def _pairs_among(ids: Sequence[int], viewer: Person) -> set[tuple[int, int]]:
    among = in_question(viewer).where(Pair.first_id.in_(ids), Pair.second_id.in_(ids))
    rows = db.session.execute(among.with_only_columns(Pair.first_id, Pair.second_id))
    return {(first, second) for first, second in rows}


def _published(ids: Sequence[int], viewer: Person) -> dict[int, Idea]:
    seen = ideas_visible_to(viewer).where(
        Idea.id.in_(ids), Idea.publication == Publication.PUBLISHED, Idea.status != Status.MERGED
    )
    return {idea.id: idea for idea in db.session.scalars(seen)}


def _beyond(place: Place) -> ColumnElement[bool]:
    return sa.tuple_(Pair.weight, Pair.id) < place


def _is_worked_on(column: Any, viewer: Person, roles: Collection[Role]) -> ColumnElement[bool]:
    """Say that an idea of a pair stands for itself, on a board where the viewer is of the team."""
    side = aliased(Idea)
    boards = select(Board.id).where(is_worked_on_by(viewer, roles))
    return sa.exists().where(
        side.id == column,
        side.publication == Publication.PUBLISHED,
        side.status != Status.MERGED,
        side.board_id.in_(boards),
    )


def _can_be_joined(idea: Any) -> ColumnElement[bool]:
    """Say that the workflow lets an idea be merged from where it stands."""
    places = current().leading_to(Status.MERGED)
    return sa.or_(sa.false(), *((idea.status == place.kind) & (idea.stage == place.stage) for place in places))


def _on(idea: Any, board_id: int | None) -> list[ColumnElement[bool]]:
    return [] if board_id is None else [idea.board_id == board_id]


def _with_ideas() -> list[Any]:
    sides = (Pair.first, Pair.second)
    return [joinedload(side).joinedload(what) for side in sides for what in (Idea.board, Idea.author)]
