"""Dropping what is no longer needed to keep accounts safe: addresses, guesses, browsers, sessions, letters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app

from portal import once
from portal.accounts.models import AuthSession
from portal.credentials import browsers, guessing
from portal.db import count_rows, utcnow
from portal.demand.groups import forget_old_searches
from portal.inbound import receiving as inbound
from portal.notifications import pushing
from portal.notifications.service import forget_letters_to_strangers
from portal.push import service as push
from portal.security import queries
from portal.transactions import transaction

EVERY = timedelta(hours=1)


def forget_ended_sessions() -> int:
    """Drop sessions that are over, with the addresses they were used from."""
    now = utcnow()
    push.outlive_sessions(now)
    ended = sa.delete(AuthSession).where(AuthSession.expires_at < now)
    return count_rows(ended)


FORGETTING: tuple[Callable[[], int], ...] = (
    queries.forget_addresses,
    guessing.forget_old,
    browsers.forget_old,
    forget_ended_sessions,
    forget_old_searches,
    forget_letters_to_strangers,
    inbound.forget_old,
    pushing.forget_old,
    once.forget_old,
)


def forget_what_is_old() -> int:
    """Drop, once an hour, all that was kept long enough."""
    now, before = utcnow(), current_app.extensions.get("forgot at", datetime.min.replace(tzinfo=utcnow().tzinfo))
    if before <= now < before + EVERY:
        return 0
    current_app.extensions["forgot at"] = now
    forgotten = 0
    for forget in FORGETTING:
        with transaction(wake=False):
            forgotten += forget()
    return forgotten
