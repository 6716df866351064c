"""Who was told of something, and so hears that it was taken back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, ScalarSelect, Select, select
from sqlalchemy.orm import aliased

from portal.accounts.models import User
from portal.db import db
from portal.events import EventRecord
from portal.ideas.events import IdeaMerged, MoveUndone
from portal.ideas.models import Follow, Idea
from portal.notifications.digests.models import DigestItem
from portal.notifications.mails.folding import FOLDED
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Kind


def told_of_merge(idea: Idea, merge_id: int, except_id: int | None) -> Select[int, str]:
    """Select who was told of a merge, and so hears that it was taken back; not those who muted the idea since."""
    merge = select(EventRecord.id).where(
        EventRecord.name == IdeaMerged.name,
        EventRecord.idea_id == idea.id,
        EventRecord.data["change_id"].as_integer() == merge_id,
    )
    muted = select(Follow.user_id).where(Follow.idea_id == idea.id, Follow.muted)
    told = (
        select(Notification.user_id.label("user_id"), Notification.reason.label("reason"))
        .join(User, User.id == Notification.user_id)
        .where(Notification.event_id.in_(merge), Notification.user_id.not_in(muted), User.suspended_at.is_(None))
    )
    return told if except_id is None else told.where(Notification.user_id != except_id)


def events_with(idea_id: int | None, name: str, fact: str, number: int) -> Select[int]:
    """Select what the journal says of one move, merge or answer of an idea."""
    about = select(EventRecord.id).where(EventRecord.name == name, EventRecord.idea_id == idea_id)
    return about.where(EventRecord.data[fact].as_integer() == number)


def told_of_move(idea: Idea, moved: Select[int], undone: MoveUndone) -> Select[int, str]:
    """Select who read of a move, or was mailed of it, alone or in a digest, and so hears that it was taken back."""
    muted = select(Follow.user_id).where(Follow.idea_id == idea.id, Follow.muted)
    told = (
        select(Notification.user_id.label("user_id"), Notification.reason.label("reason"))
        .join(User, User.id == Notification.user_id)
        .where(Notification.event_id.in_(moved), Notification.kind != Kind.ASSIGNED)
        .where(Notification.read_at.is_not(None) | was_mailed(moved) | was_in_digest())
        .where(Notification.user_id.not_in(muted), User.suspended_at.is_(None))
    )
    return told.where(Notification.user_id != undone.actor_id) if undone.actor_id else told


def was_mailed(moved: Select[int]) -> ColumnElement[bool]:
    """Say whether a mail about one of these events, alone or with others, has gone to the user of the same row."""
    sent = select(Mail.user_id).where(Mail.done_at.is_not(None), has_gone())
    alone = aliased(Notification)
    own = sent.join(alone, alone.id == Mail.notification_id).where(alone.event_id.in_(moved))
    act = select(EventRecord.data["act_id"].as_integer()).where(EventRecord.id.in_(moved)).scalar_subquery()
    together = sent.where(Mail.key == digest_key(act, Mail.user_id))
    return Notification.user_id.in_(own) | Notification.user_id.in_(together)


def has_gone() -> ColumnElement[bool]:
    """Say which of the mails that are done with brought their news, be it within the next about the same idea."""
    return Mail.suppressed.is_(None) | (Mail.suppressed == FOLDED)


def was_in_digest() -> ColumnElement[bool]:
    """Say whether this stands in a digest that was made."""
    return Notification.id.in_(select(DigestItem.notification_id))


def digest_key(act: ColumnElement[int] | ScalarSelect[Any], user_id: Any) -> ColumnElement[str]:
    """Say under which key the one mail about an act on many ideas goes to somebody."""
    return sa.literal("act-", sa.String) + sa.cast(act, sa.String) + "-" + sa.cast(user_id, sa.String)


def count_told_of_merge(idea: Idea, merge_id: int, except_id: int | None) -> int:
    """Count who hears that a merge was taken back."""
    people = told_of_merge(idea, merge_id, except_id).subquery()
    return db.session.scalar(select(sa.func.count()).select_from(people)) or 0
