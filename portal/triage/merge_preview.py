"""What joining two ideas would do, exactly, before anybody does it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import Person, User
from portal.boards.models import Audience as Readers
from portal.db import db
from portal.ideas import followers, policy, supporters
from portal.ideas.merges import WINDOW
from portal.ideas.merging import NOTICE_MAX, CannotMerge, check_merge, count_told
from portal.ideas.models import Follow, Idea, Vote
from portal.ideas.moves import moves_for
from portal.ideas.steps import MoveNotAllowed
from portal.ideas.workflow import Status
from portal.notifications.deciding import decided
from portal.notifications.policy import Kind, Way
from portal.notifications.recipients import everybody


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What would be true after joining an idea to a main one, and what somebody has written for it so far."""

    idea: Idea
    main: Idea
    only_main: int  # people behind the main idea alone
    both: int
    joining: int
    followers: int
    followers_main: int
    followers_after: int
    told: dict[str, int]  # by reason
    mailed: int
    muted: int
    suspended: int
    without_you: bool
    obstacle: str  # why these two cannot be joined now; empty if they can
    notice: str  # what the people of the joined idea read
    reason: str = ""
    quote: bool = False
    sentence: str = ""  # why it did not go through
    typed: bool = False  # whether somebody wrote what stands in the form

    notice_max = NOTICE_MAX
    days = WINDOW.days

    @property
    def votes(self) -> int:
        """How many people are behind the main idea afterwards."""
        return self.only_main + self.both + self.joining

    @property
    def followers_both(self) -> int:
        """How many people hear of either already."""
        return self.followers + self.followers_main - self.followers_after

    @property
    def told_at_all(self) -> int:
        """How many people are told of the merge."""
        return sum(self.told.values())

    @property
    def hides_main(self) -> bool:
        """Whether the main idea is on a board that fewer people may know of."""
        order = list(Readers)
        own, other = order.index(self.idea.board.audience), order.index(self.main.board.audience)
        return self.idea.board_id != self.main.board_id and (other > own or Readers.PRIVATE is self.main.board.audience)

    @property
    def seen(self) -> str:
        """What the person has before their eyes, so that nothing else is done than was shown."""
        shown = [
            *((one.id, one.rule.key, one.edited_at, one.board_id, one.comments) for one in (self.idea, self.main)),
            *(self.only_main, self.both, self.joining, self.followers_after, sorted(self.told.items())),
            *(self.mailed, self.muted, self.suspended, self.without_you),
        ]
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:20]


def preview_merge(idea: Idea, main: Idea, viewer: Person) -> MergePreview:
    """Say exactly what joining the two would do, in a number of statements that does not depend on them."""
    there = select(Vote.voter_id).where(supporters.counts_for(main.id))
    behind = select(Vote.voter_id).where(supporters.counts_for(idea.id))
    mine, theirs = followers.audience_of(idea.id, None).subquery(), followers.audience_of(main.id, None).subquery()
    muted_main = select(Follow.user_id).where(Follow.idea_id == main.id, Follow.muted)
    coming = select(mine.c.user_id).where(mine.c.user_id.not_in(muted_main))
    both = _count(behind.intersect(there))
    notice = _(
        "Thank you for this idea. It asks for the same as “%(title)s”, so we look after both together there.",
        title=main.title,
    )
    preview = MergePreview(
        idea=idea,
        main=main,
        only_main=_count(there.distinct()) - both,
        both=both,
        joining=_count(behind.distinct()) - both,
        followers=_count(coming),
        followers_main=_count(select(theirs.c.user_id)),
        followers_after=_count(coming.union(select(theirs.c.user_id))),
        told=count_told(idea, viewer.id),
        mailed=_count_mailed(idea, viewer),
        obstacle=_obstacle(idea, main, viewer),
        notice=notice,
        **_left_out(idea, viewer),
    )
    return replace(preview, notice="") if preview.hides_main else preview  # its title is not for everybody


def _count(people: sa.Select[Any] | sa.CompoundSelect[Any]) -> int:
    return db.session.scalar(select(sa.func.count()).select_from(people.subquery())) or 0


def _count_mailed(idea: Idea, viewer: Person) -> int:
    """How many of those who are told get a mail; the others find it in their inbox."""
    told = decided(Kind.MERGED, everybody(Kind.MERGED, idea, viewer.id), idea.board_id).subquery()
    return _count(select(told.c.user_id).where(told.c.way == Way.MAIL))


def _left_out(idea: Idea, viewer: Person) -> dict[str, Any]:
    """Who follows the idea and is not told of the merge, and why."""
    others = select(sa.func.count(Follow.user_id)).select_from(Follow).join(User, User.id == Follow.user_id)
    others = others.where(Follow.idea_id == idea.id)
    active, you = User.suspended_at.is_(None), Follow.user_id == viewer.id
    return {
        "muted": db.session.scalar(others.where(active, ~you, Follow.muted)) or 0,
        "suspended": db.session.scalar(others.where(~active, ~you)) or 0,
        "without_you": bool(db.session.scalar(others.where(you, ~Follow.muted))),
    }


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
