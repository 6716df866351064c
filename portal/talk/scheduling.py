"""Moves and answers that go out at a moment that was chosen: with the rights of that moment, or not at all."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale, get_locale
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import moves, policy
from portal.ideas.models import Idea
from portal.ideas.queries import ideas_visible_to
from portal.ideas.service import lock
from portal.ideas.steps import MoveDetails, Record
from portal.ideas.workflow import move_between, place_named
from portal.talk import drafts
from portal.talk.events import DraftHeldBack, DraftPlanned, DraftUnplanned
from portal.talk.held_back import Held, WhyHeld, reason_of
from portal.talk.models import AnswerDraft, DraftState, ScheduledDraft
from portal.talk.policy import may_write_draft
from portal.transactions import transaction

log = logging.getLogger(__name__)

ANSWER = "answer"
SOONEST, LATEST = timedelta(minutes=1), timedelta(days=366)
AT_ONCE = 20


def plan(draft: AnswerDraft, actor: User, details: MoveDetails, at: datetime) -> ScheduledDraft:
    """Let the draft go out at a moment, as it was checked now; raise what publishing it now would raise."""
    now = utcnow()
    if at < now + SOONEST:
        raise Refusal(_("Choose a moment in the future."))
    if at > now + LATEST:
        raise Refusal(_("Choose a moment within a year."))
    lock(draft.idea)
    db.session.refresh(draft)
    if not draft.is_open:
        raise drafts.DraftClosed(draft)
    _check(draft, actor, details)
    row = db.session.get(ScheduledDraft, draft.id) or ScheduledDraft(draft_id=draft.id)
    row.by_id, row.version, row.seen = actor.id, draft.version, draft.idea.rule.key
    row.details, row.set_at, row.publish_at = written(details), now, at
    row.held_back_at, row.held_why, row.held_facts = None, "", None
    db.session.add(row)
    db.session.flush()
    emit(DraftPlanned(actor_id=actor.id, idea_id=draft.idea_id, draft_id=draft.id, at=at.isoformat()))
    return row


def unplan(draft: AnswerDraft, actor: User) -> None:
    """Let the draft lie until somebody publishes it; twice is once."""
    lock(draft.idea)
    row = db.session.get(ScheduledDraft, draft.id)
    if row is not None:
        waited = row.publish_at is not None
        db.session.delete(row)
        if waited:
            emit(DraftUnplanned(actor_id=actor.id, idea_id=draft.idea_id, draft_id=draft.id))


def publish_due() -> int:
    """Publish what was planned for now, each in a transaction of its own; return how many were looked at."""
    due = select(ScheduledDraft.draft_id).where(ScheduledDraft.publish_at <= utcnow())
    found = db.session.scalars(due.order_by(ScheduledDraft.publish_at, ScheduledDraft.draft_id).limit(AT_ONCE)).all()
    for draft_id in found:
        try:
            with transaction():
                _publish(draft_id)
        except Refusal as refusal:
            _hold_back(draft_id, refusal)
        except OperationalError:
            log.warning("draft %s waits for the database", draft_id, exc_info=True)  # it is due still
        except Exception:
            log.exception("draft %s could not be published", draft_id)
            _hold_back(draft_id, None)
    return len(found)


def written(details: MoveDetails) -> dict[str, Any]:
    """Return what is said with a move as it is kept until then."""
    record = details.record
    return {
        "answer": details.answer,
        "reason": details.reason,
        "alternative": details.alternative,
        "reversal": details.reversal,
        "expected": details.expected,
        "link": details.link,
        "review_on": _day(details.review_on),
        "owner": details.owner.id if details.owner else None,
        "record": {
            "because": record.because,
            "evidence": record.evidence,
            "people": record.people,
            "organisations": record.organisations,
            "back_on": _day(record.back_on),
        },
    }


def read(kept: dict[str, Any]) -> MoveDetails:
    """Return what is said with a move, as it was kept."""
    record, owner_id = kept["record"], kept["owner"]
    return MoveDetails(
        **{name: kept[name] for name in ("answer", "reason", "alternative", "reversal", "expected", "link")},
        review_on=_date(kept["review_on"]),
        owner=db.session.get(User, owner_id) if owner_id else None,
        record=Record(**record | {"back_on": _date(record["back_on"])}),
    )


def _publish(draft_id: int) -> None:
    """Do what was planned in the name of whoever planned it, as if they did it now; raise what keeps it back."""
    draft = db.session.get_one(AnswerDraft, draft_id)
    idea = draft.idea
    lock(idea)
    row = db.session.get(ScheduledDraft, draft_id, populate_existing=True)
    if row is None or row.publish_at is None or row.publish_at > utcnow():
        return
    db.session.refresh(draft)
    actor = row.by
    if actor is None or not actor.is_active or not _is_seen_by(actor, idea):
        raise Held(WhyHeld.PLANNER_GONE)
    if not draft.is_open:
        raise drafts.DraftClosed(draft)
    if draft.version != row.version:
        raise drafts.DraftChanged
    if draft.state in {DraftState.IN_REVIEW, DraftState.SENT_BACK}:
        raise Held(WhyHeld.NOT_APPROVED, state=draft.state)
    if idea.rule.key != row.seen:
        raise Held(WhyHeld.MOVED, status=idea.rule.key)
    details = read(row.details)
    with force_locale(actor.locale or str(get_locale())):  # some rules say no in words alone, and these are kept
        _check(draft, actor, details)
        if draft.target == ANSWER:
            moves.answer_idea(idea, actor, details)
        else:
            goal = place_named(draft.target)
            assert goal is not None  # checked above
            moves.move_idea(idea, goal.kind, actor, details, stage=goal.stage)
        drafts.publish(draft, actor)


def _check(draft: AnswerDraft, actor: User, details: MoveDetails) -> None:
    """Raise what publishing it now would raise."""
    idea = draft.idea
    if not may_write_draft(actor, idea):
        raise Held(WhyHeld.NOT_ON_BOARD, _("You do not work on this board."))
    if draft.target == ANSWER:
        if not policy.may_answer(actor, idea):
            raise Held(WhyHeld.NOT_FOR_THE_TEAM, _("You may not answer for the team here."))
        return
    goal = place_named(draft.target)
    move = move_between(idea.rule, goal) if goal else None
    if goal is None or move is None or not policy.may_make(actor, (move, idea)):
        raise Held(WhyHeld.NOT_OFFERED, _("The workflow offers this move to you no more."))
    moves.check_move(idea, goal, actor, details)


def _hold_back(draft_id: int, refusal: Refusal | None) -> None:
    """Note why it did not go out, and let whoever planned it hear of it."""
    with transaction():
        row = db.session.get(ScheduledDraft, draft_id)
        if row is None or row.publish_at is None:
            return
        row.held_why, row.held_facts = why, facts = reason_of(refusal)
        row.publish_at, row.held_back_at = None, utcnow()
        held = DraftHeldBack(idea_id=row.draft.idea_id, draft_id=draft_id, user_id=row.by_id, held=why, facts=facts)
        emit(held)


def _is_seen_by(actor: User, idea: Idea) -> bool:
    return db.session.scalar(ideas_visible_to(actor).where(Idea.id == idea.id).with_only_columns(sa.true())) is not None


def _day(chosen: date | None) -> str | None:
    return chosen.isoformat() if chosen else None


def _date(kept: str | None) -> date | None:
    return date.fromisoformat(kept) if kept else None
