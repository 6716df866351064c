"""What stands in each calendar: when something is expected, came out or is promised, as its reader may see it now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import contains_eager, joinedload

from portal.accounts.models import Person, User
from portal.boards.calendars import ALL, calendar_of
from portal.boards.models import Board
from portal.changelog import queries as changelog
from portal.changelog.models import Entry
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.feeds.expecting import day_of
from portal.ideas.models import Follow, Idea, StatusChange
from portal.ideas.promised import Promise, Promised
from portal.ideas.queries import is_out_for, is_seen_by
from portal.notifications.links import absolute_url
from portal.roadmap import queries as roadmap
from portal.roadmap.queries import Item
from portal.text import plain

MOST = 300  # of each kind; a fuller calendar nobody reads
RELEASES_OF = timedelta(days=365)
CANCELLED_FOR = timedelta(days=60)  # for which a calendar says that something is off; then it is not in it any more

TURNS = (
    *("idea.moved", "idea.move_undone", "idea.answered", "idea.answer_undone", "idea.merged", "idea.merge_undone"),
    *("idea.board_changed", "idea.edited", "promise.renewed", "roadmap.idea_placed"),
)
"""What can change an appointment about an idea; the number of its turns is the number of the appointment's version."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """One whole day about one thing. ``key`` is its name for good, within this portal."""

    key: str
    on: date
    title: str
    url: str
    changed_at: datetime
    version: int = 0
    words: str = ""
    label: str = ""
    is_certain: bool = True
    is_off: bool = False


@dataclass(frozen=True, slots=True)
class Dates:
    """A calendar as its reader is given it."""

    title: str
    url: str
    appointments: list[Appointment]


def what_comes(reader: Person, board: Board | None) -> Dates:
    """Return what is expected on the roadmap, what came out, and the next words that are promised."""
    title = _("What comes when: %(board)s", board=board.name) if board is not None else _("What comes when")
    here = Idea.board_id == board.id if board is not None else sa.true()
    promised = Promise.kind.in_([Promised.UPDATE, Promised.REVIEW])
    found = [*_expected(reader, board), *_released(reader, board), *_next_words(is_out_for(reader), here & promised)]
    return Dates(title, absolute_url("roadmap.index"), _sorted(found))


def of_ones_own(reader: User) -> Dates:
    """Return by when the team owes its next word on what the reader follows, and what the reader owes to others."""
    followed = select(Follow.idea_id).where(Follow.user_id == reader.id, Follow.muted.is_(False))
    owed = Idea.owner_id == reader.id if reader.works_here else sa.false()
    found = _next_words(is_seen_by(reader), owed | Idea.id.in_(followed), reader)
    return Dates(_("What I wait for"), absolute_url("notifications.inbox"), _sorted(found))


def _expected(reader: Person, board: Board | None) -> list[Appointment]:
    shown = roadmap.roadmap_for(reader, board=board, tag="", by_board=False, only_voted=False)
    items = [item for row in shown.rows for cell in row.cells.values() for item in cell]
    days = {item.id: day for item in items if (day := day_of(item.expected, _today(item.board_id, item.status_since)))}
    turns = _turns(days)
    coming = [
        replace(
            _expectation(item, days[item.id], turns),
            words=_("%(status)s, expected: %(when)s", status=item.rule.label, when=item.expected),
            label=item.board_name,
        )
        for item in items
        if item.id in days
    ]
    return [*coming, *_no_longer_expected(reader, board, set(days))]


def _no_longer_expected(reader: Person, board: Board | None, still: set[int]) -> list[Appointment]:
    """Return what stood in the calendar until lately, and was moved to where nothing is expected any more."""
    lately = StatusChange.at > utcnow() - CANCELLED_FOR
    moved = select(StatusChange).join(Idea, Idea.id == StatusChange.idea_id).where(lately, is_out_for(reader))
    moved = moved.where(StatusChange.undone_at.is_(None), Idea.id.not_in(still))
    if board is not None:
        moved = moved.where(Idea.board_id == board.id)
    newest = moved.options(contains_eager(StatusChange.idea)).order_by(StatusChange.id.desc()).limit(MOST)
    last: dict[int, tuple[StatusChange, date]] = {}
    for change in db.session.scalars(newest):
        words = str((change.before or {}).get("expected") or "")
        day = day_of(words, _today(change.idea.board_id, change.since_before)) if words else None
        if day is not None and change.idea_id not in still:
            last.setdefault(change.idea_id, (change, day))
    turns = _turns(last)
    return [
        replace(_expectation(change.idea, day, turns), words=str(change.idea.rule.label), is_off=True)
        for change, day in last.values()
    ]


def _expectation(about: Idea | Item, on: date, turns: dict[int, tuple[int, datetime]]) -> Appointment:
    changed_at, version = _version(turns, about)
    return Appointment(
        f"ideas/{about.id}/expected",
        on,
        _("Expected: %(title)s", title=about.title),
        absolute_url("ideas.show", idea_id=about.id),
        changed_at,
        version,
        is_certain=False,
    )


def _released(reader: Person, board: Board | None) -> list[Appointment]:
    out = select(Entry).where(changelog.is_read_by(reader), Entry.published_at > utcnow() - RELEASES_OF)
    if board is not None:
        out = out.where(Entry.board_id == board.id)
    newest = out.options(joinedload(Entry.board)).order_by(Entry.published_at.desc(), Entry.id.desc()).limit(MOST)
    return [
        Appointment(
            f"changelog/{entry.id}",
            _today(entry.board_id or ALL, entry.published_at),
            entry.title,
            absolute_url("changelog.show", entry_id=entry.id),
            max(entry.published_at, entry.edited_at or entry.published_at),
            entry.version,
            words=plain(entry.body, 400),
            label=entry.board.name if entry.board else "",
        )
        for entry in db.session.scalars(newest)
        if entry.published_at
    ]


def _next_words(seen: ColumnElement[bool], which: ColumnElement[bool], reader: User | None = None) -> list[Appointment]:
    """Return one appointment for each idea on which a word is owed, or was until lately: there is one at a time."""
    with_idea = contains_eager(Promise.idea).joinedload(Idea.board)
    of_ideas = select(Promise).join(Idea, Idea.id == Promise.idea_id).where(seen, which).options(with_idea)
    running = of_ideas.where(Promise.ended_at.is_(None)).order_by(Promise.due_at, Promise.id).limit(MOST)
    owed = list(db.session.scalars(running))
    busy = select(Promise.idea_id).where(Promise.ended_at.is_(None))
    lately = Promise.ended_at > utcnow() - CANCELLED_FOR
    over = of_ideas.where(lately, Promise.idea_id.not_in(busy)).order_by(Promise.ended_at.desc(), Promise.id.desc())
    ended = {promise.idea_id: promise for promise in reversed(list(db.session.scalars(over.limit(MOST))))}
    turns = _turns([promise.idea_id for promise in [*owed, *ended.values()]])
    return [_next_word(promise, turns, reader) for promise in [*owed, *ended.values()]]


def _next_word(promise: Promise, turns: dict[int, tuple[int, datetime]], reader: User | None) -> Appointment:
    idea = promise.idea
    changed_at, version = _version(turns, promise.idea)
    mine = reader is not None and idea.owner_id == reader.id and reader.works_here
    return Appointment(
        f"ideas/{idea.id}/next-word",
        _today(idea.board_id, promise.due_at),
        _title(promise, mine),
        absolute_url("ideas.show", idea_id=idea.id),
        max(changed_at, promise.made_at),
        version,
        words=_("%(status)s. The team promised a word by this day.", status=idea.rule.label),
        label=idea.board.name,
        is_off=promise.ended_at is not None,
    )


def _title(promise: Promise, mine: bool) -> str:
    if mine:
        return _("You owe a word: %(title)s", title=promise.idea.title)
    if promise.kind is Promised.ANSWER:
        return _("First answer due: %(title)s", title=promise.idea.title)
    if promise.kind is Promised.REVIEW:
        return _("Looked at again: %(title)s", title=promise.idea.title)
    return _("Next update due: %(title)s", title=promise.idea.title)


def _turns(idea_ids: Iterable[int]) -> dict[int, tuple[int, datetime]]:
    """Return how often what is due or expected of these ideas may have changed, and when it last did."""
    ids = sorted(set(idea_ids))
    counted = select(EventRecord.idea_id, sa.func.count(), sa.func.max(EventRecord.at))
    counted = counted.where(EventRecord.idea_id.in_(ids), EventRecord.name.in_(TURNS)).group_by(EventRecord.idea_id)
    rows = db.session.execute(counted).all() if ids else []
    return {idea_id: (number, at) for idea_id, number, at in rows if idea_id is not None}


def _version(turns: dict[int, tuple[int, datetime]], about: Idea | Item) -> tuple[datetime, int]:
    number, at = turns.get(about.id, (0, about.status_since))
    return max(at, about.status_since), number


def _today(board_id: int, moment: datetime) -> date:
    """Return the day of a moment where the board is."""
    return calendar_of(board_id).today(moment)


def _sorted(found: Sequence[Appointment]) -> list[Appointment]:
    return sorted(found, key=lambda each: (each.on, each.key))
