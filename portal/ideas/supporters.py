"""Who stands behind an idea: the votes that count for it, its own and those that came with merges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

import sqlalchemy as sa
from flask import abort
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from portal.accounts.models import Person, User
from portal.db import UTCDateTime, db, number_of
from portal.ideas.models import Idea, Objection, Vote, VoteSetAside
from portal.ideas.queries import main_of

Number = int | sa.BindParameter[int]


@dataclass(frozen=True, slots=True)
class Ballot:
    """The vote on one idea as one viewer sees it: all that the vote button shows."""

    id: int
    title: str
    votes: int
    cast: bool
    open: bool
    board_id: int | None = None
    dom_class: str = "idea"


def ballot(idea: Idea, viewer: Person) -> Ballot:
    """Return the viewer's ballot; a merged idea shows the main one's votes."""
    main = main_of(idea, viewer) or idea
    return ballot_on(main, viewer.is_signed_in and is_behind(main, viewer))


@dataclass(frozen=True, slots=True)
class Voter:
    """Somebody behind an idea, as the team sees it."""

    user: User
    cast_at: datetime
    through: int | None  # the merged idea that the vote was given to


def voters(idea: Idea, after: tuple[datetime, int] | None = None, limit: int = 100) -> list[Voter]:
    """Return the people behind an idea, each once and with the vote given to it rather than to one merged into it.

    The newest come first, from a place on.
    """
    cast = select(User, Vote.cast_at, Vote.idea_id).join(Vote, Vote.voter_id == User.id)
    cast = cast.where(counts_for(idea.id), _says_it_first(idea.id)).order_by(Vote.cast_at.desc(), User.id.desc())
    if after is not None:
        cast = cast.where(sa.tuple_(Vote.cast_at, User.id) < sa.tuple_(sa.literal(after[0], UTCDateTime), after[1]))
    rows = db.session.execute(cast.limit(limit)).all()
    return [Voter(user, at, None if idea_id == idea.id else idea_id) for user, at, idea_id in rows]


def get_voter(idea: Idea, user_id: int) -> User:
    """Return somebody who is behind the idea, or answer 404."""
    behind = select(Vote.voter_id).where(counts_for(idea.id))
    return db.session.scalar(select(User).where(User.id == user_id, User.id.in_(behind))) or abort(404)


def is_behind(idea: Idea, viewer: Person) -> bool:
    """Whether this person votes for the idea, directly or through one merged into it; whether it counts or not."""
    return db.session.scalar(votes_of(idea.id, viewer).limit(1)) is not None


def votes_of(idea_id: int, viewer: Person) -> Select[int]:
    """Select the votes by which this person is behind the idea."""
    return select(Vote.idea_id).where(Vote.voter_id == viewer.id, is_given_to(idea_id))


def counts_already(idea: Idea, voter: Person) -> bool:
    """Whether a vote of this person counts for the idea, their own or through one merged into it."""
    return bool(db.session.scalar(select(_has_counted(idea.id, voter.id))))


def set_aside_since(idea: Idea, voter: Person) -> datetime | None:
    """Return since when the team counts no vote of this person for the idea; None when it does."""
    return db.session.scalar(_verdict(idea.id, voter.id))


def already_and_aside(idea: Idea, voter: User) -> tuple[bool, datetime | None]:
    """Return both in one statement, which also reads the voter again if need be."""
    values = {"idea_id": idea.id, "voter_id": number_of(voter)}
    _voter, already, aside = db.session.execute(_already_and_aside(), values).one()
    return already, aside


def voted_by(viewer: Person) -> ColumnElement[bool]:
    """Say whether the viewer is behind the idea of the same row."""
    merged = aliased(Idea)
    mine = select(Vote.idea_id).where(Vote.voter_id == viewer.id)
    counted = mine.where(~is_set_apart(Vote.idea_id, Vote.voter_id))
    through = select(merged.id).where(merged.merged_into_id == Idea.id, merged.id.in_(counted)).exists()
    return sa.or_(mine.where(Vote.idea_id == Idea.id).exists(), through)


def count_supporters(idea: Idea) -> int:
    """Count the people behind an idea from the rows, each once, merged ideas included."""
    people = sa.func.count(sa.distinct(Vote.voter_id))
    return db.session.scalar(select(people).where(counts_for(idea.id))) or 0


def counts_for(idea_id: Number) -> ColumnElement[bool]:
    """Say which votes count for an idea: those given to it that nobody set aside.

    Several votes of one person are one supporter.
    """
    return is_given_to(idea_id) & is_counted(Vote)


def is_counted(vote: type[Vote]) -> ColumnElement[bool]:
    """Say which votes count at all: those that the team did not set aside."""
    return vote.set_aside_at.is_(None)


def is_given_to(idea_id: Number) -> ColumnElement[bool]:
    """Say which votes were given to an idea or came with a merge, unless the voter objected; they may be set aside."""
    own = Vote.idea_id == idea_id
    return Vote.idea_id.in_(self_and_merged(idea_id)) & (own | ~is_set_apart(Vote.idea_id, Vote.voter_id))


def is_set_apart(
    idea_id: ColumnElement[int] | InstrumentedAttribute[int], user_id: ColumnElement[int] | InstrumentedAttribute[int]
) -> ColumnElement[bool]:
    """Say whether this person objects to the merge of this idea, and so stays with it alone."""
    objection = select(Objection.id).where(Objection.idea_id == idea_id, Objection.user_id == user_id)
    return objection.where(Objection.ended_at.is_(None)).exists()


def self_and_merged(idea_id: Number) -> Select[int]:
    """Select the idea's id and those of the ideas merged into it."""
    either = aliased(Idea)  # apart from the idea of a statement around this one
    return select(either.id).where(sa.or_(either.id == idea_id, either.merged_into_id == idea_id))


def merged_ids(idea: Idea) -> list[int]:
    """Return the ids of the ideas merged into this one."""
    return list(db.session.scalars(select(Idea.id).where(Idea.merged_into_id == idea.id)))


def ballot_on(main: Idea, cast: bool) -> Ballot:
    """Return the ballot of somebody of whom is known whether they voted."""
    return Ballot(main.id, main.title, main.votes, cast, main.takes_votes, main.board_id)


@cache
def _already_and_aside() -> Select[User, bool, datetime | None]:
    idea_id, voter_id = sa.bindparam("idea_id", type_=sa.Integer()), sa.bindparam("voter_id", type_=sa.Integer())
    both = _has_counted(idea_id, voter_id), _verdict(idea_id, voter_id).scalar_subquery()
    return select(User, *both).where(User.id == voter_id)


def _has_counted(idea_id: Number, voter_id: Number | None) -> ColumnElement[bool]:
    return select(Vote.idea_id).where(Vote.voter_id == voter_id, counts_for(idea_id)).exists()


def _verdict(idea_id: Number, voter_id: Number | None) -> Select[datetime | None]:
    verdicts = select(sa.func.min(VoteSetAside.at)).where(VoteSetAside.voter_id == voter_id)
    return verdicts.where(VoteSetAside.idea_id.in_(self_and_merged(idea_id)))


def _says_it_first(idea_id: int) -> ColumnElement[bool]:
    """Say which of several votes of one person stands for them: the one given to the idea itself, else the first."""
    other = aliased(Vote)
    before = sa.case((other.idea_id == idea_id, 0), else_=other.idea_id)
    this = sa.case((Vote.idea_id == idea_id, 0), else_=Vote.idea_id)
    earlier = select(other.idea_id).where(other.voter_id == Vote.voter_id, before < this)
    given = (other.idea_id == idea_id) | ~is_set_apart(other.idea_id, other.voter_id)
    counted = other.idea_id.in_(self_and_merged(idea_id)) & given & is_counted(other)
    return ~earlier.where(counted).exists()
