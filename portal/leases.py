"""Work that waits in a table: due at a moment, claimed by lease, tried ever later, given up where staff see it."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Model, db, skip_locked, utcnow
from portal.transactions import transaction

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


def let_go(work: type[Model], ids: Sequence[int]) -> None:
    """Leave rows that were claimed and not begun to the next worker, as if nobody had looked at them."""
    table: Any = work.__table__
    mine = sa.update(table).where(table.c.id.in_(ids), table.c.locked_by == WORKER_NAME, table.c.done_at.is_(None))
    if ids:
        with transaction(wake=False):
            db.session.execute(mine.values(locked_until=None, locked_by=None, attempts=table.c.attempts - 1))


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
