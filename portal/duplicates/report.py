"""The report card: what suggestions of duplicates were worth, by the team's own decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import sqrt
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.accounts.models import Person
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.db import db
from portal.duplicates.models import Decision, Verdict
from portal.ideas.models import Idea

ENOUGH = 30  # decisions, before a share says anything
MONTHS = 12
SURE = 1.96  # of a normal distribution, for 95 of 100

RANKS: tuple[tuple[int, int | None], ...] = ((1, 1), (2, 3), (4, 10), (11, None))
STRENGTHS = ("same", "likely", "possible")


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some were right, and between what shares the truth lies."""

    right: int
    of: int

    @property
    def percent(self) -> int:
        """The share that was counted."""
        return round(100 * self.right / self.of) if self.of else 0

    @property
    def is_enough(self) -> bool:
        """Whether there are so many that the share says something."""
        return self.of >= ENOUGH

    @property
    def between(self) -> tuple[int, int]:
        """Between what percentages the true share lies, 95 times of 100.

        The score interval of Edwin B. Wilson ("Probable inference, the law of succession, and statistical inference",
        Journal of the American Statistical Association 22, 1927): unlike the usual one it never leaves 0 to 100, and
        holds for few decisions too.
        """
        if not self.of:
            return 0, 100
        n, p, z2 = self.of, self.right / self.of, SURE * SURE
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = SURE * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return max(0, round(100 * (middle - half))), min(100, round(100 * (middle + half)))


@dataclass(slots=True)
class Tally:
    """What became of pairs."""

    merged: int = 0
    kept_apart: int = 0
    refused: int = 0
    taken_back: int = 0
    objected: int = 0  # merges that somebody objected to, among those merged or taken back

    @property
    def share(self) -> Share:
        """How many were what they were taken for."""
        right = self.merged + self.kept_apart
        return Share(right, right + self.refused + self.taken_back)


@dataclass(slots=True)
class Report:
    """The report card."""

    suggested: Tally = field(default_factory=Tally)
    by_strength: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in STRENGTHS})
    by_month: dict[date, Tally] = field(default_factory=dict)
    merges: int = 0  # that stand
    merges_suggested: int = 0
    ranks: dict[tuple[int, int | None], int] = field(default_factory=lambda: dict.fromkeys(RANKS, 0))
    unranked: int = 0  # merged ideas among whose fifty nearest the other one was not

    @property
    def recall(self) -> Share:
        """How many merges had been suggested before."""
        return Share(self.merges_suggested, self.merges)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was decided yet."""
        return not self.suggested.share.of and not self.merges


def make_report(viewer: Person) -> Report:
    """Return the report card over the boards that the viewer works on, with one statement."""
    report = Report()
    for decisions in _by_pair(_decisions(viewer)):
        objected = any(one.verdict == Verdict.OBJECTED for one in decisions)
        decided = [one for one in decisions if one.verdict != Verdict.OBJECTED]
        if not decided:
            continue
        last = decided[-1]
        verdict, first = last.verdict, decided[0]
        if first.suggested:
            tallies = [report.suggested, report.by_strength.setdefault(first.strength or "possible", Tally())]
            month = last.at.date().replace(day=1)
            tallies.append(report.by_month.setdefault(month, Tally()))
            for tally in tallies:
                setattr(tally, verdict, getattr(tally, verdict) + 1)
                tally.objected += objected
        if verdict == Verdict.MERGED:
            _count_merge(report, first)
    report.by_month = dict(sorted(report.by_month.items(), reverse=True)[:MONTHS])
    return report


def _count_merge(report: Report, first: Any) -> None:
    report.merges += 1
    report.merges_suggested += first.suggested
    if first.rank is None:
        report.unranked += 1
        return
    for low, high in RANKS:
        if first.rank >= low and (high is None or first.rank <= high):
            report.ranks[low, high] += 1


def _decisions(viewer: Person) -> Sequence[Any]:
    """Return what was decided and not withdrawn at once, pair by pair, oldest first."""
    columns = (
        Decision.first_id,
        Decision.second_id,
        Decision.verdict,
        Decision.at,
        Decision.suggested,
        Decision.strength,
        Decision.rank,
    )
    mine = select(Board.id).where(is_worked_on_by(viewer))
    kept = select(*columns).where(Decision.withdrawn_at.is_(None))
    for column in (Decision.first_id, Decision.second_id):
        side = aliased(Idea)
        kept = kept.where(sa.exists().where(side.id == column, side.board_id.in_(mine)))
    return db.session.execute(kept.order_by(Decision.first_id, Decision.second_id, Decision.id)).all()


def _by_pair(rows: Iterable[Any]) -> Iterable[list[Any]]:
    pairs: dict[tuple[int, int], list[Any]] = {}
    for row in rows:
        pairs.setdefault((row.first_id, row.second_id), []).append(row)
    return pairs.values()
