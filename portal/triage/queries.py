"""What the desk shows of one idea, and what joining two ideas would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.accounts.readers import built_once
from portal.accounts.roles import TRIAGERS
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.comments.models import Comment
from portal.db import db, utcnow
from portal.duplicates.queries import refused_with
from portal.ideas import followers, merges, supporters
from portal.ideas import queries as ideas
from portal.ideas.merges import Joined
from portal.ideas.models import Answer, Follow, Idea, Objection, StatusChange, Vote
from portal.ideas.workflow import Publication, Status
from portal.promises.queries import Standing, standing_of
from portal.search.engine import Hit, NeedsRebuild, Strength, mark
from portal.search.index import engine
from portal.triage.queues import is_pressing

ALIKE, LOOKED_AT, FOUND, TAIL = 3, 12, 12, 5
ENOUGH = 2  # words that two ideas share, for the weakest of suggestions

Pieces = list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Audience:
    """Who will hear of what is published on an idea, by reason, and who will not."""

    by_reason: dict[str, int]
    muted: int
    without_you: bool
    quiet: int = 0  # of these, who asked for decisions only

    @property
    def total(self) -> int:
        """How many people hear of it."""
        return sum(self.by_reason.values())

    def count(self, quiet_too: bool) -> int:
        """Count who hears of it, with or without those who asked for decisions only."""
        return self.total if quiet_too else self.total - self.quiet


@dataclass(frozen=True, slots=True)
class Alike:
    """An idea that may be the same as another, with the words they share."""

    idea: Idea
    title: Pieces
    strength: Strength | None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that the desk shows of an idea, besides what can be done with it."""

    idea: Idea
    own_votes: int
    audience: Audience
    alike: list[Alike]
    changes: list[StatusChange]
    answers: list[Answer]
    comments: list[Comment]
    main: Idea | None  # of a merged idea, as far as the viewer may know of it
    merged: list[Joined]  # into this one
    promise: Standing
    objections: Sequence[Objection]  # to the merge of this one

    @property
    def pressing(self) -> bool:
        """Whether the team's next word is due or nearly so."""
        return is_pressing(self.idea, utcnow())

    @property
    def votes_through_merges(self) -> int:
        """How many people came along with merged ideas only."""
        return max(self.idea.votes - self.own_votes, 0)


def read(idea: Idea, viewer: Person) -> Reading:
    """Return what the desk shows, with a number of statements that does not depend on the idea."""
    own_votes, behind = _behind(idea, viewer)
    return Reading(
        idea=idea,
        own_votes=own_votes,
        audience=behind,
        alike=alike(idea, viewer) if idea.status is not Status.MERGED else [],
        changes=ideas.status_changes(idea, viewer),
        answers=ideas.answers(idea),
        comments=_last_comments(idea),
        main=ideas.main_of(idea, viewer),
        promise=standing_of(idea),
        merged=merges.merged_ideas(idea, viewer),
        objections=merges.objections(idea) if idea.merged_into_id else (),
    )


def audience(idea: Idea, viewer: Person) -> Audience:
    """Return who would hear of what this viewer does with the idea."""
    return _behind(idea, viewer)[1]


def alike(idea: Idea, viewer: Person) -> list[Alike]:
    """Return the ideas most like this one that it could be joined to, best first; none while there is no index.

    What the team said is not the same is never among them again; one common word alone makes nothing similar.
    """
    known = [idea.id, *refused_with(idea.id)]
    try:
        hits = engine().similar(idea.title, f"{idea.need}\n{idea.proposal}", limit=LOOKED_AT, exclude=known)
    except NeedsRebuild:
        return []
    telling = [hit for hit in hits if hit.strength != "possible" or len(hit.words) >= ENOUGH]
    return _shown(telling, idea, viewer, with_strength=True)[:ALIKE]


def candidates(idea: Idea, query: str, viewer: Person) -> list[Alike]:
    """Return the main ideas that somebody may mean who types a number, an address or words."""
    number = ideas.number_in(query)
    if number is not None:
        return _shown([Hit(number, 0, frozenset())], idea, viewer, with_strength=False)
    try:
        hits = engine().search(query, limit=FOUND)
    except NeedsRebuild:
        return []
    return _shown(hits, idea, viewer, with_strength=False)


def _shown(hits: Sequence[Hit], idea: Idea, viewer: Person, with_strength: bool) -> list[Alike]:
    """Return the hits that are published and stand for themselves, in their order."""
    fitting = db.session.scalars(*_standing_apart(viewer, ids=[hit.id for hit in hits], idea_id=idea.id))
    found = {other.id: other for other in fitting}
    return [
        Alike(found[hit.id], mark(found[hit.id].title, hit.words), hit.strength if with_strength else None)
        for hit in hits
        if hit.id in found
    ]


def _last_comments(idea: Idea) -> list[Comment]:
    return list(reversed(db.session.scalars(*_tail_of(idea_id=idea.id)).all()))


def _behind(idea: Idea, viewer: Person) -> tuple[int, Audience]:
    """Return how many votes were given to the idea itself, and who would hear of what this viewer does with it."""
    numbers = db.session.execute(*_numbers_of(viewer, idea_id=idea.id)).one()._mapping
    by_reason = {reason: numbers[reason] for reason in followers.REASONS if numbers[reason]}
    heard = Audience(by_reason, numbers["muted"], bool(numbers["oneself"]))
    if numbers["quiet"]:
        told = followers.count_told(idea, viewer.id, also_quiet=False)
        heard = replace(heard, quiet=heard.total - told)
    return numbers["votes"], heard


@built_once
def _numbers_of(viewer: Person, *, idea_id: int) -> Select[*tuple[int, ...]]:
    own = select(sa.func.count()).select_from(Vote).where(Vote.idea_id == idea_id, supporters.is_counted(Vote))
    ids, people = supporters.self_and_merged(idea_id), followers.audience_of(idea_id, None).subquery()
    unheard = Follow.muted & (Follow.user_id != viewer.id) & Follow.user_id.not_in(select(people.c.user_id))
    left_out = (
        select(
            sa.func.count(sa.distinct(sa.case((unheard, Follow.user_id)))).label("muted"),
            sa.func.count(sa.case((~Follow.muted & (Follow.user_id == viewer.id), 1))).label("oneself"),
            sa.func.count(sa.case((Follow.decisions_only, 1))).label("quiet"),
        )
        .where(Follow.idea_id.in_(ids))
        .subquery()
    )
    hearing = followers.audience_of(idea_id, viewer.id).subquery()
    heard = select(
        *(sa.func.count(sa.case((hearing.c.reason == reason, 1))).label(reason) for reason in followers.REASONS)
    ).subquery()
    numbers = select(own.scalar_subquery().label("votes"), *left_out.c, *heard.c)
    return numbers.select_from(left_out).join(heard, sa.true())


@built_once
def _standing_apart(viewer: Person, *, ids: Sequence[int], idea_id: int) -> Select[Idea]:
    fitting = (
        ideas.ideas_visible_to(viewer)
        .where(Idea.id.in_(ids), Idea.id != idea_id)
        .where(Idea.publication == Publication.PUBLISHED, Idea.status != Status.MERGED)
        .options(joinedload(Idea.board))
    )
    if viewer.reads_as_staff:
        return fitting
    return fitting.where(Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer, TRIAGERS))))


@built_once
def _tail_of(*, idea_id: int) -> Select[Comment]:
    return (
        select(Comment)
        .where(Comment.idea_id == idea_id, Comment.deleted_at.is_(None))
        .options(joinedload(Comment.author))
        .order_by(Comment.at.desc(), Comment.id.desc())
        .limit(TAIL)
    )
