"""What can be done with pairs: keeping two ideas apart for good, and proposing that they are one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import STAFF, Role
from portal.db import db, insert_if_absent, utcnow
from portal.duplicates import finder, queries
from portal.duplicates.events import DuplicateProposed
from portal.duplicates.models import WHY_MAX, Decision, Found, Pair, Proposal, State, Verdict
from portal.duplicates.scan import note
from portal.duplicates.weighing import is_confirmed, weigh
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.events import PairRefused, PairReopened
from portal.ideas.models import Idea
from portal.ideas.service import lock
from portal.ideas.workflow import Status
from portal.search.engine import NeedsRebuild
from portal.text import clean_line

SLIP = timedelta(minutes=10)  # what is taken back sooner was never meant


class CannotPropose(Refusal):
    """These two ideas cannot be proposed as the same."""

    status = 422


class AlreadyDecided(Refusal):
    """Somebody of the team has decided on these two meanwhile."""

    def __init__(self) -> None:
        super().__init__(_("Somebody has decided on these two meanwhile. Reload the page to see how things are now."))


def refuse_pair(one: Idea, other: Idea, actor: User) -> Pair:
    """Two ideas are not the same: nobody is ever told again that they may be. Saying it twice is saying it once."""
    pair = _decide(one, other, actor, State.REFUSED, Verdict.REFUSED)
    emit(PairRefused(actor_id=actor.id, idea_id=pair.first_id, other_id=pair.second_id))
    return pair


def keep_apart(one: Idea, other: Idea, actor: User) -> Pair:
    """Two ideas are the same and stay two, as on one-way boards: the queue asks no more."""
    return _decide(one, other, actor, State.KEPT_APART, Verdict.KEPT_APART)


def reopen_pair(one: Idea, other: Idea, actor: User) -> None:
    """A verdict is taken back; if it was not a merge, it is as if it had never been."""
    pair = _locked(one, other)
    if pair is None or pair.state not in {State.REFUSED, State.KEPT_APART}:
        return
    was_refused = pair.state is State.REFUSED
    db.session.execute(
        sa.update(Decision)
        .where(Decision.first_id == pair.first_id, Decision.second_id == pair.second_id)
        .where(Decision.verdict.in_([Verdict.REFUSED, Verdict.KEPT_APART]), Decision.withdrawn_at.is_(None))
        .values(withdrawn_at=utcnow())
    )
    _open(pair)
    if was_refused:
        emit(PairReopened(actor_id=actor.id, idea_id=one.id, other_id=other.id))


def propose(idea: Idea, other: Idea, member: User, why: str = "") -> Proposal:
    """A member says that ``idea`` is the same as ``other``; both are ideas that they may see."""
    lock(idea)
    _check_proposal(idea, other)
    first, second = sorted((idea.id, other.id))
    insert_if_absent(
        Pair,
        first_id=first,
        second_id=second,
        found=Found.PROPOSED,
        found_at=utcnow(),
        state=State.OPEN,
        mutual=False,
        words="",
        weight=0.0,
        confirmed=False,
    )
    pair = _locked(idea, other)
    if pair is None or pair.state is not State.OPEN:
        raise CannotPropose(_("The team has looked at these two already and keeps them apart."))
    fresh = insert_if_absent(
        Proposal,
        pair_id=pair.id,
        idea_id=idea.id,
        proposer_id=member.id,
        as_champion=_speaks_as_champion(member, idea, other),
        why=clean_line(why)[:WHY_MAX],
        at=utcnow(),
    )
    proposals = queries.proposals_for([pair]).get(pair.id, [])
    pair.confirmed = is_confirmed(proposals)
    pair.weight = weigh(pair, proposals)
    if fresh:
        emit(DuplicateProposed(actor_id=member.id, idea_id=idea.id, other_id=other.id))
    return next(proposal for proposal in proposals if proposal.proposer_id == member.id)


def note_verdict(pair: Pair, verdict: Verdict, at: datetime, actor_id: int | None, change_id: int | None) -> bool:
    """Keep what was decided with what the finder had said before; return whether it was not kept yet."""
    suggested = pair.strength is not None and pair.found is not Found.STAFF
    values = {"strength": pair.strength, "score": pair.score, "rank": pair.rank}
    return insert_if_absent(
        Decision,
        first_id=pair.first_id,
        second_id=pair.second_id,
        verdict=verdict,
        at=at,
        actor_id=actor_id,
        change_id=change_id,
        suggested=suggested,
        **values,
    )


def pair_of(one: Idea, other: Idea) -> Pair:
    """Return the pair of two ideas; of one that nobody had seen before with what the finder thinks of it now."""
    found = _locked(one, other)
    if found is not None:
        return found
    first, second = sorted((one.id, other.id))
    said = {"strength": None, "score": None, "rank": None, "words": ""} | _said_now(one, other)
    values: dict[str, Any] = {"found": Found.STAFF, "found_at": utcnow(), "state": State.OPEN, "weight": 0.0}
    values |= {"confirmed": False, "mutual": False}
    insert_if_absent(Pair, first_id=first, second_id=second, **values, **said)
    made = _locked(one, other)
    assert made is not None  # it was inserted, or somebody else did
    return made


def reopen_after_merge(pair: Pair) -> None:
    """A merge was undone: the two can be looked at again."""
    if pair.state is State.MERGED:
        _open(pair)


def _decide(one: Idea, other: Idea, actor: User, state: State, verdict: Verdict) -> Pair:
    lock(one if one.id < other.id else other)
    lock(other if one.id < other.id else one)
    if Status.MERGED in {one.status, other.status}:
        raise AlreadyDecided
    pair = pair_of(one, other)
    if pair.state is state:
        return pair
    if pair.state is not State.OPEN:
        raise AlreadyDecided
    at = utcnow()
    note_verdict(pair, verdict, at, actor.id, None)
    pair.state, pair.decided_by_id, pair.decided_at = state, actor.id, at
    db.session.flush()
    for idea in (one, other):
        note(idea.id)  # what comes next may be the nearest now
    return pair


def _open(pair: Pair) -> None:
    """Put a pair back where it was; one that only the decision had made goes with it."""
    pair.state, pair.decided_by_id, pair.decided_at = State.OPEN, None, None
    proposals: Sequence[Proposal] = queries.proposals_for([pair]).get(pair.id, [])
    if pair.found is Found.STAFF and not proposals:
        db.session.delete(pair)
    else:
        pair.weight = weigh(pair, proposals)
    db.session.flush()


def _locked(one: Idea, other: Idea) -> Pair | None:
    first, second = sorted((one.id, other.id))
    pair = select(Pair).where(Pair.first_id == first, Pair.second_id == second)
    return db.session.scalar(pair.with_for_update().execution_options(populate_existing=True))


def _said_now(one: Idea, other: Idea) -> dict[str, object]:
    """Return what the finder says of two ideas when asked for either; nothing where it does not see them."""
    try:
        seen = [
            likeness
            for idea, meant in ((one, other), (other, one))
            for likeness in finder.likenesses(idea, finder.RANKED) or ()
            if likeness.idea_id == meant.id
        ]
    except NeedsRebuild:
        return {}
    if not seen:
        return {}
    best = max(seen, key=lambda likeness: likeness.score)
    rank = min(likeness.rank for likeness in seen)
    return {"strength": best.strength, "score": best.score, "rank": rank, "words": " ".join(sorted(best.words))}


def _check_proposal(idea: Idea, other: Idea) -> None:
    if idea.id == other.id:
        raise CannotPropose(_("That is this idea itself. Choose another one."))
    if idea.board.one_way or other.board.one_way:
        raise CannotPropose(_("On a one-way board ideas stay apart, so there is nothing to propose."))
    if not (idea.is_published and other.is_published) or Status.MERGED in {idea.status, other.status}:
        raise CannotPropose(_("Only published ideas that stand for themselves can be joined."))


def _speaks_as_champion(member: User, *ideas: Idea) -> bool:
    """Whether somebody's word weighs more on the boards of these ideas."""
    return all(member.is_one_of(STAFF | {Role.CHAMPION}, idea.board_id) for idea in ideas)
