"""What a number of votes is made of, what looks odd about it, and votes that do not count while that is looked into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.accounts.models import SPOKEN_FOR, Person, User
from portal.db import count_rows, db, insert_if_absent, lookup, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import heat, supporters
from portal.ideas.models import NOTE_MAX, Idea, Vote, VoteOrigin, VoteSetAside
from portal.ideas.queries import is_seen_by
from portal.ideas.service import lock, lock_in_order, warms
from portal.ideas.supporters import is_counted, is_given_to, self_and_merged
from portal.organisations.events import VotesGivenBack, VotesSetAside
from portal.security.log import note
from portal.text import clean_line

YOUNG = timedelta(days=7)
BURST, WITHIN = 8, timedelta(minutes=10)
MOST_READ = 20_000
SHOWN = 50


class ReasonMissing(Refusal):
    """Votes are set aside for a reason."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("Say what looks odd. The team reads it when somebody asks why."))


class NobodyChosen(Refusal):
    """There is nothing to set aside or to give back."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("Choose whose votes."))


@dataclass(frozen=True, slots=True)
class Cast:
    """One person's vote for an idea as the team looks at it: of several the one that stands for them."""

    voter_id: int
    name: str
    cast_at: datetime
    origin: VoteOrigin
    note: str
    cast_by: str
    joined_at: datetime
    through: int | None  # the merged idea that it was given to
    is_aside: bool
    reason: str = ""
    in_burst: bool = False
    is_stand_in: bool = False

    @property
    def is_young(self) -> bool:
        """Whether the account was younger than a week when it voted; what came from elsewhere never was."""
        return self.origin is VoteOrigin.OWN and self.cast_at - self.joined_at < YOUNG

    @property
    def is_odd(self) -> bool:
        """Whether it is worth a look."""
        return self.is_young or self.in_burst


@dataclass(frozen=True, slots=True)
class Count:
    """What a number is made of: people, each once."""

    total: int
    own: int
    behalf: int
    imported: int
    merged: int  # of these, those who came along with merged ideas
    aside: int  # besides: they do not count
    young: int = 0
    burst: int = 0


def count_of(idea: Idea, viewer: Person) -> Count:
    """Return what everybody may know of a number, in one statement; merges that the viewer may not see are left out.

    Somebody who voted in several ways stands where their first vote for the idea itself stands, else their first.
    """
    seen = select(Idea.id).where(Idea.merged_into_id == idea.id, is_seen_by(viewer))
    own, origin = Vote.idea_id == idea.id, Vote.origin
    counted = is_counted(Vote)
    people = (
        select(
            sa.func.max(sa.case((counted, 1), else_=0)).label("counts"),
            sa.func.max(sa.case((counted & (origin == VoteOrigin.OWN), 1), else_=0)).label("own"),
            sa.func.max(sa.case((counted & (origin == VoteOrigin.BEHALF), 1), else_=0)).label("behalf"),
            sa.func.max(sa.case((counted & own, 1), else_=0)).label("here"),
            sa.func.max(sa.case((counted & Vote.idea_id.in_(seen), 1), else_=0)).label("joined"),
        )
        .where(is_given_to(idea.id))
        .group_by(Vote.voter_id)
        .subquery()
    )

    def number(where: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((where, 1), else_=0)), 0)

    p = people.c
    total, own_, behalf, imported, merged, aside = db.session.execute(
        select(
            number(p.counts == 1),
            number(p.own == 1),
            number((p.behalf == 1) & (p.own == 0)),
            number((p.counts == 1) & (p.own == 0) & (p.behalf == 0)),
            number((p.here == 0) & (p.joined == 1)),
            number(p.counts == 0),
        )
    ).one()
    return Count(total, own_, behalf, imported, merged, aside)


def casts(idea: Idea) -> list[Cast]:
    """Return the votes given to an idea, one for each person, also those set aside; the newest first.

    They are all looked at to see which came in a burst, and so read in one go; no idea is expected to have more than
    the twenty thousand newest that are read here.
    """
    giver = aliased(User)
    rows = (
        select(
            Vote.voter_id,
            User.name,
            Vote.cast_at,
            Vote.origin,
            Vote.note,
            sa.func.coalesce(giver.name, ""),
            User.created_at,
            Vote.idea_id,
            Vote.set_aside_at,
            sa.func.coalesce(VoteSetAside.reason, ""),
            User.email,
            User.leaves_at.is_not(None) | User.erased_at.is_not(None),
        )
        .join(User, User.id == Vote.voter_id)
        .outerjoin(giver, giver.id == Vote.cast_by_id)
        .outerjoin(VoteSetAside, (VoteSetAside.idea_id == Vote.idea_id) & (VoteSetAside.voter_id == Vote.voter_id))
        .where(is_given_to(idea.id))
        .order_by(Vote.cast_at.desc(), Vote.voter_id, Vote.idea_id)
        .limit(MOST_READ)
    )
    stands: dict[int, Cast] = {}
    here: set[int] = set()  # whose vote counts for the idea itself
    for row in db.session.execute(rows):
        cast = _read(tuple(row), idea)
        before = stands.get(cast.voter_id)
        if before is None or _stands_before(cast, before):
            stands[cast.voter_id] = cast
        if cast.through is None and not cast.is_aside:
            here.add(cast.voter_id)
    people = [replace(cast, through=None) if cast.voter_id in here else cast for cast in stands.values()]
    return _with_bursts(sorted(people, key=lambda cast: (cast.cast_at, cast.voter_id), reverse=True))


def in_bursts(moments: Sequence[datetime]) -> list[bool]:
    """Say of each moment, sorted from early to late, whether it is one of many within a few minutes."""
    found, first = [False] * len(moments), 0
    for last, moment in enumerate(moments):
        while moment - moments[first] > WITHIN:
            first += 1
        if last - first + 1 >= BURST:
            found[first : last + 1] = [True] * (last - first + 1)
    return found


def count_in_full(rows: Collection[Cast]) -> Count:
    """Return what a number is made of, with what looks odd about it."""
    counted = [cast for cast in rows if not cast.is_aside]
    origins = Counter(cast.origin for cast in counted)
    return Count(
        total=len(counted),
        own=origins[VoteOrigin.OWN],
        behalf=origins[VoteOrigin.BEHALF],
        imported=origins[VoteOrigin.IMPORTED],
        merged=sum(cast.through is not None for cast in counted),
        aside=len(rows) - len(counted),
        young=sum(cast.is_young for cast in counted),
        burst=sum(cast.in_burst for cast in counted),
    )


def set_aside(idea: Idea, user_ids: Collection[int], actor: User, reason: str) -> int:
    """Let the votes of these people count nowhere until somebody gives them back; return how many people that is.

    Nothing is deleted, and nobody gets around it by voting again. One's own vote stays out of this.
    """
    reason = clean_line(reason)[:NOTE_MAX]
    if len(reason) < 5:
        raise ReasonMissing
    given = is_given_to(idea.id) & is_counted(Vote) & Vote.voter_id.in_(sorted(user_ids)) & (Vote.voter_id != actor.id)
    votes = _locked(idea, given)
    if not votes:
        raise NobodyChosen
    now = utcnow()
    for vote in votes:
        vote.set_aside_at = now
        voted = db.session.get_one(Idea, vote.idea_id)
        if warms(vote, db.session.get_one(User, vote.voter_id), voted):
            voted.heat = heat.without_vote(voted.heat, vote.cast_at)
        for idea_id in {vote.idea_id, idea.id}:
            insert_if_absent(
                VoteSetAside, idea_id=idea_id, voter_id=vote.voter_id, at=now, by_id=actor.id, reason=reason
            )
    people = sorted({vote.voter_id for vote in votes})
    _count_again(idea)
    emit(VotesSetAside(actor_id=actor.id, idea_id=idea.id, user_ids=people, reason=reason))
    note("votes.set_aside", user=None, actor=actor, idea=idea.id, people=len(people))
    return len(people)


def give_back(idea: Idea, user_ids: Collection[int], actor: User) -> int:
    """Let votes that were set aside count again; return how many people that is."""
    votes = _locked(idea, is_given_to(idea.id) & ~is_counted(Vote) & Vote.voter_id.in_(sorted(user_ids)))
    ruled = VoteSetAside.idea_id.in_(self_and_merged(idea.id)) & VoteSetAside.voter_id.in_(sorted(user_ids))
    gone = count_rows(sa.delete(VoteSetAside).where(ruled).execution_options(synchronize_session=False))
    if not votes and not gone:
        raise NobodyChosen
    for vote in votes:
        vote.set_aside_at = None
        voted = db.session.get_one(Idea, vote.idea_id)
        if warms(vote, db.session.get_one(User, vote.voter_id), voted):
            voted.heat = heat.with_vote(voted.heat, vote.cast_at)
    people = sorted({vote.voter_id for vote in votes})
    _count_again(idea)
    emit(VotesGivenBack(actor_id=actor.id, idea_id=idea.id, user_ids=people))
    note("votes.given_back", user=None, actor=actor, idea=idea.id, people=len(people))
    return len(people)


def is_aside_for(idea: Idea, person: Person) -> datetime | None:
    """Return since when this person's vote for the idea does not count; None when it does, or there is none."""
    if not person.is_signed_in:
        return None
    mine = select(sa.func.min(Vote.set_aside_at)).where(Vote.voter_id == person.id, is_given_to(idea.id))
    return None if supporters.counts_already(idea, person) else db.session.scalar(mine)


def given_for(idea: Idea, person: Person) -> Vote | None:
    """Return the vote that the team gave for this person, if it did."""
    if not person.is_signed_in:
        return None
    mine = select(Vote).where(Vote.voter_id == person.id, Vote.origin == VoteOrigin.BEHALF, is_given_to(idea.id))
    return db.session.scalar(mine.order_by(Vote.idea_id).limit(1))


def _read(row: Sequence[Any], idea: Idea) -> Cast:
    voter_id, name, at, origin, words, by, joined_at, idea_id, aside_at, reason, email, gone = row
    return Cast(
        voter_id=voter_id,
        name=str(_("Former member")) if gone else name,
        cast_at=at,
        origin=origin,
        note=words,
        cast_by=by,
        joined_at=joined_at,
        through=None if idea_id == idea.id else idea_id,
        is_aside=aside_at is not None,
        reason=reason,
        is_stand_in=email.endswith(f"@{SPOKEN_FOR}"),
    )


def _locked(idea: Idea, which: sa.ColumnElement[bool]) -> list[Vote]:
    """Hold the idea, then all merged into it, and return the votes in question; none may have joined it elsewhere."""
    if lock(idea).merged_into_id is not None:
        raise Refusal(_("Somebody else was faster. Reload the page to see how things are now."))
    lock_in_order(*db.session.scalars(select(Idea).where(Idea.merged_into_id == idea.id)))
    return list(db.session.scalars(select(Vote).where(which).order_by(Vote.idea_id, Vote.voter_id)))


def _count_again(idea: Idea) -> None:
    """Bring the counters of the idea and of those merged into it in line with their rows."""
    db.session.flush()
    lock(idea).votes = supporters.count_supporters(idea)
    alone = select(Vote.idea_id, sa.func.count()).where(is_counted(Vote)).group_by(Vote.idea_id)
    merged = list(db.session.scalars(select(Idea).where(Idea.merged_into_id == idea.id).order_by(Idea.id)))
    counts = lookup(alone.where(Vote.idea_id.in_([one.id for one in merged])))
    for one in merged:
        one.votes = counts.get(one.id, 0)
    db.session.flush()


def _stands_before(cast: Cast, other: Cast) -> bool:
    """Whether this vote says more of its person: one that counts, their own, one for the idea itself, the earlier."""
    ranks = [
        (one.is_aside, list(VoteOrigin).index(one.origin), one.through is not None, one.cast_at)
        for one in (cast, other)
    ]
    return ranks[0] < ranks[1]


def _with_bursts(rows: list[Cast]) -> list[Cast]:
    """Mark what came in a burst; what was brought in from elsewhere, or by the team, is not looked at."""
    own = sorted((cast for cast in rows if cast.origin is VoteOrigin.OWN), key=lambda cast: cast.cast_at)
    marked = in_bursts([cast.cast_at for cast in own])
    burst = {cast.voter_id for cast, is_marked in zip(own, marked, strict=True) if is_marked}
    return [replace(cast, in_burst=True) if cast.voter_id in burst else cast for cast in rows]
