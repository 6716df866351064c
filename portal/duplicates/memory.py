"""What follows from merges, wherever they were made: they are remembered with what the finder had said."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import select

from portal.db import db, utcnow
from portal.duplicates import service
from portal.duplicates.events import ProposalSettled
from portal.duplicates.models import Decision, Pair, Proposal, State, Verdict
from portal.duplicates.scan import note
from portal.events import Recorded, emit
from portal.ideas.models import Idea
from portal.transactions import transaction

TOLD_AT_ONCE = 50


def remember_merge(recorded: Recorded) -> None:
    """Two ideas were one after all."""
    event = recorded.event
    pair = _pair(event.idea_id, event.into_id)
    if pair is None:
        return
    service.note_verdict(pair, Verdict.MERGED, recorded.at, event.actor_id, event.change_id)
    idea = db.session.get_one(Idea, event.idea_id)
    if idea.merged_into_id == event.into_id:  # and not taken back already
        pair.state, pair.decided_by_id, pair.decided_at = State.MERGED, event.actor_id, recorded.at
        note(event.into_id)  # what comes next may be the nearest now


def remember_undo(recorded: Recorded) -> None:
    """A merge was taken back; when it was at once, it was a slip and counts for nothing."""
    event = recorded.event
    pair = _pair(event.idea_id, event.from_id)
    if pair is None:
        return
    both = (Decision.first_id == pair.first_id) & (Decision.second_id == pair.second_id)
    merge = db.session.scalar(
        select(Decision).where(both, Decision.verdict == Verdict.MERGED).order_by(Decision.id.desc()).limit(1)
    )
    fresh = service.note_verdict(pair, Verdict.TAKEN_BACK, recorded.at, event.actor_id, event.change_id)
    if fresh and merge is not None and recorded.at - merge.at <= service.SLIP:
        merge.withdrawn_at = recorded.at
        undone = sa.update(Decision).where(both, Decision.change_id == event.change_id)
        db.session.execute(undone.values(withdrawn_at=recorded.at))
    idea = db.session.get_one(Idea, event.idea_id)
    if idea.merged_into_id != event.from_id:
        service.reopen_after_merge(pair)


def remember_objection(recorded: Recorded) -> None:
    """Somebody who came along with a merged idea said that it was not what they meant."""
    event = recorded.event
    pair = _pair(event.idea_id, event.into_id)
    if pair is not None:
        service.note_verdict(pair, Verdict.OBJECTED, recorded.at, event.actor_id, event.change_id)


def tell_proposers() -> int:
    """Tell members what became of what they proposed, once it can no longer be a slip; return how many."""
    due = (
        select(Proposal, Pair)
        .join(Pair, Pair.id == Proposal.pair_id)
        .where(Proposal.told_at.is_(None), Pair.state != State.OPEN, Pair.decided_at <= utcnow() - service.SLIP)
        .limit(TOLD_AT_ONCE)
    )
    if db.session.execute(due).first() is None:
        return 0
    with transaction():
        told = db.session.execute(due.with_for_update(of=Proposal)).all()  # one worker tells each
        for proposal, pair in told:
            proposal.told_at = utcnow()
            emit(
                ProposalSettled(
                    actor_id=pair.decided_by_id,
                    idea_id=proposal.idea_id,
                    other_id=pair.first_id + pair.second_id - proposal.idea_id,
                    user_id=proposal.proposer_id,
                    verdict=pair.state,
                )
            )
    return len(told)


def _pair(one: int | None, other: int | None) -> Pair | None:
    first, second = (db.session.get(Idea, number) if number is not None else None for number in (one, other))
    return service.pair_of(first, second) if first is not None and second is not None else None
