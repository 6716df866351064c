"""What people put aside in triage: snoozed until a day, or done with in one queue. It is theirs alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.db import db, insert_if_absent, moment, utcnow
from portal.errors import Refusal
from portal.ideas.models import Idea
from portal.transactions import transaction
from portal.triage.models import EVERYWHERE, Aside

LONGEST = timedelta(days=366)
OWED_AGAIN = timedelta(days=1)  # what the team owes a word for is nobody's to be done with for longer
KEPT_FOR = timedelta(days=1)
BATCH = 500


def snooze(idea: Idea, until: datetime, user: User) -> None:
    """Take the idea off all queues of this person until then; it comes back by itself."""
    if not utcnow() < until <= utcnow() + LONGEST:
        raise Refusal(_("Choose a day after today, within a year."))
    _put(idea, EVERYWHERE, until, user)


def wake(idea: Idea, user: User) -> None:
    """Let a snoozed idea come back now."""
    _take_back(idea, EVERYWHERE, user)


def finish(idea: Idea, queue: str, user: User) -> None:
    """Take the idea off one queue of this person until something happens to it."""
    now = utcnow()
    owed = idea.due_at is not None and idea.due_at <= now
    _put(idea, queue, now + OWED_AGAIN if owed else None, user)


def unfinish(idea: Idea, queue: str, user: User) -> None:
    """Put the idea back into the queue."""
    _take_back(idea, queue, user)


def snoozed_until(idea: Idea, user: Person) -> datetime | None:
    """Return until when this person snoozed the idea, if they did."""
    return db.session.scalar(*_snoozed_until(user, idea_id=idea.id))


def days_to_choose(zone: tzinfo) -> list[tuple[str, date]]:
    """Return the days that people snooze until most, each with its name."""
    today = utcnow().astimezone(zone).date()
    monday = today + timedelta(days=7 - today.weekday())
    return [
        (_("Tomorrow"), today + timedelta(days=1)),
        (_("In three days"), today + timedelta(days=3)),
        (_("Next Monday"), monday),
        (_("In two weeks"), today + timedelta(days=14)),
        (_("In a month"), today + timedelta(days=30)),
        (_("In three months"), today + timedelta(days=91)),
    ]


def is_aside(viewer: Person, queue: str) -> ColumnElement[bool]:
    """Say which ideas the viewer put aside: snoozed, or done with in this queue and nothing happened to them since."""
    quiet = sa.and_(
        Aside.at >= Idea.status_since,
        Aside.comments >= Idea.comments,
        sa.or_(Idea.due_at.is_(None), Idea.due_at > moment(), Aside.at >= Idea.due_at),
    )
    holds = sa.or_(Aside.until.is_(None), Aside.until > moment())
    mine = (Aside.user_id == viewer.id) & (Aside.idea_id == Idea.id) & holds
    return select(Aside.idea_id).where(mine, sa.or_(Aside.queue == EVERYWHERE, (Aside.queue == queue) & quiet)).exists()


def is_snoozed(viewer: Person) -> ColumnElement[bool]:
    """Say which ideas the viewer snoozed."""
    mine = select(Aside.idea_id).where(Aside.user_id == viewer.id, Aside.queue == EVERYWHERE, Aside.until > moment())
    return Idea.id.in_(mine)


def comes_back(viewer: Person) -> sa.ScalarSelect[datetime | None]:
    """Return when an idea that the viewer snoozed comes back, for use in an order."""
    mine = (Aside.user_id == viewer.id) & (Aside.idea_id == Idea.id) & (Aside.queue == EVERYWHERE)
    return select(Aside.until).where(mine).scalar_subquery()


def forget_old() -> int:
    """Delete what came back a while ago."""
    rows = list(db.session.scalars(select(Aside).where(Aside.until < utcnow() - KEPT_FOR).limit(BATCH)))
    if rows:
        with transaction(wake=False):
            for row in rows:
                db.session.delete(row)
    return len(rows)


@built_once
def _snoozed_until(user: Person, *, idea_id: int) -> sa.Select[datetime | None]:
    mine = select(Aside.until).where(Aside.user_id == user.id, Aside.idea_id == idea_id, Aside.queue == EVERYWHERE)
    return mine.where(Aside.until > moment())


def _put(idea: Idea, queue: str, until: datetime | None, user: User) -> None:
    values = {"at": utcnow(), "until": until, "comments": idea.comments}
    if not insert_if_absent(Aside, user_id=user.id, idea_id=idea.id, queue=queue, **values):
        where = (Aside.user_id == user.id, Aside.idea_id == idea.id, Aside.queue == queue)
        db.session.execute(sa.update(Aside).where(*where).values(**values))


def _take_back(idea: Idea, queue: str, user: User) -> None:
    where = (Aside.user_id == user.id, Aside.idea_id == idea.id, Aside.queue == queue)
    db.session.execute(sa.delete(Aside).where(*where))
