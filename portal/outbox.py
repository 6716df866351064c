"""What still has to follow from the journal: claimed by lease, retried ever later, given up where staff see it."""

from __future__ import annotations

import logging
import os
import random
import uuid
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Mapped, mapped_column

from portal import events
from portal.db import Model, db, skip_locked, utcnow
from portal.transactions import transaction

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
ATTEMPTS = 10
WORKER_NAME = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"


class Leased:
    """A row of work: due at a moment, held by one worker at a time, done or given up in the end."""

    available_at: Mapped[datetime] = mapped_column(default=utcnow)
    attempts: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    locked_by: Mapped[str | None] = mapped_column(sa.String(60))
    done_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(500))

    def put_back(self, reason: str, attempts_allowed: int = ATTEMPTS) -> None:
        """Try again later, after a delay that doubles; after too many attempts set it aside."""
        self.error, self.locked_until, self.locked_by = reason[:500], None, None
        if self.attempts >= attempts_allowed:
            self.given_up_at = utcnow()
        seconds = min(3600, 2**self.attempts) * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, guards nothing
        self.available_at = utcnow() + timedelta(seconds=seconds)


class OutboxRow(Leased, Model):
    """One reaction to one event, to be carried out once."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.UniqueConstraint("event_id", "reaction"),
        sa.Index(
            "ix_outbox_due",
            "available_at",
            "id",
            sqlite_where=sa.text("done_at IS NULL AND given_up_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND given_up_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"))
    reaction: Mapped[str] = mapped_column(sa.String(100))


def claim(
    work: type[Model], limit: int, lease: timedelta = LEASE, where: sa.ColumnElement[bool] | None = None
) -> list[int]:
    """Hold up to ``limit`` due rows for ``lease``, those of which ``where`` is true; return their ids, oldest first."""
    now = utcnow()
    table: Any = work.__table__
    due = (
        sa.select(table.c.id)
        .where(table.c.done_at.is_(None), table.c.given_up_at.is_(None), table.c.available_at <= now)
        .where(sa.or_(table.c.locked_until.is_(None), table.c.locked_until <= now))
        .order_by(table.c.available_at, table.c.id)
        .limit(limit)
    )
    if where is not None:
        due = due.where(where)
    with transaction(wake=False):
        ids = list(db.session.scalars(skip_locked(due)))
        if ids:
            db.session.execute(
                sa.update(table)
                .where(table.c.id.in_(ids))
                .values(locked_until=now + lease, locked_by=WORKER_NAME, attempts=table.c.attempts + 1)
            )
    return ids


def work_off(limit: int = 50) -> int:
    """Carry out due reactions, each in a transaction of its own; return how many were tried.

    A reaction and the mark that it is done are one transaction: what it writes is written once.
    """
    ids = claim(OutboxRow, limit)
    for row_id in ids:
        try:
            with transaction():
                _carry_out(row_id)
        except Exception as error:
            log.warning("reaction of outbox row %s failed", row_id, exc_info=True)
            with transaction(wake=False):
                row = db.session.get_one(OutboxRow, row_id)
                row.put_back(f"{type(error).__name__}: {error}")
    return len(ids)


def _carry_out(row_id: int) -> None:
    row = db.session.get_one(OutboxRow, row_id)
    if row.done_at is not None or row.locked_by != WORKER_NAME:
        return  # another worker took it over after our lease ran out
    row.done_at, row.error = utcnow(), None
    record = db.session.get_one(events.EventRecord, row.event_id)
    by_name = current_app.extensions["reactions_by_name"]
    by_name[row.reaction](events.read(record))
