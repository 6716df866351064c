"""Two people of the demo whom mail does not reach any more."""

from __future__ import annotations

from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db
from portal.notifications.mails import coming_back


def let_mails_come_back(but: int) -> None:
    """Let the mails of one member have come back, and another have called one spam; not those of ``but``."""
    people = select(User).where(User.role == Role.MEMBER, User.wants_mail, User.confirmed_at.is_not(None))
    ordinary = people.where(User.id != but, User.suspended_at.is_(None), User.leaves_at.is_(None))
    found = db.session.scalars(ordinary.order_by(User.id.desc()).limit(2)).all()
    for user, why in zip(found, (coming_back.BOUNCES, coming_back.COMPLAINT), strict=False):
        coming_back.stop_mail(user, why)
