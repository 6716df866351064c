"""Reading who is here, who waits, and who was invited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, RulesAcceptance, User, name_key
from portal.accounts.roles import STAFF_READERS, Role
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.membership.events import MemberSuspended
from portal.membership.models import Invitation

PEOPLE, INVITATIONS = 50, 50  # on one page


class State(StrEnum):
    """How things stand with an invitation."""

    OPEN = "open"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class People:
    """One page of the people here: all that the list shows."""

    people: list[User]
    next_id: int | None  # the last on the page, if there are more


@dataclass(frozen=True, slots=True)
class Sent:
    """One page of invitations."""

    invitations: list[Invitation]
    next_id: int | None


def states() -> dict[str, ColumnElement[bool]]:
    """Return the ways to look at the people here."""
    now = utcnow()
    shut = sa.and_(User.suspended_at.is_not(None), sa.or_(User.suspended_until.is_(None), User.suspended_until > now))
    return {
        "all": sa.true(),
        "waiting": User.approved_at.is_(None),
        "team": User.role.in_(STAFF_READERS),
        "suspended": shut,
        "leaving": User.leaves_at.is_not(None),
    }


def people(
    *, state: str, role: Role | None, words: str, by_address: bool, before: int | None, page: int = PEOPLE
) -> People:
    """Return a page of people, the newest first; an address is looked for only as a whole, and only ``by_address``."""
    found = select(User).where(User.erased_at.is_(None), states()[state]).order_by(User.id.desc())
    if role is not None:
        found = found.where(User.role == role)
    if by_address and "@" in words:
        found = found.where(User.email == words.strip().lower())
    elif words:
        found = found.where(User.name_key.contains(name_key(words), autoescape=True))
    if before is not None:
        found = found.where(User.id < before)
    rows = list(db.session.scalars(found.limit(page + 1)))
    return People(rows[:page], rows[page - 1].id if len(rows) > page else None)


def count_people(state: str) -> int:
    """Return how many people there are of one kind."""
    counted = select(sa.func.count()).select_from(User).where(User.erased_at.is_(None), states()[state])
    return db.session.scalar(counted) or 0


def find_person(user_id: int) -> User | None:
    """Return somebody who is here; whoever left is nobody to look after."""
    user = db.session.get(User, user_id)
    return user if user and user.erased_at is None else None


def acceptance_of(user: User) -> RulesAcceptance | None:
    """Return which rules somebody agreed to last, and when."""
    agreed = select(RulesAcceptance).where(RulesAcceptance.user_id == user.id)
    return db.session.scalar(agreed.order_by(RulesAcceptance.version.desc()).limit(1))


def why_suspended(user: User) -> MemberSuspended | None:
    """Return what was said when the account was shut the last time."""
    if user.suspended_at is None:
        return None
    records = select(EventRecord).where(EventRecord.name == MemberSuspended.name).order_by(EventRecord.id.desc())
    for record in db.session.scalars(records.limit(1000)):
        if record.data.get("user_id") == user.id:
            return MemberSuspended(actor_id=record.actor_id, **record.data)
    return None


def moderators() -> Sequence[User]:
    """Return everybody who can let people in."""
    able = [role for role in Role if role in {Role.MODERATOR, Role.ADMIN, Role.OWNER}]
    return [user for user in db.session.scalars(select(User).where(User.role.in_(able))) if user.is_active]


def invitations_of(viewer: Person, before: int | None, page: int = INVITATIONS) -> Sent:
    """Return a page of invitations, the newest first: admins see all, others those they sent."""
    found = (
        select(Invitation)
        .options(joinedload(Invitation.invited_by), joinedload(Invitation.accepted_by), joinedload(Invitation.board))
        .order_by(Invitation.id.desc())
    )
    if not viewer.is_admin:
        found = found.where(Invitation.invited_by_id == viewer.id)
    if before is not None:
        found = found.where(Invitation.id < before)
    rows = list(db.session.scalars(found.limit(page + 1)))
    return Sent(rows[:page], rows[page - 1].id if len(rows) > page else None)


def find_invitation(invitation_id: int, viewer: Person) -> Invitation | None:
    """Return an invitation that the viewer may know of."""
    invitation = db.session.get(Invitation, invitation_id)
    if invitation is None or not (viewer.is_admin or invitation.invited_by_id == viewer.id):
        return None
    return invitation


def count_open_invitations() -> int:
    """Return how many invitations wait to be accepted."""
    waiting = select(sa.func.count()).where(
        Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None), Invitation.expires_at > utcnow()
    )
    return db.session.scalar(waiting) or 0


def state_of(invitation: Invitation, now: datetime | None = None) -> State:
    """Return how things stand with an invitation."""
    if invitation.accepted_at is not None:
        return State.ACCEPTED
    if invitation.withdrawn_at is not None:
        return State.WITHDRAWN
    return State.OPEN if invitation.expires_at > (now or utcnow()) else State.EXPIRED
