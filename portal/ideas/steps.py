"""What every move has in common: what is said with it, the refusals it raises, and how it is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import db
from portal.errors import Refusal
from portal.ideas.models import Idea, StatusChange
from portal.ideas.promises import next_word_due
from portal.ideas.service import clean_reason
from portal.ideas.workflow import Status, rule_of


class Tell(StrEnum):
    """How those who should hear of something do."""

    EVERYBODY = "everybody"
    DIGEST = "digest"  # the inbox at once, and one mail for all that was done together
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a decision is bound to beside its words: why, by the list of reasons; what was weighed; what reverses it."""

    because: int | None = None  # a reason of the list
    evidence: str = ""
    people: int | None = None  # so many who ask anew,
    organisations: int | None = None  # so many of them behind it,
    back_on: date | None = None  # or this day bring it back under review

    @property
    def has_condition(self) -> bool:
        """Whether it says what would bring the idea back, in a way that the portal sees by itself."""
        return self.people is not None or self.organisations is not None or self.back_on is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveDetails:
    """What is said with a move; which of it must be said is in the table of moves."""

    answer: str = ""
    reason: str = ""
    alternative: str = ""
    reversal: str = ""
    expected: str = ""
    link: str = ""
    review_on: date | None = None
    owner: User | None = None
    into: Idea | None = None
    notice: str = ""
    quote: bool = False
    record: Record = Record()
    tell: Tell = Tell.EVERYBODY
    act_id: int | None = None  # the act on many ideas that this is part of


class MoveNotAllowed(Refusal):
    """The workflow offers no such move, or not to this person."""

    def __init__(self, idea: Idea, target: Status, stage: str = "") -> None:
        super().__init__(
            _(
                "From %(source)s an idea cannot be moved to %(target)s. Somebody may have moved it meanwhile.",
                source=idea.rule.label,
                target=rule_of(target, stage).label,
            )
        )


class DetailMissing(Refusal):
    """The move demands something that was not given; ``field`` names it."""

    status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def remember(
    idea: Idea, target: Status, actor: User | None, reason: str, at: datetime, stage: str = ""
) -> StatusChange:
    """Write down a move for good, with what taking it back would have to restore."""
    change = StatusChange(
        idea_id=idea.id,
        source=idea.status,
        target=target,
        source_stage=idea.stage,
        target_stage=stage,
        at=at,
        actor_id=actor.id if actor else None,
        reason=clean_reason(reason),
        since_before=idea.status_since,
        due_before=idea.due_at,
        before=state_of(idea),
    )
    db.session.add(change)
    db.session.flush()
    return change


def enter(idea: Idea, status: Status, at: datetime, stage: str = "") -> None:
    """Let the idea stand in a status from now on; the team's next word is due by that status's rule."""
    idea.status, idea.stage, idea.status_since = status, stage, at
    idea.due_at = next_word_due(idea, at)
    idea.reminded_at = None


KEPT = ("expected", "review_on", "owner_id", "answered_at", "reminded_at")
"""What a move may change of an idea besides its status and clock."""


def state_of(idea: Idea) -> dict[str, str | int | None]:
    """Return what a move may change of an idea, as it is written down with the move."""
    values = {name: getattr(idea, name) for name in KEPT}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def restore(idea: Idea, state: dict[str, Any]) -> None:
    """Give the idea back what was written down of it."""
    idea.expected = state.get("expected") or ""
    idea.review_on = date.fromisoformat(state["review_on"]) if state.get("review_on") else None
    idea.answered_at, idea.reminded_at = _moment(state.get("answered_at")), _moment(state.get("reminded_at"))


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
