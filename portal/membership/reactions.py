"""What follows from people joining and rules changing."""

from __future__ import annotations

import sqlalchemy as sa

from portal.accounts.models import User
from portal.db import db, insert_absent, utcnow
from portal.events import Recorded
from portal.membership import queries
from portal.notifications.models import Mail
from portal.notifications.service import queue_letter

WAITING, RULES = "waiting", "rules"


def tell_moderators(recorded: Recorded) -> None:
    """Tell those who can let people in that somebody waits; each at most once a day."""
    user = db.session.get(User, recorded.event.user_id)
    if user is None or user.is_approved:
        return
    for moderator in queries.moderators():
        key = f"waiting-{utcnow():%Y%m%d}-{moderator.id}"
        queue_letter(WAITING, to=moderator.email, user=moderator, key=key, rationed=False)


def tell_of_rules(recorded: Recorded) -> None:
    """Tell everybody with an account that the rules have changed; the first rules are no change."""
    version = recorded.event.version
    if version == 1:
        return
    here = sa.and_(User.erased_at.is_(None), User.confirmed_at.is_not(None), User.created_at < recorded.at)
    here &= User.leaves_at.is_(None) & (User.suspended_at.is_(None) | (User.suspended_until <= utcnow()))
    insert_absent(
        Mail,
        ["key", "kind", "user_id", "recipient", "data"],
        sa.select(
            sa.literal(f"rules-{version}-", sa.String) + sa.cast(User.id, sa.String),
            sa.literal(RULES, sa.String),
            User.id,
            User.email,
            sa.literal({"rationed": False}, sa.JSON),
        ).where(here),
    )
