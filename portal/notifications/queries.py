"""Reading what people were told."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import Person
from portal.db import db
from portal.notifications.models import Notification


def count_unread(viewer: Person) -> int:
    """Return how many notifications the viewer has not read."""
    if not viewer.is_signed_in:
        return 0
    mine = select(sa.func.count()).where(Notification.user_id == viewer.id, Notification.read_at.is_(None))
    return db.session.scalar(mine) or 0
