"""Reading links between ideas, from what the viewer may see: a link is known to whoever may know of both its ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask import abort
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.db import db
from portal.ideas.models import Idea, Nature, Vote
from portal.ideas.queries import is_seen_by
from portal.ideas.supporters import Ballot, counts_for, voted_by
from portal.links.models import Kind, Link, NeedBacker
from portal.links.words import choice_of, label_of

MOST_ANCESTORS = 10


@dataclass(frozen=True, slots=True)
class Tie:
    """Another idea that one is tied to, as one viewer reads it from there."""

    id: int
    kind: Kind
    outward: bool
    other: Idea
    ballot: Ballot
    at: datetime

    @property
    def label(self) -> str:
        """What the other idea is to this one."""
        return label_of(self.kind, self.outward)

    @property
    def choice(self) -> str:
        """What was chosen to make it."""
        return choice_of(self.kind, self.outward)


@dataclass(frozen=True, slots=True)
class NeedStance:
    """What one viewer may say of the need of an idea that also proposes a solution."""

    idea: Idea
    cast: bool

    dom_class = "need"

    @property
    def id(self) -> int:
        """What it is known by on the page."""
        return self.idea.id


@dataclass(frozen=True, slots=True)
class Lineage:
    """Needs, solutions and all else that an idea is tied to, as one viewer may know of it."""

    idea: Idea
    ties: list[Tie]
    authors: list[User]  # of what it builds on
    need_only: int
    stance: NeedStance | None
    with_need: int  # people who have the need, each once; 0 where nothing but the votes says so

    @property
    def needs(self) -> list[Tie]:
        """The needs that this idea is a solution for."""
        return [tie for tie in self.ties if tie.kind is Kind.SOLVES and tie.outward]

    @property
    def solutions(self) -> list[Tie]:
        """The solutions that stand under this need, the one with most people behind it first."""
        found = [tie for tie in self.ties if tie.kind is Kind.SOLVES and not tie.outward]
        return sorted(found, key=lambda tie: (-tie.other.votes, tie.other.id))

    @property
    def others(self) -> dict[str, list[Tie]]:
        """All else that it is tied to, by what it is."""
        groups: dict[str, list[Tie]] = {}
        for tie in self.ties:
            if tie.kind is not Kind.SOLVES:
                groups.setdefault(tie.label, []).append(tie)
        return groups

    @property
    def is_need(self) -> bool:
        """Whether solutions may stand under it."""
        return nature_of(self.idea) is not Nature.SOLUTION


def nature_of(idea: Idea) -> Nature:
    """Return what the team says the idea is, else what it is as written: a need, with a solution if it proposes one."""
    return idea.nature or (Nature.BOTH if idea.proposal.strip() else Nature.NEED)


def ties_of(idea: Idea, viewer: Person) -> list[Tie]:
    """Return what the idea is tied to, as far as the viewer may know of it, in the order of kinds and then of time."""
    ties = [
        Tie(
            link.id,
            link.kind,
            link.idea_id == idea.id,
            found,
            Ballot(found.id, found.title, found.votes, bool(cast), found.takes_votes, found.board_id),
            link.made_at,
        )
        for link, found, cast in db.session.execute(*_links_of(viewer, idea_id=idea.id))
    ]
    order = list(Kind)
    return sorted(ties, key=lambda tie: (order.index(tie.kind), tie.outward))


def lineage_of(idea: Idea, viewer: Person, *, votes: bool) -> Lineage:
    """Return all that the page shows of where the idea comes from and belongs; ``votes``: the viewer backs it."""
    ties = ties_of(idea, viewer)
    mine, need_only = db.session.execute(*_needs_of(viewer, idea_id=idea.id)).one()
    offered = nature_of(idea) is Nature.BOTH and idea.takes_votes and viewer.is_signed_in
    solutions = [tie.other.id for tie in ties if tie.kind is Kind.SOLVES and not tie.outward]
    counted = bool(solutions or need_only) and nature_of(idea) is not Nature.SOLUTION
    return Lineage(
        idea,
        ties,
        _authors_before(idea, ties, viewer),
        need_only,
        NeedStance(idea, bool(mine) and not votes) if offered else None,
        count_with_need(idea, solutions) if counted else 0,
    )


def count_with_need(idea: Idea, solutions: Sequence[int]) -> int:
    """Count the people who have the need, each once: behind it, behind one of these solutions, or wanting another."""
    ids = [idea.id, *solutions]
    voters = select(Vote.voter_id).where(sa.or_(*(counts_for(each) for each in ids)))
    others = select(NeedBacker.user_id).where(NeedBacker.idea_id.in_(ids))
    people = sa.union(voters, others).subquery()
    return db.session.scalar(select(sa.func.count()).select_from(people)) or 0


def get_link(idea: Idea, link_id: int, viewer: Person) -> Tie:
    """Return one of the links of the idea that the viewer may know of, or answer 404."""
    return next((tie for tie in ties_of(idea, viewer) if tie.id == link_id), None) or abort(404)


@built_once
def _links_of(viewer: Person, *, idea_id: int) -> sa.Select[Link, Idea, bool]:
    first = Link.idea_id == idea_id
    other = sa.case((first, Link.other_id), else_=Link.idea_id)
    return (
        select(Link, Idea, voted_by(viewer) if viewer.is_signed_in else sa.false())
        .join(Idea, Idea.id == other)
        .where(first | (Link.other_id == idea_id), is_seen_by(viewer))
        .options(joinedload(Idea.board))
        .order_by(Link.made_at, Link.id)
    )


@built_once
def _needs_of(viewer: Person, *, idea_id: int) -> sa.Select[bool, int]:
    backers = select(NeedBacker.user_id).where(NeedBacker.idea_id == idea_id)
    mine = backers.where(NeedBacker.user_id == viewer.id).exists() if viewer.is_signed_in else sa.false()
    return select(mine, select(sa.func.count()).select_from(_only_need(idea_id).subquery()).scalar_subquery())


def _only_need(idea_id: int) -> sa.Select[int]:
    """Select those who have the need of an idea and do not vote for it."""
    voters = select(Vote.voter_id).where(counts_for(idea_id))
    return select(NeedBacker.user_id).where(NeedBacker.idea_id == idea_id, NeedBacker.user_id.not_in(voters))


def _authors_before(idea: Idea, ties: list[Tie], viewer: Person) -> list[User]:
    """Return who wrote what the idea builds on, and what that builds on: each once, the nearest first."""
    near = sorted(tie.other.id for tie in ties if tie.kind is Kind.BUILDS_ON and tie.outward)
    met, authors = {idea.id}, list[User]()
    for _step in range(MOST_ANCESTORS):
        near = [each for each in near if each not in met]
        if not near:
            break
        met |= set(near)
        before = select(Idea).where(Idea.id.in_(near), is_seen_by(viewer)).options(joinedload(Idea.author))
        for ancestor in db.session.scalars(before.order_by(Idea.id)):
            author = ancestor.author
            if author and not author.is_former and author.id != idea.author_id and author not in authors:
                authors.append(author)
        shown = select(Idea.id).where(Idea.id.in_(near), is_seen_by(viewer))
        up = select(Link.other_id).where(Link.kind == Kind.BUILDS_ON, Link.idea_id.in_(shown))
        near = sorted(set(db.session.scalars(up)))
    return authors
