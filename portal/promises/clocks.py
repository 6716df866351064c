"""What the passing of time does to promises: the owner of an idea hears of a late one, then those who decide."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytz
import sqlalchemy as sa
from flask import current_app
from sqlalchemy import ColumnElement, Select, select

from portal.accounts.models import User
from portal.accounts.roles import DECIDERS
from portal.boards.models import BoardMember
from portal.db import db, utcnow
from portal.events import emit
from portal.ideas.models import Idea
from portal.ideas.promised import Promise, Promised
from portal.ideas.workflow import Publication
from portal.notifications.digests.turns import LATE_PROMISES, does_not_want
from portal.notifications.service import queue_letter
from portal.options import option
from portal.promises.events import PromiseMissed
from portal.transactions import transaction
from portal.worker import until_stopped

BATCH = 100
LETTER = LATE_PROMISES
MORNING = 8  # o'clock where the portal is


def note_missed() -> int:
    """State once of each promise that its day passed without a word."""
    missed = _late(utcnow()).where(Promise.missed_at.is_(None)).with_only_columns(Promise.id)
    done = 0
    for promise_id in until_stopped(list(db.session.scalars(missed.order_by(Promise.due_at, Promise.id).limit(BATCH)))):
        with transaction():
            done += _note(promise_id)
    return done


def raise_late() -> int:
    """Once each morning write to those who decide of what has been late for some days; return how many letters.

    What nobody looks after is not waited with: nobody has heard of it yet.
    """
    now = utcnow()
    morning = _morning(now)
    if db.session.scalar(select(Promise.id).where(Promise.raised_at >= morning).limit(1)) is not None:
        return 0
    late = sa.and_(Promise.due_at < morning, Promise.raised_at.is_(None), is_due_to_be_raised(morning))
    if db.session.scalar(_late(now).where(late).with_only_columns(Promise.id).limit(1)) is None:
        return 0
    with transaction():
        raised = _late(now).where(late).with_only_columns(Promise.id)
        # Another worker may do the same at this moment: what it has raised is its to tell.
        change = sa.update(Promise).where(Promise.id.in_(raised), Promise.raised_at.is_(None)).values(raised_at=now)
        db.session.execute(change, execution_options={"synchronize_session": False})
        readers = list(db.session.scalars(_deciders()))
        for user in readers:
            key = f"{LETTER}-{user.id}-{morning:%Y-%m-%dT%H:%M}"
            queue_letter(LETTER, to=user.email, user=user, data={"at": now.isoformat()}, key=key, rationed=False)
    return len(readers)


def is_due_to_be_raised(at: datetime) -> ColumnElement[bool]:
    """Say which late promises those who decide hear of: after some days, or at once where nobody owns the idea."""
    return sa.or_(Promise.due_at < at - timedelta(days=option("late_raised_after")), Idea.owner_id.is_(None))


def _late(now: datetime) -> Select[Any]:
    """Select the promises that are late; reviews are made by the portal itself."""
    shown = select(Promise).join(Idea, Idea.id == Promise.idea_id).where(Idea.publication == Publication.PUBLISHED)
    return shown.where(Promise.ended_at.is_(None), Promise.due_at < now, Promise.kind != Promised.REVIEW)


def _note(promise_id: int) -> int:
    promise = db.session.get_one(Promise, promise_id, with_for_update=True, populate_existing=True)
    now = utcnow()
    if promise.missed_at is not None or not promise.is_running or not promise.is_late(now):
        return 0  # another worker was faster, or somebody kept it meanwhile
    promise.missed_at = now
    emit(PromiseMissed(idea_id=promise.idea_id, promise_id=promise.id), now)
    return 1


def _deciders() -> Select[User]:
    """Select who decides in the portal or on some board, and takes mail; what each may read, the letter asks."""
    somewhere = select(BoardMember.user_id).where(BoardMember.role.in_(DECIDERS))
    people = select(User).where(User.role.in_(DECIDERS) | User.id.in_(somewhere))
    people = people.where(~does_not_want(LETTER))
    reached = people.where(User.wants_mail, User.confirmed_at.is_not(None), User.suspended_at.is_(None))
    return reached.where(User.erased_at.is_(None), User.leaves_at.is_(None)).order_by(User.id)


def _morning(now: datetime) -> datetime:
    """Return when it was last eight in the morning where the portal is."""
    here = now.astimezone(pytz.timezone(current_app.config["TIMEZONE"]))
    eight = here.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return eight if eight <= here else eight - timedelta(days=1)
