"""Whether the portal can do its work, part by part, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from portal.db import db, utcnow
from portal.events import OutboxRow
from portal.ideas.models import Idea
from portal.search.index import engine

LATE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Check:
    """One part, and how it is."""

    part: str
    fine: bool
    words: str


def checks() -> list[Check]:
    """Look at each part the portal needs; one that fails does not keep the others from being looked at."""
    return [_look(part, look) for part, look in PARTS.items()]


def database() -> str:
    """Return what is wrong with the database, or nothing."""
    db.session.execute(sa.text("SELECT 1"))
    return ""


def migrations() -> str:
    """Return what is missing in the database's schema, or nothing."""
    config = current_app.extensions["migrate"].migrate.get_config()
    wanted = set(ScriptDirectory.from_config(config).get_heads())
    found = set(MigrationContext.configure(db.session.connection()).get_current_heads())
    return "" if found == wanted else "the schema is not that of this version; run: portal db upgrade"


def index() -> str:
    """Return what is wrong with the search index, or nothing."""
    nothing_to_find = db.session.scalar(sa.select(Idea.id).limit(1)) is None
    if nothing_to_find or engine().is_healthy():
        return ""
    return "the search index is missing or damaged; run: portal search rebuild"


def worker() -> str:
    """Return for how long work has waited when that is too long, or nothing."""
    waits = sa.select(sa.func.min(OutboxRow.available_at)).where(
        OutboxRow.done_at.is_(None), OutboxRow.given_up_at.is_(None)
    )
    oldest = db.session.scalar(waits)
    if oldest is None or utcnow() - oldest < LATE:
        return ""
    minutes = int((utcnow() - oldest).total_seconds() // 60)
    return f"the oldest work has been due for {minutes} minutes; is a worker running?"


PARTS: dict[str, Callable[[], str]] = {
    "database": database,
    "migrations": migrations,
    "search index": index,
    "worker": worker,
}


def _look(part: str, look: Callable[[], str]) -> Check:
    try:
        wrong = look()
    except (SQLAlchemyError, OSError) as error:
        db.session.rollback()
        wrong = f"does not answer ({type(error).__name__})"
    return Check(part, not wrong, wrong or "fine")
