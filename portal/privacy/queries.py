"""Reading exports, and whether somebody may leave."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.privacy.models import Export

ONE_IN = timedelta(days=1)


def latest_export(user: User) -> Export | None:
    """Return the export that the user asked for last."""
    return db.session.scalar(select(Export).where(Export.user_id == user.id).order_by(Export.id.desc()).limit(1))


def next_export_at(user: User) -> datetime | None:
    """Return when the user may ask for the next export; None for now. One that failed does not count."""
    asked = select(sa.func.max(Export.asked_at)).where(Export.user_id == user.id, Export.given_up_at.is_(None))
    newest = db.session.scalar(asked)
    return newest + ONE_IN if newest and newest + ONE_IN > utcnow() else None


def is_last_owner(user: User) -> bool:
    """Whether nobody else could run the portal as its owner."""
    if user.role is not Role.OWNER:
        return False
    able = sa.and_(
        User.role == Role.OWNER,
        User.suspended_at.is_(None),
        User.leaves_at.is_(None),
        User.erased_at.is_(None),
        User.id != user.id,
    )
    return db.session.scalar(select(User.id).where(able).limit(1)) is None
