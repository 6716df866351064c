"""The member's digest of this week, so that the mail catcher of the demo shows what one is like."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db
from portal.notifications.digests import making as digests
from portal.notifications.models import Notification
from portal.notifications.policy import PORTAL_KINDS, Way


def make_one(member: User, now: datetime) -> None:
    """Put what the member has not read into a digest, which goes out when the demo starts."""
    unread = select(Notification.id).where(Notification.user_id == member.id, Notification.read_at.is_(None))
    for_a_digest = Notification.id.in_(unread.where(Notification.kind.not_in(PORTAL_KINDS)))
    db.session.execute(sa.update(Notification).where(for_a_digest).values(way=Way.DIGEST.value))
    digests.write({member.id: now}, now)
