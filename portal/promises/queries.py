"""Reading promises: those of one idea, and how many were kept among the ideas that a viewer may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import contains_eager, joinedload

from portal.accounts.models import Guest, Person
from portal.accounts.readers import built_once
from portal.boards.models import Board
from portal.boards.queries import BoardLine, board_lines
from portal.db import db, utcnow
from portal.ideas.models import Idea
from portal.ideas.promised import Outcome, Promise, Promised
from portal.ideas.queries import is_out_for
from portal.ideas.workflow import Publication
from portal.teams.models import Team

MOST = 20  # in a list of single promises


@dataclass(frozen=True, slots=True)
class Share:
    """How promises went: of those whose day has come, how many were kept."""

    kept: int = 0
    late: int = 0  # also those that are late now and still run
    renewed: int = 0
    running: int = 0  # in time so far

    @property
    def ended(self) -> int:
        """How many had to be kept by now."""
        return self.kept + self.late

    @property
    def percent(self) -> int | None:
        """The share in percent, rounded down, so that only all of them are a hundred; None of nothing."""
        return self.kept * 100 // self.ended if self.ended else None

    def __add__(self, other: Share) -> Share:
        """Put two together."""
        return Share(
            self.kept + other.kept,
            self.late + other.late,
            self.renewed + other.renewed,
            self.running + other.running,
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What is promised of one idea, and how earlier promises went."""

    idea: Idea
    ledger: list[Promise]  # the newest first
    now: datetime

    @property
    def running(self) -> Promise | None:
        """The promise that holds now."""
        return next((promise for promise in self.ledger if promise.is_running), None)

    @property
    def is_late(self) -> bool:
        """Whether its day passed."""
        return self.running is not None and self.running.is_late(self.now)

    @property
    def ended(self) -> list[Promise]:
        """What was promised before and counts."""
        return [promise for promise in self.ledger if promise.outcome not in {None, Outcome.DROPPED}]

    @property
    def kept(self) -> int:
        """How many were kept."""
        return sum(promise.outcome is Outcome.KEPT for promise in self.ledger)

    @property
    def due(self) -> int:
        """How many had to be kept by now."""
        return self.kept + sum(promise.is_late(self.now) for promise in self.ledger)

    @property
    def renewed(self) -> Promise | None:
        """The promise that the running one took the place of, if somebody named another day."""
        before = next((promise for promise in self.ledger if not promise.is_running), None)
        return before if self.running is not None and before is not None and before.reason else None


@dataclass(frozen=True, slots=True)
class Line:
    """The share of one board or one team."""

    name: str
    slug: str  # empty: it has no page
    share: Share


@dataclass(frozen=True, slots=True)
class Report:
    """How promises went: in all, by what was promised, by board and by team."""

    total: Share
    kinds: dict[Promised, Share]
    boards: list[Line]
    teams: list[Line]


def standing_of(idea: Idea) -> Standing:
    """Return what is promised of an idea that the viewer sees."""
    return Standing(idea, list(db.session.scalars(*_ledger_of(idea_id=idea.id))), utcnow())


@built_once
def _ledger_of(*, idea_id: int) -> Select[Promise]:
    return select(Promise).where(Promise.idea_id == idea_id).order_by(Promise.made_at.desc(), Promise.id.desc())


def share(
    board: Board | None = None, team: Team | None = None, *, viewer: Person | None = None, since: datetime | None = None
) -> Share:
    """Return how promises went on all boards, on one, or of one team, as far as the viewer (or a visitor) may see."""
    counted = _counted(_ids(open_boards(viewer or Guest())), since).with_only_columns(*_numbers())
    if board is not None:
        counted = counted.where(Idea.board_id == board.id)
    if team is not None:
        counted = counted.where(Idea.team_id == team.id)
    return Share(*(int(number) for number in db.session.execute(counted).one()))


def open_boards(viewer: Person) -> list[BoardLine]:
    """Return the boards on which the viewer reads what everybody wrote: what is counted for them."""
    return [line for line in board_lines(viewer) if line.is_open]


def report(boards: Sequence[BoardLine], since: datetime | None = None) -> Report:
    """Return how promises went on these boards, in one statement."""
    by = (Promise.kind, Idea.board_id, Idea.team_id)
    counted = _counted(_ids(boards), since).with_only_columns(*by, *_numbers()).group_by(*by)
    kinds: dict[Promised, Share] = defaultdict(Share)
    of_boards: dict[int, Share] = defaultdict(Share)
    of_teams: dict[int | None, Share] = defaultdict(Share)
    for kind, board_id, team_id, *numbers in db.session.execute(counted):
        kinds[kind] += Share(*numbers)
        of_boards[board_id] += Share(*numbers)
        of_teams[team_id] += Share(*numbers)
    teams = db.session.scalars(select(Team).where(Team.id.in_([id for id in of_teams if id])).order_by(Team.name))
    return Report(
        total=sum(kinds.values(), start=Share()),
        kinds={kind: kinds[kind] for kind in Promised},
        boards=[Line(line.name, line.slug, of_boards[line.id]) for line in boards if line.id in of_boards],
        teams=[Line(team.name, "", of_teams[team.id]) for team in teams],
    )


def late_now(viewer: Person, limit: int = MOST) -> list[Promise]:
    """Return the promises that are late, the oldest first."""
    return _running(viewer, Promise.due_at < utcnow(), limit)


def due_next(viewer: Person, limit: int = MOST) -> list[Promise]:
    """Return the promises whose day comes next."""
    return _running(viewer, Promise.due_at >= utcnow(), limit)


def count_running(board_ids: Sequence[int]) -> int:
    """Count the promises that run on these boards: other working days or clocks leave their days as they are."""
    runs = select(sa.func.count()).select_from(Promise).join(Idea, Idea.id == Promise.idea_id)
    return db.session.scalar(runs.where(Promise.ended_at.is_(None), Idea.board_id.in_(board_ids))) or 0


def _running(viewer: Person, which: ColumnElement[bool], limit: int) -> list[Promise]:
    wanted = select(Promise).join(Promise.idea).where(is_out_for(viewer), Promise.ended_at.is_(None), which)
    shown = wanted.options(contains_eager(Promise.idea).options(joinedload(Idea.board)))
    return list(db.session.scalars(shown.order_by(Promise.due_at, Promise.id).limit(limit)))


def _counted(board_ids: Sequence[int], since: datetime | None) -> Select[Any]:
    """Select what counts: on published ideas of these boards, with a day since then."""
    shown = (Idea.publication == Publication.PUBLISHED) & Idea.board_id.in_(board_ids)
    counted = select(Promise).join(Idea, Idea.id == Promise.idea_id).where(shown)
    return counted if since is None else counted.where(Promise.due_at >= since)


def _ids(boards: Sequence[BoardLine]) -> list[int]:
    return [line.id for line in boards]


def _numbers() -> list[ColumnElement[int]]:
    late = (Promise.outcome == Outcome.LATE) | (Promise.ended_at.is_(None) & (Promise.due_at < utcnow()))
    which = (
        Promise.outcome == Outcome.KEPT,
        late,
        Promise.outcome == Outcome.RENEWED,
        Promise.ended_at.is_(None) & (Promise.due_at >= utcnow()),
    )
    return [sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0) for condition in which]
