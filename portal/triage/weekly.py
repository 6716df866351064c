"""The weekly note to the team: on Monday morning, to whoever triages, what waits on their boards."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytz
from flask import current_app
from sqlalchemy import Select, select

from portal.accounts.models import User
from portal.accounts.roles import TRIAGERS
from portal.boards.models import BoardMember
from portal.db import db, utcnow
from portal.notifications.digests.turns import TRIAGE_NOTE, does_not_want
from portal.notifications.models import Mail
from portal.notifications.service import queue_letter
from portal.transactions import transaction

MORNING = 8  # o'clock where the portal is
LATE = timedelta(hours=12)  # whoever was off until then reads it next week


def write_to_team() -> int:
    """Queue the note of this Monday morning, once for each who wants it; return how many."""
    now = utcnow()
    morning = _monday_morning(now)
    if now - morning > LATE or current_app.extensions.get(TRIAGE_NOTE) == morning:
        return 0
    current_app.extensions[TRIAGE_NOTE] = morning
    queued = select(Mail.id).where(Mail.kind == TRIAGE_NOTE, Mail.queued_at >= morning)
    if db.session.scalar(queued.limit(1)) is not None:
        return 0
    with transaction():
        readers = list(db.session.scalars(_readers()))
        for user in readers:
            key = f"{TRIAGE_NOTE}-{user.id}-{morning:%Y-%m-%d}"
            queue_letter(TRIAGE_NOTE, to=user.email, user=user, key=key, rationed=False)
    return len(readers)


def _readers() -> Select[User]:
    """Select who triages in the portal or on some board, takes mail, and wants the note."""
    somewhere = select(BoardMember.user_id).where(BoardMember.role.in_(TRIAGERS))
    people = select(User).where(User.role.in_(TRIAGERS) | User.id.in_(somewhere), ~does_not_want(TRIAGE_NOTE))
    reached = people.where(User.wants_mail, User.confirmed_at.is_not(None), User.suspended_at.is_(None))
    return reached.where(User.erased_at.is_(None), User.leaves_at.is_(None)).order_by(User.id)


def _monday_morning(now: datetime) -> datetime:
    """Return when it was last eight on a Monday where the portal is."""
    zone = pytz.timezone(current_app.config["TIMEZONE"])
    here = now.astimezone(zone)
    first_day = here.date() - timedelta(days=here.weekday())
    monday = datetime.combine(first_day, time(MORNING))
    morning: datetime = zone.localize(monday)
    return morning if morning <= now else zone.localize(monday - timedelta(days=7))
