"""Reading which browsers are told at once."""

from __future__ import annotations

from flask import abort
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db
from portal.push.models import Subscription


def browsers_of(user: User) -> list[Subscription]:
    """Return the browsers of one person that are told, the newest first."""
    mine = select(Subscription).where(Subscription.user_id == user.id)
    return list(db.session.scalars(mine.order_by(Subscription.id.desc())))


def get_browser(subscription_id: int, user: User) -> Subscription:
    """Return one of the user's browsers, or answer 404."""
    mine = select(Subscription).where(Subscription.id == subscription_id, Subscription.user_id == user.id)
    return db.session.scalar(mine) or abort(404)
