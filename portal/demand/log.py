"""The log of searches: kept in memory, and written down in batches, so that no search waits for it or fails by it."""

from __future__ import annotations

import atexit
import logging
import secrets
import threading
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from itsdangerous import BadSignature, TimestampSigner

from portal.db import db, utcnow
from portal.demand.models import NotedSearch, Reach, Searcher
from portal.demand.wording import goes_on
from portal.transactions import transaction

log = logging.getLogger(__name__)

TYPING = timedelta(seconds=30)  # what goes on within it is one search, still being typed
NEAR = timedelta(minutes=1)  # the same for searches that are written down, of which only the minute is kept
OPENED_WITHIN = timedelta(minutes=30)  # for how long a link in results says where it was followed from
LOOKED_THROUGH = 50  # searches, the latest, for what is typed on: on a busy portal one may count twice
MOST = 2_000  # searches, and links followed, that wait to be written down; a flood is not worth more


@dataclass(slots=True)
class Noted:
    """A search that is not written down yet."""

    key: str
    words: str
    stems: str
    found: int
    by: Searcher
    reach: Reach
    at: datetime
    opened: bool = False


class SearchLog:
    """What one process has noted since it last wrote: without names, addresses or sessions, so none can leak."""

    def __init__(self, app: Flask) -> None:
        self._app, self._lock = app, threading.Lock()
        self._waiting: dict[str, Noted] = {}  # by their keys, the one that was typed last at the end
        self._followed: dict[str, datetime] = {}  # tokens of links, until it is known whose they are
        self._timer: threading.Timer | None = None
        secret = app.secret_key or ""
        self._signer = TimestampSigner(secret, salt="search followed")

    def note(self, noted: Noted) -> str:
        """Remember a search and return the token for the links in its results; typing on is the same search."""
        with self._lock:
            before = self._typed_before(noted)
            if before is not None:
                del self._waiting[before.key]
                noted.key = before.key
                if before.words == noted.words:  # narrowed down, or looked at once more
                    noted.found = max(before.found, noted.found)
            if len(self._waiting) < MOST:
                self._waiting[noted.key] = noted
        self._write_soon()
        return self._signer.sign(noted.key).decode()

    def follow(self, token: str) -> None:
        """Remember that a link in some results was followed; whether there was such a search shows later."""
        with self._lock:
            if len(token) <= 100 and len(self._followed) < MOST:
                self._followed.setdefault(token, utcnow())
        self._write_soon()

    def write_down(self, everything: bool = False) -> int:
        """Write what is no longer being typed; return how many searches that were."""
        with self._lock:
            self._timer = None
            settled = utcnow() - TYPING
            batch = [noted for noted in self._waiting.values() if everything or noted.at <= settled]
            for noted in batch:
                del self._waiting[noted.key]
            keys = {key: token for token in self._followed if (key := self._key_in(token))}
            for noted in [*batch, *self._waiting.values()]:
                noted.opened = noted.opened or noted.key in keys
                self._followed.pop(keys.pop(noted.key, ""), None)
            self._followed = {token: at for token, at in self._followed.items() if at > utcnow() - OPENED_WITHIN}
        try:
            written = _write(batch, list(keys))
        except Exception:
            with self._lock:
                self._waiting = {noted.key: noted for noted in batch} | self._waiting
            raise
        finally:
            self._write_soon()
        with self._lock:
            for key in written:
                self._followed.pop(keys[key], None)
        return len(batch)

    def write_at_last(self) -> None:
        """Write all that is left before this process ends; one that was forked has to ask for it."""
        if self._waiting or self._followed:
            self._write_in_background(everything=True)

    def _typed_before(self, noted: Noted) -> Noted | None:
        for before in islice(reversed(self._waiting.values()), LOOKED_THROUGH):
            if before.at < noted.at - TYPING:
                return None
            same = (before.by, before.reach) == (noted.by, noted.reach)
            if same and not before.opened and goes_on(before.words, noted.words):
                return before
        return None

    def _key_in(self, token: str) -> str:
        try:
            return self._signer.unsign(token, max_age=int(OPENED_WITHIN.total_seconds())).decode()
        except BadSignature:
            return ""

    def _write_soon(self) -> None:
        """Write when the minute is full: then all that is kept of pages ends anyway, so that no page is made anew."""
        if self._timer is not None or self._app.testing or not (self._waiting or self._followed):
            return
        if not hasattr(self, "_ends"):
            self._ends = atexit.register(self.write_at_last)
        now = utcnow()
        self._timer = threading.Timer(60.2 - now.second - now.microsecond / 1e6, self._write_in_background)
        self._timer.daemon = True
        self._timer.start()

    def _write_in_background(self, everything: bool = False) -> None:
        try:
            with self._app.app_context():
                self.write_down(everything)
        except Exception:
            log.exception("searches could not be written down")


def init_app(app: Flask) -> None:
    """Give the app a log."""
    app.extensions["search log"] = SearchLog(app)


def search_log() -> SearchLog:
    """Return the log of this process."""
    kept: SearchLog = current_app.extensions["search log"]
    return kept


def new_key() -> str:
    """Return a name for one search that says nothing about it."""
    return secrets.token_hex(8)


def _write(batch: list[Noted], followed: list[str]) -> list[str]:
    """Write the searches, and mark those whose links were followed; return the keys that were marked."""
    if not batch and not followed:
        return []
    with transaction(wake=False):
        rows = _without_halves(batch)
        if rows:
            db.session.execute(sa.insert(NotedSearch), rows)
        known = list(db.session.scalars(sa.select(NotedSearch.key).where(NotedSearch.key.in_(followed))))
        db.session.execute(sa.update(NotedSearch).where(NotedSearch.key.in_(known)).values(opened=True))
    return known


def _without_halves(batch: list[Noted]) -> list[dict[str, Any]]:
    """Leave out what another process knows as typed on, and drop what it wrote down half-typed."""
    if not batch:
        return []
    since = _minute(min(noted.at for noted in batch)) - NEAR
    rows = db.session.execute(
        sa.select(NotedSearch.id, NotedSearch.words, NotedSearch.by, NotedSearch.reach, NotedSearch.at)
        .where(NotedSearch.at >= since, ~NotedSearch.opened)
        .limit(MOST)
    ).all()
    kept, dropped = [], set()
    for noted in batch:
        near = [
            row
            for row in rows
            if (row.by, row.reach) == (noted.by, noted.reach)
            and row.words != noted.words
            and goes_on(row.words, noted.words)
            and abs(row.at - _minute(noted.at)) <= NEAR
        ]
        if any(len(row.words) > len(noted.words) for row in near):
            continue
        dropped |= {row.id for row in near}
        kept.append(asdict(noted) | {"at": _minute(noted.at), "day": noted.at.date()})
    db.session.execute(sa.delete(NotedSearch).where(NotedSearch.id.in_(dropped)))
    return kept


def _minute(at: datetime) -> datetime:
    """Leave out the seconds, by which a search could be found in other logs."""
    return at.replace(second=0, microsecond=0)
