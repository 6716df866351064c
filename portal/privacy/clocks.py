"""What the passing of time does to people who left."""

from __future__ import annotations

from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.privacy import service
from portal.transactions import transaction

BATCH = 20


def erase_those_who_left() -> int:
    """Erase whoever left fourteen days ago and did not come back; return how many."""
    due = select(User.id).where(User.leaves_at <= utcnow(), User.erased_at.is_(None)).limit(BATCH)
    ids = list(db.session.scalars(due))
    for user_id in ids:
        with transaction(wake=False):
            user = db.session.scalar(select(User).where(User.id == user_id).with_for_update())
            if user and user.leaves_at and user.leaves_at <= utcnow():
                service.erase(user)
    return len(ids)
