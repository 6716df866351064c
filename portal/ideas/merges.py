"""Reading merges: what was joined to an idea, who objects, and until when one may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import aliased, joinedload

from portal.accounts.models import Person
from portal.accounts.readers import built_once
from portal.db import db, utcnow
from portal.ideas.models import Follow, Idea, Objection, StatusChange, Vote
from portal.ideas.queries import ideas_visible_to
from portal.ideas.workflow import Status

WINDOW = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Joined:
    """An idea that was merged into another, with the merge and how many people object to it."""

    idea: Idea
    change: StatusChange
    objections: int


@dataclass(frozen=True, slots=True)
class Consent:
    """What a merge means to one supporter of the merged idea, and what they can say about it."""

    idea: Idea
    main: Idea | None  # None also when its reader may not know of it
    change: StatusChange
    objection: Objection | None
    votes: bool  # whether they vote for the merged idea
    votes_for_main: bool  # by a vote of their own, which no objection touches

    dom_class = "consent"

    @property
    def id(self) -> int:
        """What it is known by on the page."""
        return self.idea.id

    @property
    def until(self) -> datetime:
        """The end of the days in which one may object, and take that back."""
        return self.change.at + WINDOW

    @property
    def is_open(self) -> bool:
        """Whether something can still be said."""
        return utcnow() < self.until


def merge_of(idea: Idea) -> StatusChange | None:
    """Return the merge by which an idea is joined to its main one; None while it stands for itself."""
    if idea.status is not Status.MERGED:
        return None
    merges = select(StatusChange).where(StatusChange.idea_id == idea.id, StatusChange.target == Status.MERGED)
    return db.session.scalar(merges.order_by(StatusChange.id.desc()).limit(1))


def merged_ideas(main: Idea, viewer: Person) -> list[Joined]:
    """Return the ideas merged into this one that the viewer may know of, oldest first."""
    rows = db.session.execute(*_merged_into(viewer, main_id=main.id))
    return [Joined(idea, change, number) for idea, change, number in rows]


def consent_of(idea: Idea, person: Person, main: Idea | None) -> Consent | None:
    """Return what this person may say about the merge of an idea; None where it does not concern them."""
    change = merge_of(idea) if person.is_signed_in else None
    if change is None:
        return None
    objection = db.session.scalar(
        select(Objection).where(Objection.change_id == change.id, Objection.user_id == person.id)
    )
    votes = db.session.get(Vote, (idea.id, person.id)) is not None
    if not votes and objection is None and not _is_told(idea, person, change):
        return None
    votes_for_main = db.session.get(Vote, (idea.merged_into_id, person.id)) is not None
    return Consent(idea, main, change, objection, votes, votes_for_main)


def _is_told(idea: Idea, person: Person, change: StatusChange) -> bool:
    """Whether a merge concerns somebody who does not vote: the author, and whoever followed the idea by then."""
    follow = db.session.get(Follow, (idea.id, person.id))
    return idea.author_id == person.id or (follow is not None and not follow.muted and follow.since <= change.at)


def objections(idea: Idea) -> Sequence[Objection]:
    """Return what supporters say against the merge of an idea, the oldest first."""
    standing = select(Objection).where(Objection.idea_id == idea.id, Objection.ended_at.is_(None))
    named = standing.options(joinedload(Objection.user)).order_by(Objection.at, Objection.id)
    return db.session.scalars(named).all()


def count_objections(idea_id: int) -> int:
    """Count the people who object to the merge of an idea."""
    standing = select(sa.func.count()).where(Objection.idea_id == idea_id, Objection.ended_at.is_(None))
    return db.session.scalar(standing) or 0


@built_once
def _merged_into(viewer: Person, *, main_id: int) -> Select[Idea, StatusChange, int]:
    later = aliased(StatusChange)
    newest = select(sa.func.max(later.id)).where(later.idea_id == Idea.id, later.target == Status.MERGED)
    objecting = select(sa.func.count()).where(Objection.idea_id == Idea.id, Objection.ended_at.is_(None))
    return (
        ideas_visible_to(viewer)
        .where(Idea.merged_into_id == main_id)
        .join(StatusChange, StatusChange.id == newest.scalar_subquery())
        .add_columns(StatusChange, objecting.scalar_subquery())
        .options(joinedload(Idea.author))
        .order_by(Idea.published_at, Idea.id)
    )
