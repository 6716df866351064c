"""How mails and what else follows are getting on, and what of it can be tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import abort
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from portal.db import db, utcnow
from portal.events import OutboxRow
from portal.leases import Leased
from portal.notifications.models import CaughtMail, Mail, Notification


@dataclass(frozen=True, slots=True)
class MailHealth:
    """How mails and what else follows are getting on: all that admins see of it."""

    waiting: int
    retrying: list[Mail]
    set_aside: list[Mail]
    sent_today: int
    suppressed_today: list[tuple[str, int]]
    oldest_waiting: datetime | None
    outbox_waiting: int
    outbox_failing: list[OutboxRow]


def caught_mails(limit: int = 200) -> list[CaughtMail]:
    """Return the mails kept in the portal, newest first."""
    return list(db.session.scalars(select(CaughtMail).order_by(CaughtMail.id.desc()).limit(limit)))


def get_caught_mail(mail_id: int) -> CaughtMail:
    """Return one of the mails kept in the portal, or answer 404."""
    return db.session.get(CaughtMail, mail_id) or abort(404)


def mail_health(limit: int = 50) -> MailHealth:
    """Return how mails and reactions are getting on."""
    day_ago = utcnow() - timedelta(days=1)
    open_mail = sa.and_(Mail.done_at.is_(None), Mail.given_up_at.is_(None))
    open_row = sa.and_(OutboxRow.done_at.is_(None), OutboxRow.given_up_at.is_(None))
    tried, given_up = Mail.error.is_not(None), Mail.given_up_at.is_not(None)
    mails = select(Mail).options(joinedload(Mail.user), joinedload(Mail.notification).joinedload(Notification.idea))
    failing = sa.or_(OutboxRow.given_up_at.is_not(None), sa.and_(open_row, OutboxRow.error.is_not(None)))
    suppressed = (
        select(Mail.suppressed, sa.func.count())
        .where(Mail.done_at > day_ago, Mail.suppressed.is_not(None))
        .group_by(Mail.suppressed)
        .order_by(sa.func.count().desc())
    )
    return MailHealth(
        waiting=_count(Mail, open_mail),
        retrying=list(db.session.scalars(mails.where(open_mail, tried).order_by(Mail.id).limit(limit))),
        set_aside=list(db.session.scalars(mails.where(given_up).order_by(Mail.id.desc()).limit(limit))),
        sent_today=_count(Mail, sa.and_(Mail.done_at > day_ago, Mail.suppressed.is_(None))),
        suppressed_today=[(why or "", number) for why, number in db.session.execute(suppressed)],
        oldest_waiting=db.session.scalar(select(sa.func.min(Mail.queued_at)).where(open_mail)),
        outbox_waiting=_count(OutboxRow, open_row),
        outbox_failing=list(
            db.session.scalars(select(OutboxRow).where(failing).order_by(OutboxRow.id.desc()).limit(limit))
        ),
    )


def set_aside() -> Sequence[Leased]:
    """Return all mails and reactions that were given up."""
    mails = db.session.scalars(select(Mail).where(Mail.given_up_at.is_not(None)))
    reactions = db.session.scalars(select(OutboxRow).where(OutboxRow.given_up_at.is_not(None)))
    return [*mails, *reactions]


def get_work(kind: str, work_id: int) -> Leased:
    """Return one mail or reaction, or answer 404."""
    if kind == "mails":
        return db.session.get(Mail, work_id) or abort(404)
    return (db.session.get(OutboxRow, work_id) if kind == "outbox" else None) or abort(404)


def _count(table: type[Mail] | type[OutboxRow], which: ColumnElement[bool]) -> int:
    return db.session.scalar(select(sa.func.count()).select_from(table).where(which)) or 0
