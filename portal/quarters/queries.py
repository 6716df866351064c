"""What a quarter's page tells, from what its reader may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import contains_eager, joinedload

from portal.accounts.models import Person, Rules
from portal.db import db, lookup, utcnow
from portal.decisions.models import REVERSIBLE, Decision
from portal.decisions.queries import stands
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.promised import Outcome, Promise
from portal.ideas.queries import is_out_for
from portal.ideas.workflow import Publication, Status
from portal.quarters.calendar import Quarter
from portal.text import plain
from portal.verdicts.models import End, Round

MOST = 100  # of each kind on one page; the numbers above count all


@dataclass(frozen=True, slots=True)
class Done:
    """An idea that came out in the quarter, and what people said of it, if they were asked by now."""

    idea: Idea
    at: datetime
    end: End | None


@dataclass(frozen=True, slots=True)
class Refused:
    """An idea that was declined or put off in the quarter, and the beginning of the answer to it."""

    idea: Idea
    status: Status
    reason: str
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """One quarter: what people said, what we did, and what we did not do."""

    quarter: Quarter
    said: int
    answered: int
    shipped: list[Done]
    shipped_in_all: int
    planned: int
    refused: list[Refused]
    refused_in_all: int
    kept: int
    missed: list[Promise]
    missed_in_all: int
    rules: Sequence[Rules]

    @property
    def is_running(self) -> bool:
        """Whether the quarter is not over."""
        return utcnow() < self.quarter.ends

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all happened."""
        return not (self.said or self.answered or self.shipped or self.refused or self.kept or self.missed)


def report(quarter: Quarter, reader: Person) -> Report:
    """Return what this reader may know of the quarter."""
    shipped, refused, missed = _shipped(quarter, reader), _refused(quarter, reader), _missed(quarter, reader)
    return Report(
        quarter=quarter,
        said=_count(reader, select(Idea.id).where(_within(Idea.published_at, quarter))),
        answered=_count(reader, _joined(Answer).where(_within(Answer.at, quarter), Answer.taken_back_at.is_(None))),
        shipped=_with_verdicts(db.session.scalars(shipped.limit(MOST)).unique().all()),
        shipped_in_all=_total(shipped),
        planned=_count(reader, _moved_to(Status.PLANNED, quarter)),
        refused=[_in_short(decision) for decision in db.session.scalars(refused.limit(MOST))],
        refused_in_all=_total(refused),
        kept=_count(reader, _joined(Promise).where(_within(Promise.due_at, quarter), Promise.outcome == Outcome.KEPT)),
        missed=list(db.session.scalars(missed.limit(MOST))),
        missed_in_all=_total(missed),
        rules=_rules(quarter),
    )


def first_quarter(reader: Person) -> Quarter:
    """Return the quarter in which the first idea came that this reader may see; the running one before any did."""
    first = db.session.scalar(select(sa.func.min(Idea.published_at)).where(is_out_for(reader)))
    return Quarter.of((first or utcnow()).date())


def quarters(reader: Person) -> list[Quarter]:
    """Return the quarters there are pages of, the running one first."""
    found, first = [Quarter.of(utcnow().date())], first_quarter(reader)
    while found[-1] > first:
        found.append(found[-1].before)
    return found


def _within(column: sa.SQLColumnExpression[datetime], quarter: Quarter) -> ColumnElement[bool]:
    return (column >= quarter.begins) & (column < quarter.ends)


def _joined(model: type[Answer] | type[Promise] | type[StatusChange]) -> sa.Select[int]:
    return select(Idea.id).join(model, model.idea_id == Idea.id)


def _moved_to(status: Status, quarter: Quarter) -> sa.Select[int]:
    return (
        _joined(StatusChange)
        .distinct()
        .where(
            StatusChange.target == status,
            StatusChange.source.not_in([status, Status.MERGED]),  # there already, or back from a merge
            StatusChange.undone_at.is_(None),
            _within(StatusChange.at, quarter),
        )
    )


def _count(reader: Person, ids: sa.Select[int]) -> int:
    shown = ids.where(is_out_for(reader), Idea.publication == Publication.PUBLISHED).subquery()
    return db.session.scalar(select(sa.func.count()).select_from(shown)) or 0


def _total(rows: sa.Select[Any]) -> int:
    return db.session.scalar(select(sa.func.count()).select_from(rows.order_by(None).subquery())) or 0


def _shipped(quarter: Quarter, reader: Person) -> sa.Select[StatusChange]:
    """The last move by which each idea came out; what was reopened since is not there any more."""
    newer = select(sa.func.max(StatusChange.id)).where(
        StatusChange.target == Status.SHIPPED,
        StatusChange.source != Status.MERGED,
        StatusChange.undone_at.is_(None),
    )
    return (
        select(StatusChange)
        .join(Idea, Idea.id == StatusChange.idea_id)
        .where(StatusChange.id.in_(newer.group_by(StatusChange.idea_id)), _within(StatusChange.at, quarter))
        .where(is_out_for(reader), Idea.status.in_([Status.SHIPPED, Status.CONFIRMED]))
        .options(contains_eager(StatusChange.idea).joinedload(Idea.board))
        .order_by(Idea.votes.desc(), Idea.id)
    )


def _with_verdicts(changes: Sequence[StatusChange]) -> list[Done]:
    rounds = select(Round.change_id, Round.end).where(Round.change_id.in_([change.id for change in changes]))
    ends = lookup(rounds)
    return [Done(change.idea, change.at, ends.get(change.id)) for change in changes]


def _refused(quarter: Quarter, reader: Person) -> sa.Select[Decision]:
    """What was declined or put off in the quarter and stands so."""
    return (
        select(Decision)
        .join(Idea, Idea.id == Decision.idea_id)
        .outerjoin(StatusChange, StatusChange.id == Decision.change_id)
        .where(Decision.status.in_(REVERSIBLE), _within(Decision.at, quarter), stands())
        .where(is_out_for(reader), sa.or_(StatusChange.id.is_(None), StatusChange.undone_at.is_(None)))
        .options(
            contains_eager(Decision.idea).joinedload(Idea.board),
            joinedload(Decision.reason),
            joinedload(Decision.answer),
        )
        .order_by(Idea.votes.desc(), Idea.id, Decision.id)
    )


def _in_short(decision: Decision) -> Refused:
    return Refused(
        decision.idea,
        decision.status,
        decision.reason.label if decision.reason else "",
        plain(decision.answer.body, 160) if decision.answer else "",
    )


def _missed(quarter: Quarter, reader: Person) -> sa.Select[Promise]:
    """Promises whose day was in the quarter and passed without a word."""
    late = (Promise.outcome == Outcome.LATE) | (Promise.ended_at.is_(None) & (Promise.due_at < utcnow()))
    return (
        select(Promise)
        .join(Promise.idea)
        .where(is_out_for(reader), _within(Promise.due_at, quarter), late)
        .options(contains_eager(Promise.idea).joinedload(Idea.board))
        .order_by(Promise.due_at, Promise.id)
    )


def _rules(quarter: Quarter) -> Sequence[Rules]:
    changed = select(Rules).where(_within(Rules.published_at, quarter), Rules.version > 1)
    return db.session.scalars(changed.order_by(Rules.version)).all()
