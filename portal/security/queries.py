"""Reading the log of acts of security."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.accounts.models import User
from portal.db import count_rows, db, utcnow
from portal.security.models import SecurityEntry

KEPT_FOR = timedelta(days=90)  # addresses and browsers
OWN = 8  # entries on the account page


def has_signed_in(user: User) -> bool:
    """Whether the account was ever signed in to, as far as the log goes back."""
    entry = sa.select(SecurityEntry.id).where(SecurityEntry.user_id == user.id, SecurityEntry.kind == "sign_in")
    return db.session.scalar(entry.limit(1)) is not None


def entry(entry_id: int | None) -> SecurityEntry | None:
    """Return one entry of the log."""
    return db.session.get(SecurityEntry, entry_id) if entry_id else None


def entries_of(user: User, before: int | None = None, count: int = OWN) -> list[SecurityEntry]:
    """Return what happened to the user's own account, newest first; ``before`` continues a list."""
    theirs = sa.select(SecurityEntry).where(SecurityEntry.user_id == user.id)
    if before is not None:
        theirs = theirs.where(SecurityEntry.id < before)
    return list(db.session.scalars(theirs.order_by(SecurityEntry.id.desc()).limit(count)))


def entries(
    *, kind: str = "", user_id: int | None = None, before: int | None = None, count: int = 51
) -> list[SecurityEntry]:
    """Return what happened in the portal, newest first: of one kind, and what one person did or had done to them."""
    found = sa.select(SecurityEntry).options(joinedload(SecurityEntry.user), joinedload(SecurityEntry.actor))
    if kind:
        found = found.where(SecurityEntry.kind == kind)
    if user_id is not None:
        found = found.where(sa.or_(SecurityEntry.user_id == user_id, SecurityEntry.actor_id == user_id))
    if before is not None:
        found = found.where(SecurityEntry.id < before)
    return list(db.session.scalars(found.order_by(SecurityEntry.id.desc()).limit(count)))


def kinds() -> list[str]:
    """Return the kinds of acts that the log holds."""
    return list(db.session.scalars(sa.select(SecurityEntry.kind).distinct().order_by(SecurityEntry.kind)))


def forget_addresses() -> int:
    """Blank addresses and browsers after 90 days; what happened, when and to whom stays as it is."""
    old = sa.update(SecurityEntry).where(
        SecurityEntry.at < utcnow() - KEPT_FOR, sa.or_(SecurityEntry.address != "", SecurityEntry.browser != "")
    )
    return count_rows(old.values(address="", browser=""))
