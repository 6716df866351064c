"""Joining an idea to the one that says the same: a link that can be taken back, never a move."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import followers, promises, supporters
from portal.ideas.events import IdeaMerged, MergeUndone
from portal.ideas.merges import merge_of
from portal.ideas.models import Idea, Objection, StatusChange
from portal.ideas.service import count_on_board, lock
from portal.ideas.steps import DetailMissing, MoveDetails, MoveNotAllowed, enter, remember
from portal.ideas.workflow import Status, rule_of
from portal.text import clean_text

NOTICE_MAX = 600


class CannotMerge(Refusal):
    """These two ideas cannot be joined."""


def merge(idea: Idea, actor: User | None, details: MoveDetails, at: datetime) -> StatusChange:
    """Join a locked idea to its main one; raise DetailMissing or CannotMerge."""
    if details.into is None:
        raise DetailMissing("into", _("Choose the main idea."))
    main = lock(details.into.merged_into or details.into)
    check_merge(idea, main)
    change = remember(idea, Status.MERGED, actor, details.reason, at)
    change.into_id, change.quoted = main.id, details.quote
    change.notice = _clean_notice(details.notice)
    change.told = sum(count_told(idea, actor.id if actor else None).values())
    enter(idea, Status.MERGED, at)
    promises.turn_over(idea, at, by_word=False)
    idea.merged_into_id = main.id
    db.session.flush()
    main.votes = supporters.count_supporters(main)
    count_on_board(idea.board_id, -1)
    emit(IdeaMerged(actor_id=actor.id if actor else None, idea_id=idea.id, into_id=main.id, change_id=change.id), at)
    return change


def check_merge(idea: Idea, main: Idea) -> None:
    """Raise CannotMerge, with the reason, when these two cannot be joined."""
    if main.id == idea.id:
        raise CannotMerge(_("An idea cannot be merged into itself."))
    if idea.board.one_way or main.board.one_way:
        raise CannotMerge(_("On a one-way board ideas stay apart: joined, their authors would learn of each other."))
    if main.merged_into_id is not None:
        raise CannotMerge(_("Somebody else was faster. Reload the page to see how things are now."))
    if not main.is_published:
        raise CannotMerge(_("The main idea is not published."))
    if supporters.merged_ids(idea):
        raise CannotMerge(_("Other ideas were merged into this one. Choose this one as the main idea instead."))


def undo_merge(idea: Idea, actor: User, reason: str) -> StatusChange:
    """Take a merge back: everything is as it would be had the two never been joined.

    Status, clocks, the board's count, votes, followers and mutes of either idea are exactly those from before; a merge
    changes no row of them. What people did meanwhile stays with the idea they did it to, and a vote given at the old
    address was given to the main idea. Whoever withdrew their vote meanwhile withdrew every vote that counted there,
    so none comes back. Objections end with the merge they were about: they are kept, and count for nothing any more.
    """
    main = lock(idea.merged_into) if idea.merged_into else None  # the main idea first, as everywhere
    lock(idea)
    merge = merge_of(idea)
    if merge is None or main is None or idea.merged_into_id != main.id:
        raise MoveNotAllowed(idea, idea.status)
    if not reason.strip():
        raise DetailMissing("reason", _("Say why the merge is taken back. Those who were told of it will read it."))
    at = utcnow()
    change = remember(idea, merge.source, actor, reason, at, merge.source_stage)
    idea.status, idea.stage = merge.source, rule_of(merge.source, merge.source_stage).stage
    idea.status_since, idea.due_at = merge.since_before, merge.due_before
    idea.merged_into_id = None
    promises.take_back(idea, merge.at)
    standing = sa.update(Objection).where(Objection.idea_id == idea.id, Objection.ended_at.is_(None))
    db.session.execute(standing.values(ended_at=at))
    db.session.flush()
    main.votes, idea.votes = supporters.count_supporters(main), supporters.count_supporters(idea)
    if idea.is_published:
        count_on_board(idea.board_id, +1)
    emit(MergeUndone(actor_id=actor.id, idea_id=idea.id, from_id=main.id, change_id=change.id, merge_id=merge.id))
    return change


def count_told(idea: Idea, actor_id: int | None) -> dict[str, int]:
    """Count who is told when an idea is merged away, by reason: its people, and whoever looks after it."""
    counts = followers.count_audience(idea, actor_id)
    people = followers.audience_of(idea.id, actor_id).subquery()
    owner = sa.select(User.id).where(User.id == idea.owner_id, User.id != (actor_id or 0), User.suspended_at.is_(None))
    apart = owner.where(User.id.not_in(sa.select(people.c.user_id)))
    return counts | ({"owner": 1} if db.session.scalar(apart) else {})


def _clean_notice(text: str) -> str:
    notice = clean_text(text)
    if len(notice) > NOTICE_MAX:
        raise Refusal(
            _("What they read is %(count)d letters long; at most %(max)d fit.", count=len(notice), max=NOTICE_MAX)
        )
    return notice
