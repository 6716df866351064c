"""Reading accounts, rules and who agreed to them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import AuthSession, Rules, RulesAcceptance, User
from portal.accounts.roles import STAFF
from portal.db import db


def find_by_email(email: str) -> User | None:
    """Return the account with this address."""
    address = email.strip().lower()
    if "\0" in address:  # PostgreSQL cannot even be asked
        return None
    return db.session.scalar(select(User).where(User.email == address))


def find_user(user_id: int | None) -> User | None:
    """Return the account with this number."""
    return db.session.get(User, user_id) if user_id else None


def rules_in_force() -> Rules | None:
    """Return the newest version of the rules; None while nobody has written any."""
    return db.session.scalar(select(Rules).order_by(Rules.version.desc()).limit(1))


def rules_accepted_by(user: User) -> Rules | None:
    """Return the newest version that the user agreed to."""
    accepted = select(Rules).join(RulesAcceptance, RulesAcceptance.version == Rules.version)
    return db.session.scalar(accepted.where(RulesAcceptance.user_id == user.id).order_by(Rules.version.desc()).limit(1))


def rules_version(version: int) -> Rules | None:
    """Return one version of the rules."""
    return db.session.get(Rules, version)


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


def team_names() -> list[str]:
    """Return the names under which the team speaks."""
    return list(db.session.scalars(select(User.team).where(User.team.is_not(None)).distinct()))


def list_staff() -> list[User]:
    """Return everybody who can own an idea, by name."""
    return list(
        db.session.scalars(select(User).where(User.role.in_(STAFF), User.suspended_at.is_(None)).order_by(User.name))
    )


def sessions_of(user: User) -> list[AuthSession]:
    """Return the user's signed-in browsers, the latest seen first."""
    mine = select(AuthSession).where(AuthSession.user_id == user.id)
    return list(db.session.scalars(mine.order_by(AuthSession.seen_at.desc())))
