"""Reading scores, and ideas in the order of what speaks for them; all of it for the team alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from portal.accounts.models import Person
from portal.accounts.roles import STAFF_READERS
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.db import db
from portal.ideas.models import Idea, Vote
from portal.ideas.queries import ideas_visible_to
from portal.ideas.supporters import is_counted, is_set_apart
from portal.ideas.workflow import Category, Publication, Status, kinds_in
from portal.organisations.models import Segment
from portal.organisations.queries import count_behind, counts_by_idea, pairs_behind
from portal.organisations.segments import members_of
from portal.scores.factors import COUNTED, Factor, scoring
from portal.scores.models import IdeaScore

PAGE = 50
SORTS = ("score", "organisations", "votes")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score with what was given for it."""

    factor: Factor
    value: float | None


@dataclass(frozen=True, slots=True)
class Card:
    """The score of one idea with all that it is made of."""

    idea: Idea
    score: IdeaScore | None
    formula: str
    parts: tuple[Part, ...]
    counted: tuple[tuple[Any, int], ...]  # what the portal counts, as far as the formula asks for it
    organisations: int

    @property
    def value(self) -> float | None:
        """What it comes to; None while a part is missing."""
        return self.score.value if self.score else None

    @property
    def missing(self) -> list[Any]:
        """The names of the parts that nobody gave yet."""
        return [part.factor.label for part in self.parts if part.value is None]

    dom_class = "score"

    @property
    def id(self) -> int:
        """What it is known by on the page."""
        return self.idea.id

    @property
    def board_id(self) -> int:
        """The board whose team gives it."""
        return self.idea.board_id


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list of ideas is asked to show."""

    sort: str = "score"
    board: str = ""
    organisation: int | None = None
    segment: int | None = None
    status: str = ""
    page: int = 1

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> Filters:
        """Take what is known from an address; what is not falls back to the default."""
        sort, status, page = asked.get("sort", ""), asked.get("status", ""), asked.get("page", "")
        return cls(
            sort=sort if sort in SORTS else "score",
            board=asked.get("board", "")[:60],
            organisation=_number(asked.get("organisation", "")),
            segment=_number(asked.get("segment", "")),
            status=status if status in {"open", "committed", "all"} else "open",
            page=min(max(_number(page) or 1, 1), 1000),
        )

    def but(self, **changes: Any) -> dict[str, Any]:
        """Return the address arguments of this list with some changes, leaving defaults out."""
        new = replace(self, **{"page": 1, **changes})
        arguments: dict[str, Any] = {"board": new.board, "organisation": new.organisation, "segment": new.segment}
        arguments["sort"] = new.sort if new.sort != "score" else ""
        arguments["status"] = new.status if new.status != "open" else ""
        arguments["page"] = new.page if new.page > 1 else ""
        return {name: value for name, value in arguments.items() if value}


@dataclass(frozen=True, slots=True)
class Ranked:
    """One line of the list."""

    idea: Idea
    score: IdeaScore | None
    organisations: int


def card_of(idea: Idea) -> Card:
    """Return the score of an idea with its parts, in three statements at most."""
    method, score = scoring(), db.session.get(IdeaScore, idea.id)
    given = score.parts if score else {}
    organisations = count_behind(idea.id)
    counts = {"votes": idea.votes, "organisations": organisations, "comments": idea.comments}
    asked = method.node.names()
    return Card(
        idea=idea,
        score=score,
        formula=method.formula,
        parts=tuple(Part(factor, given.get(factor.key)) for factor in method.factors),
        counted=tuple((label, counts[key]) for key, label in COUNTED.items() if key in asked),
        organisations=organisations,
    )


def list_ranked(viewer: Person, filters: Filters) -> tuple[list[Ranked], bool]:
    """Return one page of the ideas that this person works on, best first, and whether there are more."""
    behind = pairs_behind().subquery()
    counts = select(behind.c.idea_id, sa.func.count(sa.distinct(behind.c.organisation_id)).label("organisations"))
    counted = counts.group_by(behind.c.idea_id).subquery()
    keys: dict[str, ColumnElement[Any] | InstrumentedAttribute[Any]] = {
        "score": sa.func.coalesce(IdeaScore.value, sa.literal(-1e300)),
        "organisations": sa.func.coalesce(counted.c.organisations, 0),
        "votes": Idea.votes,
    }
    ideas = (
        ideas_visible_to(viewer)
        .where(Idea.publication == Publication.PUBLISHED, Idea.status != Status.MERGED)
        .outerjoin(IdeaScore, IdeaScore.idea_id == Idea.id)
        .add_columns(IdeaScore)
        .options(joinedload(Idea.board))
    )
    if filters.sort == "organisations":
        ideas = ideas.join(counted, counted.c.idea_id == Idea.id)
    if filters.sort == "score":
        ideas = ideas.where(IdeaScore.value.is_not(None))
    for condition in _conditions(viewer, filters):
        ideas = ideas.where(condition)
    ordered = ideas.order_by(keys[filters.sort].desc(), Idea.votes.desc(), Idea.id.desc())
    rows = db.session.execute(ordered.offset((filters.page - 1) * PAGE).limit(PAGE + 1)).all()
    numbers = counts_by_idea([idea.id for idea, _score in rows])
    return [Ranked(idea, score, numbers.get(idea.id, 0)) for idea, score in rows[:PAGE]], len(rows) > PAGE


def _conditions(viewer: Person, filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if not viewer.reads_as_staff:
        conditions.append(Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer, STAFF_READERS))))
    if filters.board:
        conditions.append(Idea.board_id.in_(select(Board.id).where(Board.slug == filters.board)))
    if filters.status != "all":
        wanted = Category.OPEN if filters.status == "open" else Category.COMMITTED
        conditions.append(Idea.status.in_(kinds_in(wanted)))
    if filters.organisation:
        pairs = pairs_behind().subquery()
        conditions.append(Idea.id.in_(select(pairs.c.idea_id).where(pairs.c.organisation_id == filters.organisation)))
    if filters.segment and (segment := db.session.get(Segment, filters.segment)):
        conditions.append(Idea.id.in_(_backed_by(segment)))
    return conditions


def _backed_by(segment: Segment) -> sa.Select[int]:
    """Select the ideas that somebody of a segment is behind."""
    other = sa.orm.aliased(Idea)
    counts = other.merged_into_id.is_(None) | ~is_set_apart(Vote.idea_id, Vote.voter_id)
    return (
        select(sa.func.coalesce(other.merged_into_id, other.id))
        .join(Vote, Vote.idea_id == other.id)
        .where(Vote.voter_id.in_(members_of(segment)), is_counted(Vote), counts)
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
