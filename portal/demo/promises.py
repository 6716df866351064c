"""In the demo, some days were put off in time, as a team does that knows what it owes; and the portal has holidays."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from portal.boards.calendars import ALL, Holiday, Settings, decide_settings
from portal.db import db, utcnow
from portal.events import quietly
from portal.ideas.promised import Outcome, Promise, Promised
from portal.ideas.promises import renew
from portal.transactions import transaction
from portal.working_days import Calendar

ZONE = "Europe/London"
BEFORE = timedelta(days=3)  # the day comes


def put_days_off() -> None:
    """Let four of five updates that came late have been put off in time, and say on which days people work."""
    reasons = (
        _("The people who know the paths are out until the end of the season."),
        _("We wait for the maps of the next valley before we decide."),
        _("A repair came first. This is next."),
    )
    with transaction(wake=False), quietly():
        late = select(Promise).where(Promise.outcome == Outcome.LATE, Promise.kind == Promised.UPDATE)
        for number, promise in enumerate(db.session.scalars(late.order_by(Promise.id)).all()):
            if number % 5:
                _put_off(promise, reasons[number % len(reasons)])
        on = select(Promise).where(
            Promise.ended_at.is_(None), Promise.due_at > utcnow(), Promise.kind == Promised.UPDATE
        )
        for number, promise in enumerate(db.session.scalars(on.order_by(Promise.due_at, Promise.id).limit(3)).all()):
            later = Calendar(ZONE).due(promise.due_at, 14)
            renew(promise.idea, later, reasons[number], max(utcnow() - BEFORE, promise.made_at))
        decide_settings(ALL, Settings(zone=ZONE, holidays=_holidays()))


def _put_off(promise: Promise, reason: str) -> None:
    ended, first = promise.ended_at, promise.due_at
    if ended is None:
        return
    promise.outcome, promise.reason, promise.ended_at = Outcome.RENEWED, reason, max(first - BEFORE, promise.made_at)
    db.session.add(
        Promise(
            idea_id=promise.idea_id,
            kind=promise.kind,
            status=promise.status,
            made_at=promise.ended_at,
            due_at=ended + BEFORE,
            ended_at=ended,
            outcome=Outcome.KEPT,
        )
    )


def _holidays() -> tuple[Holiday, ...]:
    return (
        Holiday(1, 1, name=_("New Year's Day")),
        Holiday(12, 25, name=_("Christmas Day")),
        Holiday(12, 26, name=_("Boxing Day")),
    )
