"""What every move has in common: what is said with it, the refusals it raises, and how it is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import db
from portal.errors import Refusal
from portal.ideas.models import Idea, StatusChange
from portal.ideas.service import clean_reason
from portal.ideas.workflow import Status, next_word_due


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


class MoveNotAllowed(Refusal):
    """The workflow offers no such move, or not to this person."""

    def __init__(self, idea: Idea, target: Status) -> None:
        super().__init__(
            _(
                "From %(source)s an idea cannot be moved to %(target)s. Somebody may have moved it meanwhile.",
                source=idea.status.label,
                target=target.label,
            )
        )


class DetailMissing(Refusal):
    """The move demands something that was not given; ``field`` names it."""

    status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def remember(idea: Idea, target: Status, actor: User | None, reason: str, at: datetime) -> StatusChange:
    """Write down a move for good, with what taking it back would have to restore."""
    change = StatusChange(
        idea_id=idea.id,
        source=idea.status,
        target=target,
        at=at,
        actor_id=actor.id if actor else None,
        reason=clean_reason(reason),
        since_before=idea.status_since,
        due_before=idea.due_at,
    )
    db.session.add(change)
    db.session.flush()
    return change


def enter(idea: Idea, status: Status, at: datetime) -> None:
    """Let the idea stand in a status from now on; the team's next word is due by that status's rule."""
    idea.status, idea.status_since, idea.due_at = status, at, next_word_due(status, at)
    idea.reminded_at = None
