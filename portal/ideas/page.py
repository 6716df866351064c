"""What the page of one idea shows beside its text: the trail, and how the votes add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.db import utcnow
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.workflow import BRANCHES, MAIN_ROAD, Category, Status, StatusRule


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the trail: behind us, where the idea stands, or ahead."""

    rule: StatusRule
    at: datetime | None
    state: str  # "done", "current" or "ahead"
    note: str = ""


def trail(idea: Idea, changes: Sequence[StatusChange]) -> list[Step]:
    """Return the way of the idea so far, each status once with its latest date, and what may come next.

    A side branch (a question, a no, an already) takes the place of the next step of the main road.
    """
    entered: dict[Status, datetime] = {Status.NEW: idea.published_at}
    seen_as: dict[Status, StatusRule] = {}
    for change in changes:
        if change.idea_id == idea.id:
            entered[change.target], seen_as[change.target] = change.at, change.led_to
    behind = [
        Step(seen_as.get(status, status.rule), entered[status], "done")
        for status in _order(idea.status)
        if status in entered and status is not idea.status
    ]
    now = Step(idea.rule, entered.get(idea.status, idea.status_since), "current")
    return [*behind, now, *_ahead(idea)]


def _order(current: Status) -> list[Status]:
    """Return the main road up to the present status; from a branch, all of the road that was walked."""
    if current is Status.CONFIRMED:
        return list(MAIN_ROAD)
    if current in MAIN_ROAD:
        return list(MAIN_ROAD[: MAIN_ROAD.index(current)])
    return list(MAIN_ROAD[:4])


def _ahead(idea: Idea) -> list[Step]:
    if idea.status.category in {Category.DONE, Category.CLOSED} or idea.status is Status.NOT_NOW:
        return []
    if idea.status in BRANCHES:
        return [Step(Status.UNDER_REVIEW.rule, None, "ahead")]
    following = MAIN_ROAD[MAIN_ROAD.index(idea.status) + 1 :]
    # Before a decision nothing is promised: only the next step is shown.
    shown = following if idea.status.category is Category.COMMITTED else following[:1]
    notes = [idea.expected, *("" for _ in shown)]
    return [Step(status.rule, None, "ahead", note) for status, note in zip(shown, notes, strict=False)]


@dataclass(frozen=True, slots=True)
class OfficialAnswer:
    """The pinned answer, with the date of the next word and whether it is late."""

    answer: Answer
    earlier: list[Answer]
    due_at: datetime | None
    asks: bool = False  # a question to which no answer came yet

    @property
    def is_late(self) -> bool:
        """Whether the team's next word is overdue."""
        return not self.asks and self.due_at is not None and self.due_at < utcnow()


def official_answer(idea: Idea, answers: Sequence[Answer]) -> OfficialAnswer | None:
    """Return what is pinned above the discussion, if the team has said anything."""
    asks = idea.status is Status.NEEDS_INFO
    return OfficialAnswer(answers[0], list(answers[1:]), idea.due_at, asks) if answers else None
