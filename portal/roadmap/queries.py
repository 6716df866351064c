"""Reading the roadmap, from what the viewer may see: one statement for the ideas, however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import abort
from sqlalchemy import ColumnElement, select

from portal.accounts.models import Person
from portal.accounts.roles import DECIDERS
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.db import db
from portal.ideas.models import Idea, Tag, idea_tags
from portal.ideas.queries import is_out_for
from portal.ideas.supporters import Ballot, voted_by
from portal.ideas.workflow import Status, StatusRule, rule_of
from portal.roadmap.models import HORIZON_OF, Horizon, Place, Theme

MOST = 300  # ideas on one roadmap; a longer one nobody reads
COMMITTED = (Status.IN_PROGRESS, Status.PLANNED)


@dataclass(frozen=True, slots=True)
class Item:
    """One idea on the roadmap, as one viewer sees it."""

    id: int
    title: str
    status: Status
    stage: str
    status_since: datetime
    votes: int
    cast: bool
    expected: str
    board_id: int
    board_name: str
    theme_id: int | None
    horizon: Horizon
    dom_class: str = "plan"

    @property
    def rule(self) -> StatusRule:
        """What its status is called, and what holds there."""
        return rule_of(self.status, self.stage)

    @property
    def ballot(self) -> Ballot:
        """The viewer's ballot on this idea."""
        return Ballot(self.id, self.title, self.votes, self.cast, self.rule.takes_votes, self.board_id)

    @property
    def spot(self) -> str:
        """Where it stands, in a word that changes with it."""
        return spot(self.id, self.horizon, self.theme_id)

    @property
    def is_elsewhere(self) -> bool:
        """Whether it does not stand exactly at the status of its column, so that both must be said."""
        return self.status is not self.horizon.status or bool(self.rule.stage)


@dataclass(frozen=True, slots=True)
class Row:
    """One theme, or one board, with what stands in each column."""

    id: int | None
    name: str
    about: str
    cells: dict[Horizon, list[Item]]


@dataclass(frozen=True, slots=True)
class Roadmap:
    """The whole of it."""

    rows: list[Row]
    shown: int
    voted: int  # how many of all that the viewer may see have their vote
    moved_at: datetime | None
    is_cut: bool

    @property
    def spots(self) -> list[str]:
        """Where each idea stands."""
        return [item.spot for row in self.rows for items in row.cells.values() for item in items]


def roadmap_for(viewer: Person, *, board: Board | None, tag: str, by_board: bool, only_voted: bool) -> Roadmap:
    """Return what the viewer may see of the roadmap, narrowed to a board, a tag, or what they voted for."""
    found = _items(viewer, board, tag)
    items = [item for item in found[:MOST] if item.cast or not only_voted]
    rows = _by_board(items) if by_board else _by_theme(items, list_themes())
    return Roadmap(
        rows=rows,
        shown=len(items),
        voted=sum(item.cast for item in found[:MOST]),
        moved_at=max((item.status_since for item in items), default=None),
        is_cut=len(found) > MOST,
    )


def list_themes() -> list[Theme]:
    """Return all themes in their order; what is in none of the viewer's rows is not to be shown to them."""
    return list(db.session.scalars(select(Theme).order_by(Theme.position, Theme.id)))


def get_theme(theme_id: int) -> Theme:
    """Return one theme, or answer 404."""
    return db.session.get(Theme, theme_id) or abort(404)


def place_of(idea: Idea) -> Place | None:
    """Return where somebody put the idea, if anybody did."""
    return db.session.get(Place, idea.id)


def horizon_of(idea: Idea, place: Place | None) -> Horizon | None:
    """Return the column in which the idea stands; None while it is not on the roadmap."""
    if idea.status not in HORIZON_OF or (place and place.kept_off):
        return None
    if place and place.horizon and place.status is idea.status:
        return place.horizon
    return HORIZON_OF[idea.status] if idea.status in COMMITTED else None


def spot(idea_id: int, horizon: Horizon | None, theme_id: int | None) -> str:
    """Return a word that says where an idea stands; another one when it stands elsewhere, or nowhere any more."""
    return f"{idea_id}.{horizon.value}.{theme_id or 0}" if horizon else f"{idea_id}.off"


def not_on_it(viewer: Person, limit: int = 100) -> list[Idea]:
    """Return the ideas this person could put on the roadmap: parked ones, and those taken off; most votes first."""
    off = sa.or_(Place.kept_off.is_(True), (Idea.status == Status.NOT_NOW) & ~_is_placed_later())
    mine = Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer, DECIDERS)))
    ideas = select(Idea).outerjoin(Place, Place.idea_id == Idea.id).where(is_out_for(viewer), mine, off)
    wanted = ideas.where(Idea.status.in_(HORIZON_OF)).order_by(Idea.votes.desc(), Idea.id.desc())
    return list(db.session.scalars(wanted.limit(limit)))


def tags_on(ids: Sequence[int]) -> list[str]:
    """Return the tags of these ideas, by name."""
    used = select(Tag.name).join(idea_tags, idea_tags.c.tag_id == Tag.id).where(idea_tags.c.idea_id.in_(ids))
    return list(db.session.scalars(used.distinct().order_by(Tag.name)))


def _items(viewer: Person, board: Board | None, tag: str) -> list[Item]:
    chosen = sa.case((Place.status == Idea.status, Place.horizon), else_=None)
    wanted = (
        select(
            Idea.id,
            Idea.title,
            Idea.status,
            Idea.stage,
            Idea.status_since,
            Idea.votes,
            (voted_by(viewer) if viewer.is_signed_in else sa.false()).label("cast"),
            Idea.expected,
            Idea.board_id,
            Board.name.label("board_name"),
            Place.theme_id,
            sa.type_coerce(chosen, Place.horizon.type).label("horizon"),
        )
        .join(Board, Board.id == Idea.board_id)
        .outerjoin(Place, Place.idea_id == Idea.id)
        .where(is_out_for(viewer), sa.or_(Place.kept_off.is_(None), Place.kept_off.is_(False)))
        .where(sa.or_(Idea.status.in_(COMMITTED), (Idea.status == Status.NOT_NOW) & _is_placed_later()))
        .order_by(Idea.votes.desc(), Idea.id.desc())
    )
    if board is not None:
        wanted = wanted.where(Idea.board_id == board.id)
    if tag:
        tagged = select(idea_tags.c.idea_id).join(Tag, Tag.id == idea_tags.c.tag_id).where(Tag.name == tag)
        wanted = wanted.where(Idea.id.in_(tagged))
    return [_item(row) for row in db.session.execute(wanted.limit(MOST + 1))]


def _item(row: Any) -> Item:
    return Item(**{**row._mapping, "horizon": row.horizon or HORIZON_OF[row.status]})


def _is_placed_later() -> ColumnElement[bool]:
    return sa.and_(Place.horizon == Horizon.LATER, Place.status == Status.NOT_NOW).is_(True)


def _by_theme(items: list[Item], themes: list[Theme]) -> list[Row]:
    rows = [Row(theme.id, theme.name, theme.about, _cells(items, theme.id)) for theme in themes]
    rows.append(Row(None, "", "", _cells([item for item in items if item.theme_id is None], None)))
    return rows


def _by_board(items: list[Item]) -> list[Row]:
    boards = dict.fromkeys((item.board_id, item.board_name) for item in sorted(items, key=lambda item: item.board_name))
    return [
        Row(number, name, "", _sorted_in([item for item in items if item.board_id == number]))
        for number, name in boards
    ]


def _cells(items: list[Item], theme_id: int | None) -> dict[Horizon, list[Item]]:
    return _sorted_in([item for item in items if item.theme_id == theme_id])


def _sorted_in(items: list[Item]) -> dict[Horizon, list[Item]]:
    return {horizon: [item for item in items if item.horizon is horizon] for horizon in Horizon}
