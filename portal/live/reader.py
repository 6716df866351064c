"""The thread that follows the journal for all open streams of its process."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.db import Pulse, db, utcnow
from portal.live import changes, journal, messages, rights
from portal.live.changes import Change, Fact
from portal.live.hub import Batch, Hub, Stream
from portal.live.inboxes import Inboxes
from portal.live.slow import SlowReaders
from portal.notifications import queries as notifications
from portal.notifications.models import Notification
from portal.zones import told_in

Key = TypeVar("Key")

log = logging.getLogger(__name__)

LOOK_EVERY = 0.4  # seconds between looks when nobody wakes us: another process may have written
GATHER = 0.04  # seconds in which several commits become one look
AGAIN = 0.5  # seconds until the same idea, or the same inbox, is told of again
ATTEND_EVERY = 1.5  # seconds between looks at who is still signed in
COMPARE_EVERY = 0.8  # seconds between looks at who has read something
INBOXES_AT_ONCE = 100  # counted in one look: a decision told to thousands must not hold up votes
SHOWN_FRESH = 5.0  # seconds for which a page's number of unread news is taken to be true
IDEAS_AT_ONCE = 1_000  # looked at together, when very many changed
MOST_AT_ONCE = 60  # messages to one stream in one look; after more the page is got anew
AWAY = (OperationalError, InterfaceError, NoConnection)
"""The database is not there, which says nothing against what was to be told."""


class Reader:
    """Reads on, asks who may hear, and hands what they hear to the hub."""

    def __init__(self, app: Flask, hub: Hub) -> None:
        self._app, self.hub, self._stop = app, hub, False
        self._thread = threading.Thread(target=self._run, name="portal-live", daemon=True)
        with app.app_context():
            self._pulse = Pulse(db.engine)
        self._facts, self._news = (
            journal.Follower(*journal.FACTS),
            journal.Follower(Notification.id, Notification.user_id),
        )
        self._pending: dict[int | None, list[Fact]] = defaultdict(list)
        self._unread: set[int] = set()
        self._told: dict[tuple[str, object], float] = {}
        self._felt: object = None
        self._felt_at_attending: object = None
        self._felt_at_comparing: object = None
        self._attended = self._compared = float("-inf")
        self._inboxes = Inboxes()
        self._follows = False
        self._slow = SlowReaders()

    def start(self) -> None:
        """Begin; each commit of this process wakes it."""
        sa.event.listen(Session, "after_commit", self._on_commit)
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        self._stop = True
        sa.event.remove(Session, "after_commit", self._on_commit)
        self.hub.stirred.set()
        self._thread.join(5)

    def _on_commit(self, _session: Session) -> None:
        self.hub.stirred.set()

    def _run(self) -> None:
        while not self._stop:
            if self.hub.is_empty:
                self._follows = False
                self.hub.stirred.wait()
            else:
                self.hub.stirred.wait(LOOK_EVERY)
                time.sleep(GATHER)
            self.hub.stirred.clear()
            if self._stop or self.hub.is_empty:
                continue
            try:
                with messages.as_for_guests(self._app):
                    self._look()
            except Exception:
                log.exception("open pages could not be told what changed")
                time.sleep(1)

    def _look(self) -> None:
        if not self._follows:
            self._begin()
        felt = self._pulse.feel()
        if felt is None or felt != self._felt:
            self._read()
        self._felt = felt
        self._compare(felt)
        if not self.hub.is_behind:
            self.hub.post(self._batch())
        self._attend(felt)

    def _batch(self) -> Batch:
        """Return what is to be written now; where the database is away, all of it is for the next look."""
        pending, unread, arrived = self._pending.copy(), self._unread.copy(), self.hub.arrivals()
        try:
            batch = self._tell() if self._pending else []
            batch += self._greet(arrived) if arrived else []
            return batch + (self._count() if self._unread else [])
        except AWAY:
            self._pending, self._unread = pending, unread
            self._told.clear()
            self.hub.greet_later(arrived)
            raise

    def _begin(self) -> None:
        self._facts.start()
        self._news.start()
        self._pending.clear()
        self._unread.clear()
        self._told.clear()
        self._felt, self._follows = None, True

    def _read(self) -> None:
        for rows in self._facts.read():
            for fact in (Fact(*row) for row in rows):
                if fact.name in changes.KINDS:
                    self._pending[fact.idea_id].append(fact)
        for rows in self._news.read():
            self._unread.update(self.hub.of_users({row.user_id for row in rows}))

    def _tell(self) -> Batch:
        """Tell of each idea that was not told of just now; the others wait for the next look."""
        due = self._due("idea", list(islice(self._pending, IDEAS_AT_ONCE)))
        facts = [fact for key in due for fact in self._pending.pop(key)]
        number = self._all_told
        found = [(change, streams) for change in changes.gather(facts) if (streams := self.hub.about(change.topics))]
        public = rights.open_to_all(change for change, _streams in found)
        batch: Batch = []
        heard: Counter[Stream] = Counter()
        for change, streams in found:
            for part, ones in self._parts(change, streams, change in public):
                batch += self._write(part, ones, number)
                heard.update(ones)
        too_much = {stream for stream, count in heard.items() if count > MOST_AT_ONCE}
        if too_much:
            batch = [(data, [one for one in ones if one not in too_much]) for data, ones in batch]
            batch.append((messages.event("", number, messages.REFETCH), too_much))
        return batch

    def _parts(self, change: Change, streams: Iterable[Stream], public: bool) -> Iterable[tuple[Change, list[Stream]]]:
        """Return the change as the team hears it, and as everybody else does who may."""
        at_desk = [stream for stream in streams if "triage" in stream.wish.topics]
        works_here = self._may_hear(change, at_desk, team=True) if at_desk else set()
        if works_here:
            yield change, [stream for stream in at_desk if stream.wish.user_id in works_here]
        part = change.in_public
        if part is None:
            return
        topics = part.topics - {"triage"}
        others = [one for one in streams if one.wish.user_id not in works_here or "triage" not in one.wish.topics]
        others = [one for one in others if one.wish.topics & topics]
        if not public:
            allowed = self._may_hear(part, others)
            others = [one for one in others if one.wish.user_id in allowed]
        if others:
            yield part, others

    def _may_hear(self, change: Change, streams: Iterable[Stream], team: bool = False) -> set[int]:
        people = {stream.wish.user_id for stream in streams if stream.wish.user_id is not None}
        return rights.who_may_hear(change, people, team) if people else set()

    @property
    def _all_told(self) -> int:
        """The number up to which nothing waits to be told."""
        return min([self._facts.safe, *(fact.id - 1 for facts in self._pending.values() for fact in facts)])

    def _write(self, change: Change, streams: Iterable[Stream], number: int) -> Batch:
        """Write one change; changes come by number, so whoever is cut off after it goes on with the next."""
        by_locale: dict[str, list[Stream]] = defaultdict(list)
        for stream in streams:
            by_locale[stream.wish.locale].append(stream)
        batch: Batch = []
        for locale, ones in by_locale.items():
            try:
                data = messages.of_change(change, locale)
            except AWAY:
                raise
            except Exception:
                log.exception("what changed of idea %s could not be written; the rest goes on", change.idea_id)
                continue
            if data:
                batch.append((messages.event(data, min(number, change.id)), ones))
        return batch

    def _compare(self, felt: object) -> None:
        """Have those told who have read something: on another device, in another tab, by way of another process."""
        now = time.monotonic()
        if now - self._compared < COMPARE_EVERY or (felt is not None and felt == self._felt_at_comparing):
            return
        self._unread |= self._inboxes.look(self.hub.users())
        self._compared, self._felt_at_comparing = now, felt

    def _count(self) -> Batch:
        """Tell those whose news became more or less how many they have not read."""
        due = self._due("inbox", list(islice(self._unread, INBOXES_AT_ONCE)))
        self._unread.difference_update(due)
        if due and self._unread:
            self.hub.stirred.set()
        batch: Batch = []
        for user_id, streams in self.hub.of_users(due).items():
            user = db.session.get(User, user_id)
            if user is None or not user.is_active:
                continue
            with told_in(user.timezone):  # what happened on one day, by the reader's clock, counts once
                unread, newest = notifications.count_unread(user), notifications.newest_unread(user)
            for stream in streams:
                if data := messages.badge(unread, newest, stream.wish.locale):
                    batch.append((messages.event(data), [stream]))
        return batch

    def _greet(self, streams: list[Stream]) -> Batch:
        """Give new streams the number from which each goes on, and what it missed: made once for all of them."""
        lately, number = journal.Lately(), self._all_told
        greeted: dict[tuple[str, int], list[Stream]] = defaultdict(list)
        listening: dict[Change, list[Stream]] = defaultdict(list)
        too_much: list[Stream] = []
        for stream in streams:
            missed = lately.missed(stream.wish.after, stream.wish.age)
            if missed is None:
                greeted[messages.REFETCH, number].append(stream)
                continue
            theirs = [change for change in missed if change.topics & stream.wish.topics]
            before = min([number, *(change.id - 1 for change in theirs)])
            greeted[messages.HELLO, before].append(stream)
            if len(theirs) > MOST_AT_ONCE:
                too_much.append(stream)
                continue
            for change in theirs:
                listening[change].append(stream)
        batch: Batch = [(messages.event("", place, kind), ones) for (kind, place), ones in greeted.items()]
        if too_much:
            batch.append((messages.event("", number, messages.REFETCH), too_much))
        public = rights.open_to_all(listening)
        for change in sorted(listening, key=lambda change: change.id):
            for part, ones in self._parts(change, listening[change], change in public):
                batch += self._write(part, ones, number)
        self._meet(streams)
        return batch

    def _meet(self, streams: list[Stream]) -> None:
        """Remember what members who arrive have not read; where their page may be out of date, have them told."""
        members = {stream.wish.user_id for stream in streams if stream.wish.user_id is not None}
        old = {one.wish.user_id for one in streams if one.wish.after is not None or (one.wish.age or 0.0) > SHOWN_FRESH}
        self._inboxes.meet(members)
        self._unread |= members & old

    def _attend(self, felt: object) -> None:
        """End the streams of all who are not, or may not, what they were when they came."""
        now = time.monotonic()
        if now - self._attended < ATTEND_EVERY:
            return
        self._attended = now
        streams = self.hub.all()
        rules = rights.house_rules()
        over = [stream for stream in streams if stream.wish.rules != rules] + self._run_out(streams)
        if felt is None or felt != self._felt_at_attending:
            marks = rights.marks({stream.wish.session for stream in streams if stream.wish.session})
            over += [stream for stream in streams if marks.get(stream.wish.session, 0) != stream.wish.mark]
            self._felt_at_attending = felt
        self.hub.close_soon(over)
        self._slow.look({stream.peer for stream in streams})

    def _run_out(self, streams: Iterable[Stream]) -> list[Stream]:
        now = utcnow()
        late = [stream for stream in streams if stream.wish.ends_at is not None and stream.wish.ends_at < now]
        over = rights.run_out({stream.wish.session for stream in late}) if late else set()
        return [stream for stream in late if stream.wish.session in over]

    def _due(self, what: str, keys: Iterable[Key]) -> list[Key]:
        now = time.monotonic()
        if len(self._told) > 10_000:
            self._told = {key: at for key, at in self._told.items() if now - at < AGAIN}
        due = [key for key in keys if key is None or now - self._told.get((what, key), float("-inf")) >= AGAIN]
        self._told.update(((what, key), now) for key in due)
        return due
