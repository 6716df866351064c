"""What the passing of time does to the question whether it helped, and what follows from moves."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Select, select

from portal.db import db, utcnow
from portal.events import Recorded
from portal.ideas.models import Idea
from portal.ideas.service import lock
from portal.ideas.taking_back import last_move
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from portal.verdicts import service
from portal.verdicts.models import Round
from portal.verdicts.rules import SETTLES_AFTER
from portal.worker import until_stopped

BATCH = 50
LOOKED_AT_EVERY = timedelta(hours=1)


def plan_to_ask(recorded: Recorded) -> None:
    """Plan to ask about what came out, unless it moved on meanwhile; wait for no answers about what moved away."""
    idea = db.session.get(Idea, recorded.event.idea_id)
    if idea is None:
        return
    lock(idea)
    service.end_rounds(idea)
    target = Status(recorded.event.target)
    if target in service.ASKED_ABOUT and last_move(idea) == recorded.event.change_id:
        service.begin(idea, recorded.event.change_id, target)


def end_after_undo(recorded: Recorded) -> None:
    """Ask nobody about what came out by mistake, and go on asking about what was moved away by mistake."""
    idea = db.session.get(Idea, recorded.event.idea_id)
    if idea is not None:
        lock(idea)
        service.end_rounds(idea)
        service.resume(idea)


def ask_due() -> int:
    """Ask about what came out long enough ago; return how many rounds began."""
    due = _of_ideas_in_sight().where(Round.asked_at.is_(None), Round.ask_at <= utcnow())
    done = 0
    for round_id in until_stopped(list(db.session.scalars(due.order_by(Round.ask_at, Round.id).limit(BATCH)))):
        with transaction():
            done += service.ask(db.session.get_one(Round, round_id))
    return done


def conclude_due() -> int:
    """End the rounds that time decides; return how many. A round that goes on is looked at again in an hour."""
    now = utcnow()
    running = _of_ideas_in_sight().where(
        Round.asked_at <= now - SETTLES_AFTER, Round.looked_at <= now - LOOKED_AT_EVERY
    )
    done = 0
    for round_id in until_stopped(list(db.session.scalars(running.order_by(Round.looked_at, Round.id).limit(BATCH)))):
        with transaction():
            done += service.conclude(db.session.get_one(Round, round_id)) is not None
    return done


def _of_ideas_in_sight() -> Select[int]:
    open_ones = select(Round.id).join(Idea, Idea.id == Round.idea_id).where(Round.ended_at.is_(None))
    return open_ones.where(Idea.publication == Publication.PUBLISHED)
