"""Reading decisions, each time from what the viewer may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask import abort
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased, joinedload

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.accounts.roles import STAFF_READERS
from portal.boards.models import Board, BoardMember
from portal.boards.queries import is_worked_on_by
from portal.comments.models import Comment
from portal.db import UTCDateTime, db, lookup
from portal.decisions.models import DECIDED, REVERSIBLE, Decision, Need, Reason
from portal.ideas.models import Idea, StatusChange, Vote
from portal.ideas.queries import is_seen_by
from portal.ideas.supporters import counts_for, self_and_merged
from portal.ideas.workflow import Status
from portal.organisations.models import OrganisationMember
from portal.organisations.queries import organisations_behind

WORDS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Demand:
    """Who asked again since an idea was decided: votes, words that it is still needed, and comments."""

    people: int  # each once, who voted since or still need it
    votes: int
    needs: int
    comments: int

    @property
    def is_there(self) -> bool:
        """Whether anybody asked again."""
        return bool(self.people or self.comments)


NOBODY = Demand(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the page of a decided idea shows of the decision: its record, who asked again, and the viewer's own need."""

    idea: Idea
    record: Decision | None
    demand: Demand
    mine: Need | None

    @property
    def asks(self) -> bool:
        """Whether people can say here that they still need it."""
        return self.idea.status is Status.DECLINED and self.idea.is_published

    @property
    def says_more(self) -> bool:
        """Whether there is something to show under the answer."""
        return self.asks or self.demand.is_there


def standing(idea: Idea) -> Decision | None:
    """Return the decision by which the idea stands where it stands; None while it is undecided."""
    if idea.status not in DECIDED:
        return None
    made = select(Decision).where(Decision.idea_id == idea.id, Decision.status == idea.status)
    found = made.where(Decision.at == idea.status_since, ~_is_undone()).order_by(Decision.id.desc()).limit(1)
    return db.session.scalar(found.options(joinedload(Decision.reason)))


def stands() -> ColumnElement[bool]:
    """Say whether a decision of the same row as its idea is the one by which the idea stands."""
    return (Decision.status == Idea.status) & (Decision.at == Idea.status_since)


def of_idea(idea: Idea) -> list[Decision]:
    """Return every decision on the idea that was not taken back at once, newest first."""
    return list(db.session.scalars(*_made_on(idea_id=idea.id)))


def standing_for(idea: Idea, viewer: Person, made: Sequence[Decision] | None = None) -> Standing | None:
    """Return what pages show of the idea's decision; None while it is undecided. ``made`` are all its decisions."""
    if idea.status not in DECIDED:
        return None
    record = standing(idea) if made is None else next((each for each in made if is_standing(each, idea)), None)
    if idea.status not in REVERSIBLE:
        return Standing(idea, record, NOBODY, None)
    mine = db.session.get(Need, (idea.id, viewer.id)) if viewer.is_signed_in else None
    current = mine if mine is not None and mine.at >= idea.status_since else None
    return Standing(idea, record, demand_for(idea), current)


def demand_for(idea: Idea) -> Demand:
    """Count who asked again since the idea stands where it stands, through ideas merged into it too.

    Only votes that count do; the team's own comments and those of people who left no words do not.
    """
    asked = _numbers_asking_again(idea_id=idea.id, board_id=idea.board_id, since=idea.status_since)
    return Demand(*db.session.execute(*asked).one())


def people_asking_again(idea: Idea) -> sa.CompoundSelect[int]:
    """Select who voted since the idea stands where it stands, or says that it is still needed, each once."""
    return _asking_since(idea.id, idea.status_since)


def count_organisations(idea: Idea) -> int:
    """Count the organisations behind the idea, and those whose people say that they still need it, each once."""
    needs = select(Need.user_id).where(Need.idea_id.in_(self_and_merged(idea.id)), Need.at >= idea.status_since)
    theirs = select(OrganisationMember.organisation_id).where(OrganisationMember.user_id.in_(needs))
    theirs = theirs.where(OrganisationMember.organisation_id.is_not(None))
    both = organisations_behind(idea.id).union(theirs).subquery()
    return db.session.scalar(select(sa.func.count()).select_from(both)) or 0


def words_of(idea: Idea) -> list[Need]:
    """Return what people wrote to the team who still need it, newest first."""
    said = select(Need).where(
        Need.idea_id.in_(self_and_merged(idea.id)), Need.at >= idea.status_since, Need.words != ""
    )
    found = said.options(joinedload(Need.user)).order_by(Need.at.desc(), Need.user_id.desc())
    return list(db.session.scalars(found.limit(WORDS_SHOWN)))


# Reasons


def list_reasons(*, retired: bool = False) -> list[Reason]:
    """Return the list of reasons in its order; ``retired`` ones on demand only."""
    reasons = select(Reason).order_by(Reason.position, Reason.id)
    return list(db.session.scalars(reasons if retired else reasons.where(Reason.retired_at.is_(None))))


def reasons_for(status: Status) -> list[Reason]:
    """Return the reasons that a decision of this kind can be made for."""
    return [reason for reason in list_reasons() if reason.fits(status)] if status in DECIDED else []


def get_reason(reason_id: int) -> Reason:
    """Return one reason, or answer 404."""
    return db.session.get(Reason, reason_id) or abort(404)


def times_given() -> dict[int, int]:
    """Count for how many decisions each reason was given."""
    given = select(Decision.reason_id, sa.func.count()).where(Decision.reason_id.is_not(None))
    rows = db.session.execute(given.group_by(Decision.reason_id))
    return {reason_id: number for reason_id, number in rows if reason_id is not None}


# The list of the team


@dataclass(frozen=True, slots=True)
class Filters:
    """Which decisions to list."""

    status: Status | None = None
    reason_id: int | None = None
    only: str = ""  # "standing", "reopened" or "" for all
    board: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One decision in the list, with what became of it."""

    decision: Decision
    stands: bool
    asking: int  # people who asked again, while it stands


def list_decisions(
    viewer: Person, filters: Filters, after: tuple[datetime, int] | None = None, limit: int = 50
) -> list[Line]:
    """Return decisions on boards this person works on, newest first."""
    made = (
        decisions_readable_by(viewer)
        .options(
            joinedload(Decision.idea).joinedload(Idea.board),
            joinedload(Decision.reason),
            joinedload(Decision.decider),
            joinedload(Decision.answer),
        )
        .order_by(Decision.at.desc(), Decision.id.desc())
    )
    if filters.status is not None:
        made = made.where(Decision.status == filters.status)
    if filters.reason_id is not None:
        made = made.where(Decision.reason_id == filters.reason_id)
    if filters.only:
        made = made.where(stands() if filters.only == "standing" else ~stands())
    if filters.board:
        made = made.where(Idea.board_id.in_(select(Board.id).where(Board.slug == filters.board)))
    if after is not None:
        place = sa.tuple_(sa.literal(after[0], UTCDateTime), after[1])
        made = made.where(sa.tuple_(Decision.at, Decision.id) < place)
    found = list(db.session.scalars(made.limit(limit)))
    asking = _asking_again([d.idea for d in found if d.status in REVERSIBLE and is_standing(d, d.idea)])
    return [Line(each, is_standing(each, each.idea), asking.get(each.idea_id, 0)) for each in found]


def decisions_readable_by(viewer: Person) -> Select[Decision]:
    """Select the decisions on boards where this person sees what the team sees."""
    boards = select(Board.id).where(is_worked_on_by(viewer, STAFF_READERS))
    made = select(Decision).join(Idea, Idea.id == Decision.idea_id).where(is_seen_by(viewer), ~_is_undone())
    return made.where(Idea.board_id.in_(boards))


def is_standing(decision: Decision, idea: Idea) -> bool:
    """Whether the idea stands where it stands by this decision."""
    return idea.status is decision.status and idea.status_since == decision.at


def _asking_again(ideas: Sequence[Idea]) -> dict[int, int]:
    """Count for each idea who says that it is still needed or voted for it directly since; one statement each."""
    ids = [idea.id for idea in ideas]
    if not ids:
        return {}
    since = select(Vote.idea_id.label("idea_id"), Vote.voter_id.label("user_id")).join(Idea, Idea.id == Vote.idea_id)
    votes = since.where(Vote.idea_id.in_(ids), Vote.cast_at > Idea.status_since, Vote.set_aside_at.is_(None))
    still = select(Need.idea_id.label("idea_id"), Need.user_id.label("user_id")).join(Idea, Idea.id == Need.idea_id)
    both = sa.union(votes, still.where(Need.idea_id.in_(ids), Need.at >= Idea.status_since)).subquery()
    return lookup(select(both.c.idea_id, sa.func.count()).group_by(both.c.idea_id))


def _is_undone() -> ColumnElement[bool]:
    made_by = aliased(StatusChange)  # looked up one by one: all that was ever taken back is found by no index
    undone = select(made_by.id).where(made_by.id == Decision.change_id, made_by.undone_at.is_not(None))
    return undone.correlate(Decision).exists()


@built_once
def _made_on(*, idea_id: int) -> Select[Decision]:
    made = select(Decision).where(Decision.idea_id == idea_id, ~_is_undone())
    loaded = made.options(joinedload(Decision.reason), joinedload(Decision.decider))
    return loaded.order_by(Decision.at.desc(), Decision.id.desc())


@built_once
def _numbers_asking_again(*, idea_id: int, board_id: int, since: datetime) -> Select[int, int, int, int]:
    ids = self_and_merged(idea_id)
    votes = select(sa.func.count(sa.distinct(Vote.voter_id))).where(counts_for(idea_id), Vote.cast_at > since)
    needs = select(sa.func.count(sa.distinct(Need.user_id))).where(Need.idea_id.in_(ids), Need.at >= since)
    said = (
        select(sa.func.count(Comment.id))
        .where(Comment.idea_id.in_(ids), Comment.at > since, Comment.deleted_at.is_(None))
        .where(Comment.author_id.not_in(_team_of(board_id)))
    )
    people = select(sa.func.count()).select_from(_asking_since(idea_id, since).subquery())
    return select(people.scalar_subquery(), votes.scalar_subquery(), needs.scalar_subquery(), said.scalar_subquery())


def _asking_since(idea_id: int, since: datetime) -> sa.CompoundSelect[int]:
    votes = select(Vote.voter_id.label("user_id")).where(counts_for(idea_id), Vote.cast_at > since)
    needs = select(Need.user_id.label("user_id")).where(Need.idea_id.in_(self_and_merged(idea_id)), Need.at >= since)
    return sa.union(votes, needs)


def _team_of(board_id: int) -> sa.CompoundSelect[int]:
    """Select who speaks for the team about ideas of this board, in the portal or there."""
    here = select(BoardMember.user_id).where(BoardMember.board_id == board_id, BoardMember.role.in_(STAFF_READERS))
    return sa.union(select(User.id).where(User.role.in_(STAFF_READERS)), here)
