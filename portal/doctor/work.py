"""Whether work that waits gets done, and ideas can be found."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import select

from portal.db import db, utcnow
from portal.doctor.findings import Findings, attention, broken, ok
from portal.events import OutboxRow
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication
from portal.notifications.models import Mail
from portal.search.engine import NeedsRebuild
from portal.search.index import engine
from portal.search.models import IndexTask

LATE = timedelta(minutes=10)


def outbox() -> Findings:
    """Whether what follows from changes follows."""
    yield from _work(OutboxRow, "What follows from changes", "consequences of changes", OutboxRow.available_at)


def mails() -> Findings:
    """Whether mails leave in time."""
    yield from _work(Mail, "Mails", "mails", Mail.queued_at)


def index() -> Findings:
    """Whether the search index is sound and holds what there is."""
    rebuild = "Run: portal search rebuild"
    if not engine().is_healthy():
        yield broken(f"The search index is missing or damaged. {rebuild}")
        return
    try:
        found = engine().ids()
    except NeedsRebuild as problem:
        yield broken(f"{problem} {rebuild}")
        return
    noted = set(db.session.scalars(select(IndexTask.idea_id)))
    kept = set(db.session.scalars(select(Idea.id).where(Idea.publication != Publication.REMOVED)))
    missing, extra = kept - found - noted, found - kept - noted
    if missing or extra:
        yield broken(f"The search index lacks {len(missing)} ideas and has {len(extra)} that are gone. {rebuild}")
    else:
        yield ok(f"{len(found)} ideas can be found" + (f", {len(noted)} wait to be read anew." if noted else "."))


def _work(
    table: type[OutboxRow] | type[Mail], what: str, rows: str, since: sa.orm.InstrumentedAttribute[object]
) -> Findings:
    waiting = (table.done_at.is_(None), table.given_up_at.is_(None))
    due = db.session.execute(
        select(sa.func.count(), sa.func.min(table.available_at)).where(*waiting, table.available_at <= utcnow())
    ).one()
    given_up = db.session.scalar(select(sa.func.count()).where(table.given_up_at.is_not(None))) or 0
    if given_up:
        error = db.session.scalar(
            select(table.error).where(table.given_up_at.is_not(None)).order_by(table.id.desc()).limit(1)
        )
        yield attention(f"{given_up} {rows} were set aside after many attempts; the last said: {error}")
    if due[0] and utcnow() - due[1] > LATE:
        minutes = int((utcnow() - due[1]).total_seconds() // 60)
        yield attention(
            f"{due[0]} {rows} wait, the oldest for {minutes} minutes. Does the portal or `portal worker` run?"
        )
    elif not given_up:
        yield ok(f"{what}: {due[0]} waiting, none late or set aside.")
