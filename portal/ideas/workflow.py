"""The status workflow: what each status means, and every move that is allowed, as two tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flask_babel import lazy_gettext as _l


class Status(StrEnum):
    """Where an idea stands with the team."""

    NEW = "new"
    UNDER_REVIEW = "under_review"
    NEEDS_INFO = "needs_info"
    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    SHIPPED = "shipped"
    CONFIRMED = "confirmed"
    AVAILABLE = "available"
    NOT_NOW = "not_now"
    DECLINED = "declined"
    MERGED = "merged"

    @property
    def rule(self) -> StatusRule:
        """What holds in this status."""
        return STATUSES[self]

    @property
    def label(self) -> str:
        """The status as people read it."""
        return str(self.rule.label)


class Category(StrEnum):
    """What a status counts as, for code and reports."""

    OPEN = "open"
    COMMITTED = "committed"
    DONE = "done"
    PARKED = "parked"
    CLOSED = "closed"


class Publication(StrEnum):
    """Whether an idea is shown, apart from where it stands: moderation is no product decision."""

    HELD = "held"
    PUBLISHED = "published"
    HIDDEN = "hidden"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class StatusRule:
    """What a status means and which rules hold in it."""

    label: object
    meaning: object
    category: Category
    takes_votes: bool
    comments_for: timedelta | None = None  # None: as long as it stays there
    takes_comments: bool = True
    next_word_within: timedelta | None = None


DAY = timedelta(days=1)

STATUSES: dict[Status, StatusRule] = {
    Status.NEW: StatusRule(
        _l("New"), _l("Received. Nobody from the team has looked yet."), Category.OPEN, True, next_word_within=10 * DAY
    ),
    Status.UNDER_REVIEW: StatusRule(
        _l("Under review"),
        _l("A named person is looking. No promise yet."),
        Category.OPEN,
        True,
        next_word_within=30 * DAY,
    ),
    Status.NEEDS_INFO: StatusRule(
        _l("Needs info"),
        _l("We asked a question and wait for the answer."),
        Category.OPEN,
        True,
        next_word_within=21 * DAY,
    ),
    Status.PLANNED: StatusRule(
        _l("Planned"), _l("We intend to do it."), Category.COMMITTED, True, next_word_within=60 * DAY
    ),
    Status.IN_PROGRESS: StatusRule(
        _l("In progress"), _l("Work has begun."), Category.COMMITTED, True, next_word_within=45 * DAY
    ),
    Status.SHIPPED: StatusRule(
        _l("Shipped"), _l("It is there for you to use."), Category.DONE, False, comments_for=30 * DAY
    ),
    Status.CONFIRMED: StatusRule(
        _l("Confirmed"),
        _l("The people who asked say it solves their need."),
        Category.DONE,
        False,
        takes_comments=False,
    ),
    Status.AVAILABLE: StatusRule(
        _l("Already available"),
        _l("It exists already. The answer says where."),
        Category.DONE,
        False,
        comments_for=30 * DAY,
    ),
    Status.NOT_NOW: StatusRule(
        _l("Not now"), _l("Good, but parked until a date or a condition."), Category.PARKED, True
    ),
    Status.DECLINED: StatusRule(
        _l("Declined"), _l("We will not do it, and say why."), Category.CLOSED, False, comments_for=30 * DAY
    ),
    Status.MERGED: StatusRule(
        _l("Merged"), _l("Supported under another idea."), Category.CLOSED, False, takes_comments=False
    ),
}

BRANCHES = frozenset({Status.NEEDS_INFO, Status.NOT_NOW, Status.DECLINED, Status.AVAILABLE, Status.MERGED})
MAIN_ROAD = (Status.NEW, Status.UNDER_REVIEW, Status.PLANNED, Status.IN_PROGRESS, Status.SHIPPED)


class By(StrEnum):
    """Who may make a move."""

    TRIAGER = "triager"
    DECIDER = "decider"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Move:
    """One allowed way from a status to another.

    ``demands`` and ``offers`` name fields of MoveDetails; of ``demands_one_of`` at least one must be given.
    """

    source: Status
    target: Status
    by: By
    demands: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    demands_one_of: tuple[str, ...] = ()

    @property
    def asks(self) -> tuple[str, ...]:
        """All fields that the form of this move shows."""
        return (*self.demands, *self.demands_one_of, *self.offers)


def _moves() -> tuple[Move, ...]:
    """Every move of the product's workflow table, row by row."""
    new, review, asked = Status.NEW, Status.UNDER_REVIEW, Status.NEEDS_INFO
    planned, progress, shipped = Status.PLANNED, Status.IN_PROGRESS, Status.SHIPPED
    later, declined, available, merged = Status.NOT_NOW, Status.DECLINED, Status.AVAILABLE, Status.MERGED
    triager, decider, system = By.TRIAGER, By.DECIDER, By.SYSTEM

    def row(
        sources: tuple[Status, ...],
        target: Status,
        by: By,
        *demands: str,
        offers: tuple[str, ...] = (),
        one_of: tuple[str, ...] = (),
    ) -> list[Move]:
        return [Move(source, target, by, demands, offers, one_of) for source in sources]

    rows = [
        row((new,), review, triager, "owner"),
        row((new, review), asked, triager, "answer"),
        row((asked,), review, system),
        row((review,), planned, decider, "answer", offers=("expected", "reversal")),
        row(
            (new, review, planned), later, decider, "answer", one_of=("review_on", "reversal"), offers=("alternative",)
        ),
        row((new, review, later, planned), declined, decider, "answer", "reversal", offers=("alternative",)),
        row((new, review), available, triager, "answer", offers=("link",)),
        row((new, review, planned, later), merged, triager, "into", offers=("reason",)),
        row((planned,), progress, decider, offers=("answer", "expected")),
        row((planned, progress), review, decider, "reason"),
        row((planned, progress), shipped, decider, "answer", offers=("link",)),
        row((shipped, available), Status.CONFIRMED, decider, "reason"),
        row((shipped, Status.CONFIRMED, available), review, decider, "reason"),
        row((declined, later), review, decider, "reason"),
    ]
    return tuple(move for moves in rows for move in moves)


MOVES: dict[tuple[Status, Status], Move] = {(move.source, move.target): move for move in _moves()}
"""The allowed moves. Merged goes back to the status it came from, by undoing the merge: that is no row of its own."""

ANSWER_LABELS: dict[Status, object] = {
    Status.NEEDS_INFO: _l("Your question"),
    Status.PLANNED: _l("What will be built, and why"),
    Status.IN_PROGRESS: _l("What people should know"),
    Status.SHIPPED: _l("Release note: what is there now, and how to use it"),
    Status.AVAILABLE: _l("How to reach it today"),
    Status.NOT_NOW: _l("Why not now"),
    Status.DECLINED: _l("Why not"),
}


def next_word_due(status: Status, since: datetime) -> datetime | None:
    """Return when the team owes its next word on an idea that has this status since then."""
    within = status.rule.next_word_within
    return since + within if within else None
