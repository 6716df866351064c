"""Giving the demo accounts their inboxes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import select

from portal import events
from portal.db import db
from portal.events import EventRecord, reactions_to
from portal.ideas.events import VoteCast
from portal.ideas.models import Follow, Idea
from portal.notifications.models import Mail, Notification

INBOX_DAYS, UNREAD_DAYS, UNREAD = 45, 12, 4


def fill(mine: Sequence[int], now: datetime) -> None:
    """Let the last weeks' events be told where they concern these people: no mails, the older ones read."""
    theirs = sa.union(
        select(Follow.idea_id).where(Follow.user_id.in_(mine)), select(Idea.id).where(Idea.owner_id.in_(mine))
    ).scalar_subquery()
    authored = select(Idea.id).where(Idea.author_id.in_(mine))
    records = db.session.scalars(
        select(EventRecord)
        .where(EventRecord.at > now - timedelta(days=INBOX_DAYS), EventRecord.idea_id.in_(theirs))
        .where(sa.or_(EventRecord.name != VoteCast.name, EventRecord.idea_id.in_(authored)))
        .order_by(EventRecord.id)
    ).all()
    for record in records:
        recorded = events.read(record)
        for reaction in reactions_to(type(recorded.event)):
            if events.name_of(reaction).startswith("notifications."):
                reaction(recorded)
    db.session.flush()
    db.session.execute(sa.delete(Mail))
    for user_id in mine:
        _read_older(user_id, now)


def _read_older(user_id: int, now: datetime) -> None:
    """Leave the latest word on the latest few ideas unread."""
    own = select(Notification).where(Notification.user_id == user_id).order_by(Notification.id.desc())
    unread: set[int | None] = set()
    for told in db.session.scalars(own):
        recent = told.at > now - timedelta(days=UNREAD_DAYS)
        if recent and told.idea_id not in unread and len(unread) < UNREAD:
            unread.add(told.idea_id)
        else:
            told.read_at = min(told.at + timedelta(hours=9), now)
