"""Carrying out acts on many ideas, and taking them back: one idea at a time, so that a crash repeats nothing."""

from __future__ import annotations

import logging

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.bulk import kinds
from portal.bulk.events import ActCarriedOut, ActUndone
from portal.bulk.models import BulkAct, BulkItem, State, Step
from portal.bulk.service import forget_plans
from portal.db import db, lookup, skip_locked, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.models import Idea
from portal.ideas.service import lock
from portal.notifications.mails.letter import in_language_of
from portal.transactions import transaction
from portal.worker import until_stopped

log = logging.getLogger(__name__)

BATCH = 25
AT_ONCE = 20  # what a request does itself; the worker does the rest


def carry_on() -> int:
    """Do a part of what waits, the oldest act first; return with how many ideas."""
    under_way = select(BulkAct.id).where(BulkAct.step.in_([Step.RUNNING, Step.UNDOING])).order_by(BulkAct.id).limit(1)
    act_id = db.session.scalar(under_way)
    return carry_out(act_id, BATCH) if act_id is not None else 0


def carry_out(act_id: int, most: int) -> int:
    """Do an act, or take it back, with at most so many ideas; note its end. Any number of workers may do so at once."""
    for number in until_stopped(range(most)):
        if not _next(act_id):
            return number
    return most


def tidy() -> int:
    """Forget plans that nobody carried out."""
    with transaction(wake=False):
        return forget_plans()


def _next(act_id: int) -> bool:
    """Take the next idea of the act; say whether something was left to do."""
    idea_id = None
    try:
        with transaction(wake=False):
            act = db.session.get_one(BulkAct, act_id)
            idea_id = _claimed(act)
            if idea_id is None:
                return _end(act)
            _take(act, db.session.get_one(BulkItem, (act_id, idea_id)))
    except Refusal as refusal:
        _leave(act_id, idea_id, refusal.message)
    except Exception:
        log.exception("act %s failed with idea %s", act_id, idea_id)
        _leave(act_id, idea_id, _("It went wrong here. The administrators find the reason in the log."))
    return True


def _claimed(act: BulkAct) -> int | None:
    """Hold the next idea until the transaction ends; the last one first where the act is taken back."""
    waiting = select(BulkItem.idea_id).where(BulkItem.act_id == act.id)
    if act.step is Step.RUNNING:
        waiting = waiting.where(BulkItem.state == State.WAITING).order_by(BulkItem.idea_id)
    elif act.step is Step.UNDOING:
        waiting = waiting.where(BulkItem.state == State.DONE).order_by(BulkItem.idea_id.desc())
    else:
        return None
    return db.session.scalar(skip_locked(waiting.limit(1)))


def _take(act: BulkAct, item: BulkItem) -> None:
    idea, actor = db.session.get_one(Idea, item.idea_id), _acting(act)
    with in_language_of(actor):
        if actor is None:
            raise Refusal(_("Whoever began this is here no more."))
        lock(idea)
        if act.step is Step.UNDOING:
            kinds.undo(act, idea, actor, item.before)
            item.state = State.UNDONE
            return
        if act.is_moving and idea.rule.key != item.before["seen"]:
            raise Refusal(_("Somebody moved it to %(status)s meanwhile.", status=idea.rule.label))
        item.before = kinds.do(act, idea, actor)
        item.state = State.DONE


def _acting(act: BulkAct) -> User | None:
    return db.session.get(User, act.what["undone_by"]) if act.step is Step.UNDOING else act.actor


def _leave(act_id: int, idea_id: int | None, why: str) -> None:
    with transaction(wake=False):
        item = db.session.get_one(BulkItem, (act_id, idea_id))
        undoing = item.state is State.DONE
        item.state, item.why = State.KEPT if undoing else State.LEFT_OUT, why[:300]


def _end(act: BulkAct) -> bool:
    """Note that nothing is left, unless another worker still holds something; say False: there is nothing to take."""
    db.session.refresh(act, with_for_update=True)
    left = State.WAITING if act.step is Step.RUNNING else State.DONE
    counts = count_states(act.id)
    if not act.is_under_way or counts.get(left):
        return False
    if act.step is Step.RUNNING:
        act.step, act.done_at = Step.DONE, utcnow()
        done, left_out = counts.get(State.DONE, 0), counts.get(State.LEFT_OUT, 0)
        emit(ActCarriedOut(actor_id=act.actor_id, act_id=act.id, done=done, left_out=left_out))
    else:
        act.step, act.undone_at = Step.UNDONE, utcnow()
        undone, kept = counts.get(State.UNDONE, 0), counts.get(State.KEPT, 0)
        emit(ActUndone(actor_id=act.actor_id, act_id=act.id, undone=undone, kept=kept))
    return False


def count_states(act_id: int) -> dict[State, int]:
    """Count the ideas of an act by what became of it with them."""
    rows = select(BulkItem.state, sa.func.count()).where(BulkItem.act_id == act_id).group_by(BulkItem.state)
    return lookup(rows)
