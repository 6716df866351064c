"""The status workflow: what each status means and every move that is allowed, as admins decided it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from flask import has_app_context
from flask_babel import lazy_gettext as _l

from portal.db import db
from portal.ideas.starting import STARTING, WORDS
from portal.options import OptionRow, option


class Category(StrEnum):
    """What a status counts as, for code and reports."""

    OPEN = "open"
    COMMITTED = "committed"
    DONE = "done"
    PARKED = "parked"
    CLOSED = "closed"


class Status(StrEnum):
    """Where an idea stands with the team, as code asks for it; what admins added are stages of these."""

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
        """What holds in this status where no stage says otherwise."""
        return rule_of(self)

    @property
    def label(self) -> str:
        """The status as people read it."""
        return str(self.rule.label)

    @property
    def category(self) -> Category:
        """What it counts as; no workflow changes that."""
        return _CATEGORIES[self]


_CATEGORIES = {
    Status.NEW: Category.OPEN,
    Status.UNDER_REVIEW: Category.OPEN,
    Status.NEEDS_INFO: Category.OPEN,
    Status.PLANNED: Category.COMMITTED,
    Status.IN_PROGRESS: Category.COMMITTED,
    Status.SHIPPED: Category.DONE,
    Status.CONFIRMED: Category.DONE,
    Status.AVAILABLE: Category.DONE,
    Status.NOT_NOW: Category.PARKED,
    Status.DECLINED: Category.CLOSED,
    Status.MERGED: Category.CLOSED,
}

BRANCHES = frozenset({Status.NEEDS_INFO, Status.NOT_NOW, Status.DECLINED, Status.AVAILABLE, Status.MERGED})
MAIN_ROAD = (Status.NEW, Status.UNDER_REVIEW, Status.PLANNED, Status.IN_PROGRESS, Status.SHIPPED)


class Publication(StrEnum):
    """Whether an idea is shown, apart from where it stands: moderation is no product decision."""

    HELD = "held"
    PUBLISHED = "published"
    HIDDEN = "hidden"
    REMOVED = "removed"


class By(StrEnum):
    """Who may make a move."""

    TRIAGER = "triager"
    DECIDER = "decider"
    ADMIN = "admin"
    SYSTEM = "system"


class News(StrEnum):
    """What a move is to those who hear of it."""

    STEP = "step"
    QUESTION = "question"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class StatusRule:
    """What a status, or one stage of it, is called and means, and which rules hold there."""

    kind: Status
    stage: str
    label: object
    meaning: object
    glyph: str
    hue: str
    category: Category
    takes_votes: bool
    takes_comments: bool = True
    comments_for: timedelta | None = None  # None: as long as it stays there
    takes_edits: bool = False
    next_word_within: timedelta | None = None

    @property
    def key(self) -> str:
        """The one word for this place in addresses, forms and tables."""
        return self.stage or self.kind.value


@dataclass(frozen=True, slots=True)
class Move:
    """One allowed way from a status to another.

    ``demands`` and ``offers`` name fields of MoveDetails; of ``demands_one_of`` at least one must be given. ``tells``
    names the reasons for which people hear of it, beside whoever looks after the idea.
    """

    source: Status
    target: Status
    by: By
    demands: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    demands_one_of: tuple[str, ...] = ()
    source_stage: str = ""
    target_stage: str = ""
    overrides: bool = False
    news: News = News.STEP
    tells: tuple[str, ...] = ("author", "voter", "commenter", "follower")

    @property
    def asks(self) -> tuple[str, ...]:
        """All fields that the form of this move shows."""
        return (*self.demands, *self.demands_one_of, *self.offers)

    @property
    def name(self) -> str:
        """The one word for where it leads, in addresses and forms."""
        return self.target_stage or self.target.value

    @property
    def goal(self) -> StatusRule:
        """What holds where it leads."""
        return rule_of(self.target, self.target_stage)


@dataclass(frozen=True, eq=False)  # the tables are built anew when they change: no two are the same
class Workflow:
    """Every status with its stages, and every move, by the keys of where it begins and leads."""

    rules: Mapping[str, StatusRule]
    moves: Mapping[tuple[str, str], Move]

    @cached_property
    def by_source(self) -> Mapping[str, tuple[Move, ...]]:
        """The moves by where they begin, in the order of the tables."""
        return {key: tuple(move for (source, _), move in self.moves.items() if source == key) for key in self.rules}

    def rule(self, status: Status, stage: str = "") -> StatusRule:
        """Return what holds in a status; a stage that is no more counts as its status."""
        rule = self.rules.get(stage)
        return rule if rule is not None and rule.kind is status else self.rules[status]

    def move(self, source: StatusRule, target: StatusRule) -> Move | None:
        """Return the move from one place to another, if the tables allow it."""
        return self.moves.get((source.key, target.key))

    def moves_from(self, place: StatusRule) -> tuple[Move, ...]:
        """Return the ways out of a place."""
        return self.by_source.get(place.key, ())

    def leading_to(self, target: Status) -> list[StatusRule]:
        """Return from where ideas can be moved to a status or one of its stages."""
        sources = dict.fromkeys(source for (source, _), move in self.moves.items() if move.target is target)
        return [self.rules[source] for source in sources]


def read(document: Mapping[str, Any]) -> Workflow:
    """Return the tables that a document writes down; what it does not name is as in the beginning."""
    rules = {rule.key: rule for rule in map(_read_status, document["statuses"])}
    moves = (_read_move(row, rules) for row in document["moves"])
    return Workflow(rules, {(_key(move.source, move.source_stage), move.name): move for move in moves})


def _read_status(row: Mapping[str, Any]) -> StatusRule:
    kind = Status(row["kind"])
    label, meaning = WORDS[kind]
    return StatusRule(
        kind=kind,
        stage="" if row["key"] == kind else row["key"],
        label=row["label"] or label,
        meaning=row["meaning"] or meaning,
        glyph=row["glyph"],
        hue=row["hue"],
        category=kind.category,
        takes_votes=row["votes"],
        takes_comments=row["comments"],
        comments_for=timedelta(days=row["comments_days"]) if row["comments_days"] else None,
        takes_edits=row["edits"],
        next_word_within=timedelta(days=row["days"]) if row["days"] else None,
    )


def _read_move(row: Mapping[str, Any], rules: Mapping[str, StatusRule]) -> Move:
    source, target = rules[row["from"]], rules[row["to"]]
    return Move(
        source=source.kind,
        target=target.kind,
        by=By(row["by"]),
        demands=tuple(row["demands"]),
        offers=tuple(row["offers"]),
        demands_one_of=tuple(row["one_of"]),
        source_stage=source.stage,
        target_stage=target.stage,
        news=News(row["news"]),
        tells=tuple(row["tells"]),
    )


def _key(status: Status, stage: str) -> str:
    return stage or status.value


BEGINNING = read(STARTING)
_built: tuple[object, Workflow] = (None, BEGINNING)


def current() -> Workflow:
    """Return the tables that hold now, at most three seconds older than another process's change."""
    document = option("workflow") if has_app_context() else None
    return _workflow(document)


def settled() -> Workflow:
    """Return the tables that hold, for a transaction that moves an idea: nobody changes them before it ends."""
    kept = sa.select(OptionRow.value).where(OptionRow.name == "workflow").with_for_update(read=True)
    return _workflow(db.session.scalar(kept))


def override(source: StatusRule, target: StatusRule) -> Move:
    """Return the move that no table has: for admins, with a reason, and everybody hears of it."""
    return Move(
        source.kind,
        target.kind,
        By.ADMIN,
        ("reason",),
        ("answer",),
        source_stage=source.stage,
        target_stage=target.stage,
        overrides=True,
        news=_news_of_override(source.kind, target.kind),
    )


def _news_of_override(source: Status, target: Status) -> News:
    if target is Status.NEEDS_INFO:
        return News.QUESTION
    reopened = target is Status.UNDER_REVIEW and source not in {Status.NEW, Status.NEEDS_INFO}
    weighty = {Status.PLANNED, Status.SHIPPED, Status.DECLINED, Status.NOT_NOW, Status.AVAILABLE}
    return News.DECISION if reopened or target in weighty else News.STEP


def rule_of(status: Status, stage: str = "") -> StatusRule:
    """Return what holds in a status, or in one of its stages."""
    return current().rule(status, stage)


def rules() -> list[StatusRule]:
    """Return every status with its stages, in the order in which people read them."""
    return list(current().rules.values())


def place_named(key: str | None) -> StatusRule | None:
    """Return the status or stage of this key, if there is one."""
    return current().rules.get(key or "")


def move_between(source: StatusRule, target: StatusRule) -> Move | None:
    """Return the allowed move from one place to another."""
    return current().move(source, target)


def kinds_in(*categories: Category) -> list[Status]:
    """Return the statuses that count as one of these."""
    return [status for status in Status if status.category in categories]


def _workflow(document: Any) -> Workflow:
    global _built
    if not document:
        return BEGINNING
    known, workflow = _built
    if known is not document and known != document:
        workflow = read(document)
        _built = (document, workflow)
    return workflow


ANSWER_LABELS: dict[Status, object] = {
    Status.NEEDS_INFO: _l("Your question"),
    Status.PLANNED: _l("What will be built, and why"),
    Status.IN_PROGRESS: _l("What people should know"),
    Status.SHIPPED: _l("Release note: what is there now, and how to use it"),
    Status.AVAILABLE: _l("How to reach it today"),
    Status.NOT_NOW: _l("Why not now"),
    Status.DECLINED: _l("Why not"),
}
