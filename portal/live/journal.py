"""Reading on in a table that only grows: each row once, also those that became visible out of order."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from portal.db import db, on_sqlite, utcnow
from portal.events import EventRecord
from portal.live.changes import KINDS, Change, Fact, gather, newest

AT_A_TIME = 2_000
WAITED_FOR = 60.0  # seconds for a number that was given out, and whose transaction may yet commit
MOST_WAITED_FOR = 1_000
LOOKED_BACK = 200  # numbers, for some that were left out
MOST_SINCE = 500  # facts that a page may have missed; after more it is got anew
OLDEST, MARGIN = timedelta(minutes=5), timedelta(seconds=3)

FACTS = (EventRecord.id, EventRecord.name, EventRecord.idea_id, EventRecord.data)


class Follower:
    """A place in a table from which reading goes on.

    PostgreSQL gives a number before the row can be seen: a lower one may appear after a higher. SQLite has one writer.
    """

    def __init__(self, *columns: Any) -> None:
        self._id, self._columns = columns[0], columns
        self.newest = 0
        self._missing: dict[int, float] = {}  # numbers left out, and since when

    def start(self) -> None:
        """Go on from here: what is there already was."""
        self._missing = {}
        self.newest = db.session.scalar(select(sa.func.max(self._id))) or 0
        if not on_sqlite():
            lately = set(db.session.scalars(select(self._id).where(self._id > self.newest - 100)))
            self._miss(number for number in range(max(self.newest - 99, 1), self.newest) if number not in lately)

    def read(self) -> Iterator[list[Any]]:
        """Yield what is new, some rows at a time."""
        while rows := self._read():
            yield rows
            if len(rows) < AT_A_TIME:
                return

    @property
    def safe(self) -> int:
        """The number from which whoever was away misses nothing."""
        return min(self._missing) - 1 if self._missing else self.newest

    def _read(self) -> list[Any]:
        new = self._id > self.newest
        if self._missing:
            new |= self._id.in_(list(self._missing))
        rows = list(db.session.execute(select(*self._columns).where(new).order_by(self._id).limit(AT_A_TIME)))
        for row in rows:
            if self._missing.pop(row[0], None) is None:
                if not on_sqlite():
                    self._miss(range(max(self.newest + 1, row[0] - MOST_WAITED_FOR), row[0]))
                self.newest = max(self.newest, row[0])
        self._give_up()
        return rows

    def _miss(self, numbers: Any) -> None:
        now = time.monotonic()
        self._missing.update((number, now) for number in numbers)

    def _give_up(self) -> None:
        over = time.monotonic() - WAITED_FOR
        late = [number for number, since in self._missing.items() if since < over]
        for number in late + list(self._missing)[: max(len(self._missing) - len(late) - MOST_WAITED_FOR, 0)]:
            self._missing.pop(number, None)


class Lately:
    """The end of the journal, read once for all who arrive together and may have missed some of it."""

    def __init__(self) -> None:
        latest = select(*FACTS, EventRecord.at).order_by(EventRecord.id.desc()).limit(MOST_SINCE + 1)
        rows = db.session.execute(latest).all()[::-1]
        self._facts, self._at = [Fact(*row[:4]) for row in rows], [row[4] for row in rows]
        self._is_all = len(rows) <= MOST_SINCE
        self._changes: dict[int, list[Change]] = {}

    def missed(self, after: int | None, age: float | None) -> list[Change] | None:
        """Return what changed after a number, or since a page of this age was made; None where that cannot be said."""
        if after is None and age is None:
            return []
        place = self._after(after) if after is not None else self._of_the_last(age or 0.0)
        if place is None or (place == 0 and not self._is_all):
            return None
        while place < len(self._facts) and self._facts[place].name not in KINDS:
            place += 1  # nothing that pages show: most come to the same place
        if place not in self._changes:
            self._changes[place] = gather(self._facts[place:])
        return self._changes[place]

    def _after(self, number: int) -> int | None:
        newest_there_is = self._facts[-1].id if self._facts else 0
        return bisect_right(self._facts, number, key=attrgetter("id")) if number <= newest_there_is else None

    def _of_the_last(self, seconds: float) -> int | None:
        age = timedelta(seconds=seconds) + MARGIN
        if age > OLDEST:
            return None
        begin = utcnow() - age
        return next((place for place, at in enumerate(self._at) if at >= begin), len(self._at))


def settled() -> int:
    """Return the number from which whoever asks again misses nothing: a number left out of late may yet appear."""
    number = newest()
    if on_sqlite():
        return number
    lately = select(EventRecord.id, EventRecord.at).where(EventRecord.id > number - LOOKED_BACK)
    rows = db.session.execute(lately.order_by(EventRecord.id)).all()
    old = utcnow() - timedelta(seconds=WAITED_FOR)
    return next((left.id for left, right in pairwise(rows) if right.id != left.id + 1 and right.at > old), number)


def since(number: int) -> list[Fact] | None:
    """Return what the journal has after a number; None when it is too much, or no number of this journal."""
    facts = select(*FACTS).where(EventRecord.id > number).order_by(EventRecord.id).limit(MOST_SINCE + 1)
    found = [Fact(*row) for row in db.session.execute(facts)]
    if len(found) > MOST_SINCE:
        return None
    if not found and number > (db.session.scalar(select(sa.func.max(EventRecord.id))) or 0):
        return None
    return found


def of_the_last(seconds: float) -> list[Fact] | None:
    """Return what the journal wrote since a page of this age was made; None when it is too much or too long ago."""
    age = timedelta(seconds=seconds) + MARGIN
    if age > OLDEST:
        return None
    latest = select(*FACTS, EventRecord.at).order_by(EventRecord.id.desc()).limit(MOST_SINCE + 1)
    begin = utcnow() - age
    found = [Fact(*row[:4]) for row in db.session.execute(latest) if row[4] >= begin]
    return None if len(found) > MOST_SINCE else found[::-1]
