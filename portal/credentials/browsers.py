"""Browsers in which somebody was signed in before: known by a cookie of their own, of which only a hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

import sqlalchemy as sa

from portal.accounts.models import User
from portal.credentials.models import KnownBrowser
from portal.db import count_rows, db, utcnow

KEPT_FOR = timedelta(days=365)  # after somebody last signed in there
MOST = 20  # of one person


def is_known(token: str, email: str) -> bool:
    """Whether the account with this address was signed in before where ``token`` is kept."""
    if not token:
        return False
    there = sa.select(KnownBrowser.user_id).join(User, User.id == KnownBrowser.user_id)
    return bool(
        db.session.scalar(there.where(KnownBrowser.token_hash == _hash(token), User.email == email.strip().lower()))
    )


def remember(token: str, user: User) -> str:
    """Know the browser from now on, and return the token that it keeps: its own, or a new one.

    A token that nobody was given here is never taken up: somebody else may have put it there.
    """
    held = sa.select(KnownBrowser.token_hash).where(KnownBrowser.token_hash == _hash(token)).limit(1)
    if not token or db.session.scalar(held) is None:
        token = secrets.token_urlsafe(32)
    row = db.session.get(KnownBrowser, (_hash(token), user.id)) or KnownBrowser(
        token_hash=_hash(token), user_id=user.id
    )
    row.seen_at = utcnow()
    db.session.add(row)
    db.session.flush()
    _forget_oldest(user)
    return token


def forget_all(user: User) -> None:
    """Know none of the account's browsers any more."""
    db.session.execute(sa.delete(KnownBrowser).where(KnownBrowser.user_id == user.id))


def forget_old() -> int:
    """Drop browsers in which nobody signed in for a year."""
    old = sa.delete(KnownBrowser).where(KnownBrowser.seen_at < utcnow() - KEPT_FOR)
    return count_rows(old)


def _forget_oldest(user: User) -> None:
    theirs = sa.select(KnownBrowser.token_hash).where(KnownBrowser.user_id == user.id)
    beyond = list(db.session.scalars(theirs.order_by(KnownBrowser.seen_at.desc()).offset(MOST)))
    if beyond:
        db.session.execute(
            sa.delete(KnownBrowser).where(KnownBrowser.user_id == user.id, KnownBrowser.token_hash.in_(beyond))
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
