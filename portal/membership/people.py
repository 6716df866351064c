"""Looking after people: letting in who waits, roles, suspensions; effective with the next request of everybody."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts import service as accounts
from portal.accounts.models import AuthSession, User
from portal.accounts.policy import (
    LONGEST_BY_MODERATORS,
    may_change_role,
    may_give_role,
    may_suspend,
    may_suspend_for_long,
    outranks,
)
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.membership import invitations
from portal.membership.events import MemberApproved, MemberDeclined, MemberSuspended, SuspensionLifted
from portal.membership.policy import roles_to_give
from portal.notifications import leaving
from portal.notifications.service import queue_letter
from portal.push import service as push
from portal.security.log import note
from portal.text import clean_text

APPROVED, DECLINED, SUSPENDED, LIFTED, ROLE = "approved", "declined", "suspended", "lifted", "role"
WORDS_MAX = 500
LONGEST_DAYS = 365


def approve(user: User, moderator: User, words: str = "") -> None:
    """Let somebody in who waits; doing it twice is doing it once."""
    if user.approved_at is not None:
        return
    user.approved_at = utcnow()
    event = emit(MemberApproved(actor_id=moderator.id, user_id=user.id, words=_words(words)))
    note("membership.approved", user=user, actor=moderator)
    queue_letter(APPROVED, to=user.email, user=user, data={"event": event}, rationed=False)


def decline(user: User, moderator: User, words: str = "") -> None:
    """Say no to somebody who waits: the account is gone, with all that was in it, and the person is told."""
    if user.approved_at is not None:
        raise Refusal(_("Somebody let this person in meanwhile. Suspend the account if that was wrong."))
    if not outranks(moderator, user):  # an admin gave them a role already
        raise Refusal(_("You can do this only for people whose role is below yours."))
    email, locale = user.email, user.locale
    note("membership.declined", user=None, actor=moderator, account=user.id)
    db.session.delete(user)
    db.session.flush()
    event = emit(MemberDeclined(actor_id=moderator.id, words=_words(words)))
    queue_letter(DECLINED, to=email, data={"event": event, "locale": locale}, rationed=False)


def set_role(user: User, role: Role, admin: User) -> None:
    """Give somebody another role; what they invited others to beyond it is taken back."""
    if not may_change_role(admin, user) or not may_give_role(admin, role):
        raise Refusal(_("You cannot give this role. Choose one below your own."))
    if user.role is role:
        return
    before = user.role
    accounts.set_role(user, role, admin)
    leaving.step_down(user, admin)
    note("role.changed", user=user, actor=admin, before=before.value, after=role.value)
    invitations.withdraw_above(user, roles_to_give(user))
    queue_letter(ROLE, to=user.email, user=user, data={"role": role.value}, rationed=False)


def suspend(user: User, actor: User, *, reason: str, days: int | None) -> None:
    """Shut an account, for some days or until somebody opens it; all its sessions end.

    Raises Refusal without a reason, for longer than the actor may, and for the last owner.
    """
    said = _words(reason)
    if not said:
        raise Refusal(_("Give the reason. The person will read it."))
    if not may_suspend(actor, user):
        raise Refusal(_("You cannot suspend somebody whose role is not below yours."))
    _leave_to_admins(user, actor)
    longest = LONGEST_BY_MODERATORS.days
    if not may_suspend_for_long(actor, user) and (days is None or days > longest):
        raise Refusal(_("You can suspend for up to %(count)d days. Ask an admin if it must be longer.", count=longest))
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise Refusal(_("Choose between 1 and %(count)d days.", count=LONGEST_DAYS))
    accounts.keep_an_owner(user)
    now = utcnow()
    user.suspended_at, user.suspended_until = now, now + timedelta(days=days) if days else None
    until = user.suspended_until.isoformat() if user.suspended_until else None
    _end_sessions(user)
    invitations.withdraw_above(user, ())
    event = emit(MemberSuspended(actor_id=actor.id, user_id=user.id, reason=said, until=until))
    note("suspended", user=user, actor=actor, until=until)
    queue_letter(SUSPENDED, to=user.email, user=user, data={"event": event}, rationed=False)


def lift(user: User, actor: User) -> None:
    """Open a shut account again; moderators only what a moderator may shut."""
    if not user.is_suspended:
        return
    _leave_to_admins(user, actor)
    user.suspended_at = user.suspended_until = None
    emit(SuspensionLifted(actor_id=actor.id, user_id=user.id))
    note("suspension.lifted", user=user, actor=actor)
    queue_letter(LIFTED, to=user.email, user=user, rationed=False)


def sign_out_everywhere(user: User, actor: User) -> None:
    """End all of somebody's sessions."""
    _end_sessions(user)
    note("sessions.ended", user=user, actor=actor)


def reveal_address(user: User, actor: User) -> str:
    """Return somebody's mail address, and write down that it was read."""
    note("address.revealed", user=user, actor=actor)
    return user.email


def _end_sessions(user: User) -> None:
    db.session.execute(sa.delete(AuthSession).where(AuthSession.user_id == user.id))
    push.forget_all(user)


def _leave_to_admins(user: User, actor: User) -> None:
    """Raise Refusal where the account is shut for longer than the actor may: they neither lift nor shorten that."""
    if user.suspended_at is None or not user.is_suspended or may_suspend_for_long(actor, user):
        return
    if user.suspended_until is None or user.suspended_until - user.suspended_at > LONGEST_BY_MODERATORS:
        raise Refusal(_("An admin suspended this account for longer than you can. Only an admin can change that."))


def _words(text: str) -> str:
    return clean_text(text)[:WORDS_MAX]
