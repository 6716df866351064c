"""What the passing of time does to ideas."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from portal.boards.calendars import calendar_of
from portal.db import db, utcnow
from portal.events import emit
from portal.ideas.events import InfoStillNeeded
from portal.ideas.models import Idea
from portal.ideas.moves import move_idea, resume_review
from portal.ideas.service import lock
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction

REMIND_AFTER = timedelta(days=7)
BATCH = 100


def return_to_review() -> int:
    """Put back under review what waited for an answer for 21 days, and what was parked until today."""
    published = select(Idea.id).where(Idea.publication == Publication.PUBLISHED).limit(BATCH)
    unanswered = published.where(Idea.status == Status.NEEDS_INFO, Idea.due_at <= utcnow())
    done = 0
    for due, status in (
        (list(db.session.scalars(unanswered)), Status.NEEDS_INFO),
        (_parked_until_today(), Status.NOT_NOW),
    ):
        for idea_id in due:
            with transaction():
                done += _return(lock(db.session.get_one(Idea, idea_id)), status)
    return done


def remind_of_questions() -> int:
    """Remind authors once of a question that has waited for a week."""
    waiting = (
        select(Idea.id)
        .where(Idea.publication == Publication.PUBLISHED, Idea.status == Status.NEEDS_INFO, Idea.reminded_at.is_(None))
        .where(Idea.status_since <= utcnow() - REMIND_AFTER)
        .limit(BATCH)
    )
    done = 0
    for idea_id in list(db.session.scalars(waiting)):
        with transaction():
            done += _remind(lock(db.session.get_one(Idea, idea_id)))
    return done


def _parked_until_today() -> list[int]:
    """Return the parked ideas whose day has begun where their board is."""
    now = utcnow()
    somewhere = now.date() + timedelta(days=1)  # where it has begun already
    parked = select(Idea.id, Idea.board_id, Idea.review_on).where(Idea.publication == Publication.PUBLISHED)
    soon = parked.where(Idea.status == Status.NOT_NOW, Idea.review_on <= somewhere).order_by(Idea.review_on, Idea.id)
    rows = db.session.execute(soon.limit(BATCH)).all()
    return [row.id for row in rows if row.review_on <= calendar_of(row.board_id).today(now)]


def _remind(idea: Idea) -> int:
    if idea.status is not Status.NEEDS_INFO or idea.reminded_at is not None:
        return 0  # another worker was faster
    idea.reminded_at = utcnow()
    emit(InfoStillNeeded(idea_id=idea.id))
    return 1


def _return(idea: Idea, status: Status) -> int:
    if idea.status is not status:
        return 0  # somebody moved it meanwhile
    if status is Status.NEEDS_INFO:
        resume_review(idea, _no_answer((utcnow() - idea.status_since).days))
    else:
        move_idea(idea, Status.UNDER_REVIEW, None, MoveDetails(reason=_("The date to look at it again has come.")))
    return 1


def _no_answer(days: int) -> str:
    return ngettext(
        "No answer came within %(num)d day, so the team decides with what is known.",
        "No answer came within %(num)d days, so the team decides with what is known.",
        days,
    )
