"""Who follows an idea, and so hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.db import db, lookup
from portal.ideas.models import Follow, Idea, Vote
from portal.ideas.supporters import Ballot, ballot_on, counts_for, is_set_apart, self_and_merged, votes_of

REASONS = ("author", "voter", "commenter", "follower")
"""Why somebody hears of an idea, the strongest first."""
_HOLDS = dict(zip(REASONS, (Follow.is_author, Follow.is_voter, Follow.is_commenter, Follow.by_choice), strict=True))


CHOICES = ("by_choice", "decisions_only")
"""What of it somebody decides, beside that they want to hear nothing."""


@dataclass(frozen=True, slots=True)
class Following:
    """Whether one person is told of changes to one idea, and why."""

    id: int
    title: str
    on: bool
    reason: str
    board_id: int | None = None
    decisions_only: bool = False
    dom_class: str = "idea"


def following(idea: Idea, viewer: Person) -> Following:
    """Return whether and why the viewer is told of changes, also if they came along with an idea merged into it."""
    if not viewer.is_signed_in:
        return _following(idea, None)
    return _following(idea, db.session.scalar(*_follow(viewer, idea_id=idea.id)))


def ballot_and_following(idea: Idea, main: Idea, viewer: Person) -> tuple[Ballot, Following]:
    """Return both in one statement: the ballot on ``main``, and whether the viewer is told of changes to ``idea``."""
    if not viewer.is_signed_in:
        return ballot_on(main, False), _following(idea, None)
    cast, follow = db.session.execute(*_vote_and_follow(viewer, idea_id=idea.id, main_id=main.id)).one()
    return ballot_on(main, cast), _following(idea, follow)


def follows(idea: Idea, viewer: Person) -> bool:
    """Whether the viewer is told of changes."""
    return following(idea, viewer).on


def choices(idea: Idea, viewer: Person) -> str:
    """Return what the viewer decided about hearing of it, for ``follow_as_before``."""
    follow = db.session.get(Follow, (idea.id, viewer.id))
    return " ".join(name for name in CHOICES if follow is not None and getattr(follow, name))


def strongest_reason(follow: Follow) -> str:
    """Return the reason that counts when there are several."""
    reasons = (("author", follow.is_author), ("voter", follow.is_voter), ("commenter", follow.is_commenter))
    return next((name for name, holds in reasons if holds), "follower")


def audience_of(
    idea_id: int, except_id: int | None, reasons: Sequence[str] = REASONS, *, also_quiet: bool = True
) -> Select[int, str]:
    """Select who hears of an idea for one of ``reasons``, each person once with the strongest, one left out.

    Those who follow an idea merged into it hear too, unless they objected to that merge or muted the main idea. Without
    ``also_quiet`` those are left out who asked for decisions only.
    """
    holding = [_HOLDS[reason] for reason in reasons]
    strongest = sa.func.min(sa.case(*((column, rank) for rank, column in enumerate(holding))))
    reason = sa.case(*((strongest == rank, name) for rank, name in enumerate(reasons)))
    people = (
        select(Follow.user_id.label("user_id"), reason.label("reason"))
        .join(User, User.id == Follow.user_id)
        .where(reaches(idea_id, also_quiet))
        .where(sa.or_(*holding), User.suspended_at.is_(None))
        .group_by(Follow.user_id)
    )
    return people if except_id is None else people.where(Follow.user_id != except_id)


def backers_of(idea: Idea) -> Select[int, str]:
    """Select who hears of an idea because it is theirs or for a vote that counts, each person once, with the reason."""
    people = audience_of(idea.id, None, ("author", "voter")).subquery()
    counted = select(Vote.voter_id).where(counts_for(idea.id))
    behind = (people.c.user_id == idea.author_id) | people.c.user_id.in_(counted)
    return select(people.c.user_id, people.c.reason).where(behind)


def reaches(idea_id: int, also_quiet: bool = True) -> ColumnElement[bool]:
    """Say through which rows of followers news of an idea goes out: its own, and those of ideas merged into it.

    Without ``also_quiet``, what is no decision does not go to those who asked for decisions only.
    """
    mute = aliased(Follow)
    silent = mute.muted if also_quiet else mute.muted | mute.decisions_only
    muted = select(mute.user_id).where(mute.idea_id == idea_id, mute.user_id == Follow.user_id, silent).exists()
    through = Follow.idea_id.in_(self_and_merged(idea_id)) & ~is_set_apart(Follow.idea_id, Follow.user_id) & ~muted
    open_here = ~Follow.muted if also_quiet else ~Follow.muted & ~Follow.decisions_only
    return open_here & ((Follow.idea_id == idea_id) | through)


def count_told(idea: Idea, actor_id: int | None, reasons: Sequence[str] = REASONS, *, also_quiet: bool = True) -> int:
    """Count who would hear of a change to the idea. Only where ideas were merged into it is each person looked at.

    Without ``also_quiet``, as for what is no decision, those are left out who asked for decisions only.
    """
    if not reasons:
        return 0
    holds = sa.or_(*(_HOLDS[reason] for reason in reasons))
    suspended = select(User.id).where(User.suspended_at.is_not(None))
    here = select(sa.func.count()).select_from(Follow).where(Follow.idea_id == idea.id, ~Follow.muted, holds)
    here = here.where(Follow.user_id.not_in(suspended), Follow.user_id != (actor_id or 0))
    here = here if also_quiet else here.where(~Follow.decisions_only)
    hearing = audience_of(idea.id, actor_id, reasons, also_quiet=also_quiet)
    people = select(sa.func.count()).select_from(hearing.subquery())
    merged = select(Idea.id).where(Idea.merged_into_id == idea.id).exists()
    told = sa.case((merged, people.scalar_subquery()), else_=here.scalar_subquery())
    return db.session.scalar(select(told)) or 0


def count_audience(
    idea: Idea, actor_id: int | None, reasons: Sequence[str] = REASONS, *, also_quiet: bool = True
) -> dict[str, int]:
    """Count who would hear of a change to the idea, by reason; whoever makes it is told nothing."""
    if not reasons:
        return {}
    people = audience_of(idea.id, actor_id, reasons, also_quiet=also_quiet).subquery()
    counts: dict[str, int] = lookup(select(people.c.reason, sa.func.count()).group_by(people.c.reason))
    return {reason: counts[reason] for reason in REASONS if reason in counts}


@built_once
def _follow(viewer: Person, *, idea_id: int) -> Select[Follow]:
    rows = select(Follow).where(_is_told_through(idea_id, viewer))
    return rows.order_by(Follow.idea_id != idea_id, Follow.idea_id).limit(1)


@built_once
def _vote_and_follow(viewer: Person, *, idea_id: int, main_id: int) -> Select[bool, Follow]:
    mine = _is_told_through(idea_id, viewer)
    both = select(votes_of(main_id, viewer).exists(), Follow).select_from(Idea).outerjoin(Follow, mine)
    return both.where(Idea.id == idea_id).order_by(Follow.idea_id != idea_id, Follow.idea_id).limit(1)


def _is_told_through(idea_id: int, viewer: Person) -> ColumnElement[bool]:
    """Say which rows tell of the viewer and an idea: their own, and those by which they came along with another."""
    own = Follow.idea_id == idea_id
    return (Follow.user_id == viewer.id) & Follow.idea_id.in_(self_and_merged(idea_id)) & (own | reaches(idea_id))


def _following(idea: Idea, row: Follow | None) -> Following:
    on = row is not None and not row.muted
    reason, quiet = (strongest_reason(row), row.decisions_only) if row and on else ("", False)
    return Following(idea.id, idea.title, on, reason, idea.board_id, quiet)
