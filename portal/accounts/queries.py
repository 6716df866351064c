"""Reading accounts, rules and who agreed to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import AuthSession, PrivacyNotice, Rules, RulesAcceptance, User, name_key
from portal.db import db, utcnow

IDLE_STAFF = timedelta(minutes=60)
LONGEST, LONGEST_STAFF = timedelta(days=30), timedelta(hours=12)


def find_by_email(email: str) -> User | None:
    """Return the account with this address."""
    address = email.strip().lower()
    if "\0" in address:  # PostgreSQL cannot even be asked
        return None
    return db.session.scalar(select(User).where(User.email == address))


def find_by_name_or_email(text: str) -> User | None:
    """Return the account with this address, or shown under this name."""
    if "@" in text or "\0" in text:
        return find_by_email(text)
    return db.session.scalar(select(User).where(User.name_key == name_key(text)))


def find_user(user_id: int | None) -> User | None:
    """Return the account with this number."""
    return db.session.get(User, user_id) if user_id else None


def ends_at(session: Any, reads_as_staff: bool) -> datetime:
    """Return until when a session holds if nobody uses it: a row of the table, or what was read of one."""
    idle, longest = timedelta(seconds=session.idle_seconds), LONGEST
    if reads_as_staff:  # also when the role came after the session
        idle, longest = min(idle, IDLE_STAFF), LONGEST_STAFF
    return min(session.seen_at + idle, session.created_at + longest, session.expires_at)


def rules_in_force() -> Rules | None:
    """Return the newest version of the rules; None while nobody has written any."""
    return db.session.scalar(select(Rules).order_by(Rules.version.desc()).limit(1))


def rules_accepted_by(user: User) -> Rules | None:
    """Return the newest version that the user agreed to."""
    accepted = select(Rules).join(RulesAcceptance, RulesAcceptance.version == Rules.version)
    return db.session.scalar(accepted.where(RulesAcceptance.user_id == user.id).order_by(Rules.version.desc()).limit(1))


def rules_versions() -> list[Rules]:
    """Return every version of the rules, newest first."""
    return list(db.session.scalars(select(Rules).order_by(Rules.version.desc())))


def has_accepted_rules(user: User) -> bool:
    """Whether the user agreed to the version in force; without rules there is nothing to agree to."""
    newest = select(sa.func.max(Rules.version)).scalar_subquery()
    accepted = select(RulesAcceptance.version).where(
        RulesAcceptance.user_id == user.id, RulesAcceptance.version == newest
    )
    return bool(db.session.scalar(select(sa.or_(newest.is_(None), accepted.exists()))))


def may_go_on_under_rules(user: User) -> bool:
    """Whether the user agreed to the rules in force, or to earlier ones and all since have their time of grace."""
    agreed = sa.func.coalesce(
        select(sa.func.max(RulesAcceptance.version)).where(RulesAcceptance.user_id == user.id).scalar_subquery(), 0
    )
    over = sa.or_(Rules.grace_until.is_(None), Rules.grace_until <= utcnow(), agreed == 0)
    return not db.session.scalar(select(select(Rules.version).where(Rules.version > agreed, over).exists()))


def privacy_in_force() -> PrivacyNotice | None:
    """Return the newest privacy notice that somebody published; None while the one brought along holds."""
    return db.session.scalar(select(PrivacyNotice).order_by(PrivacyNotice.version.desc()).limit(1))


def privacy_versions() -> list[PrivacyNotice]:
    """Return every version of the privacy notice that was published, newest first."""
    return list(db.session.scalars(select(PrivacyNotice).order_by(PrivacyNotice.version.desc())))


def team_names() -> list[str]:
    """Return the names under which the team speaks."""
    return list(db.session.scalars(select(User.team).where(User.team.is_not(None)).distinct()))


def sessions_of(user: User) -> list[AuthSession]:
    """Return the user's signed-in browsers, the latest seen first."""
    mine = select(AuthSession).where(AuthSession.user_id == user.id)
    return list(db.session.scalars(mine.order_by(AuthSession.seen_at.desc())))
