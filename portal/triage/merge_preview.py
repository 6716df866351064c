"""What joining two ideas would do, exactly, before anybody does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import Person, User
from portal.db import db
from portal.ideas import policy
from portal.ideas import queries as ideas
from portal.ideas.merging import NOTICE_MAX, CannotMerge, check_merge
from portal.ideas.models import Follow, Idea, Vote
from portal.ideas.moves import moves_for
from portal.ideas.steps import MoveNotAllowed
from portal.ideas.workflow import Status
from portal.triage.queries import Audience, audience


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What would be true after joining an idea to a main one."""

    idea: Idea
    main: Idea
    both: int
    followers: int
    followers_main: int
    followers_both: int
    audience: Audience
    obstacle: str  # why these two cannot be joined now; empty if they can
    seen: str  # what the person has before their eyes, so that nothing else is done than was shown
    notice: str  # what the people of the joined idea read
    reason: str = ""
    quote: bool = False
    sentence: str = ""  # why it did not go through

    notice_max = NOTICE_MAX

    @property
    def only_main(self) -> int:
        """How many people vote for the main idea alone."""
        return self.main.votes - self.both

    @property
    def joining(self) -> int:
        """How many people come to the main idea."""
        return self.idea.votes - self.both

    @property
    def votes(self) -> int:
        """How many people are behind the main idea afterwards."""
        return self.main.votes + self.joining

    @property
    def followers_after(self) -> int:
        """How many people follow the main idea or the joined one afterwards."""
        return self.followers_main + self.followers - self.followers_both


def preview_merge(idea: Idea, main: Idea, viewer: Person) -> MergePreview:
    """Say exactly what joining the two would do."""
    ids = ideas.with_merged(main)
    there = select(Vote.voter_id).where(Vote.idea_id.in_(ids))
    both = select(sa.func.count()).select_from(Vote).where(Vote.idea_id == idea.id, Vote.voter_id.in_(there))
    mine, theirs = _followers([idea.id]), _followers(ids)
    shared = select(sa.func.count()).select_from(mine.intersect(theirs).subquery())
    return MergePreview(
        idea=idea,
        main=main,
        both=db.session.scalar(both) or 0,
        followers=_count(mine),
        followers_main=_count(theirs),
        followers_both=db.session.scalar(shared) or 0,
        audience=audience(idea, viewer),
        obstacle=_obstacle(idea, main, viewer),
        seen=idea.status.value,
        notice=_(
            "Thank you for this idea. It asks for the same as “%(title)s”, so we look after both together there.",
            title=main.title,
        ),
    )


def _obstacle(idea: Idea, main: Idea, viewer: Person) -> str:
    """Return why these two cannot be joined by this person now; nothing if they can."""
    try:
        check_merge(idea, main)
    except CannotMerge as refusal:
        return refusal.message
    if not policy.may_triage(viewer, main):
        return _("The main idea is on a board where you do not decide.")
    moves = moves_for(idea, viewer) if isinstance(viewer, User) else []
    if not any(move.target is Status.MERGED for move in moves):
        return MoveNotAllowed(idea, Status.MERGED).message
    return ""


def _followers(ids: Sequence[int]) -> sa.Select[Any]:
    return (
        select(Follow.user_id)
        .join(User, User.id == Follow.user_id)
        .where(Follow.idea_id.in_(ids), ~Follow.muted, User.suspended_at.is_(None))
        .distinct()
    )


def _count(people: sa.Select[Any]) -> int:
    return db.session.scalar(select(sa.func.count()).select_from(people.subquery())) or 0
