"""What follows for inboxes from what is about no idea."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, String, Subquery, case, literal, select

from portal.accounts.models import SPOKEN_FOR, User
from portal.accounts.roles import ADMINS
from portal.db import UTCDateTime, db, insert_absent, utcnow
from portal.events import Recorded
from portal.notifications import pushing
from portal.notifications.deciding import decided
from portal.notifications.digests import making as digests
from portal.notifications.models import Notification
from portal.notifications.policy import ADMIN_KINDS, DECIDER_KINDS, Kind, Reason, Way


def note_rules_in_inboxes(recorded: Recorded) -> None:
    """Let everybody who had an account read that the rules have changed; the first rules are no change."""
    if recorded.event.version > 1:
        _tell(recorded, Kind.RULES_CHANGED, User.created_at < recorded.at)


def note_role_in_inbox(recorded: Recorded) -> None:
    """Let somebody read that they were given another role."""
    _tell(recorded, Kind.ROLE_CHANGED, User.id == recorded.event.user_id)


def tell_admins_of_stuck_mail(recorded: Recorded) -> None:
    """Let admins read that no mail goes out."""
    _tell(recorded, Kind.MAIL_STUCK, User.role.in_(ADMINS))


def tell_admins_of_flowing_mail(recorded: Recorded) -> None:
    """Let admins read that mails go out again."""
    _tell(recorded, Kind.MAIL_FLOWS, User.role.in_(ADMINS))


def tell(
    recorded: Recorded, kind: Kind, whom: ColumnElement[bool], *, reason: Reason = Reason.MEMBER
) -> Sequence[User]:
    """Write the news for each of them, and return those who want it by mail: whoever asks has a letter for them."""
    told = _tell(recorded, kind, whom, reason)
    return db.session.scalars(select(User).join(told, told.c.user_id == User.id).where(told.c.way == Way.MAIL)).all()


def _tell(recorded: Recorded, kind: Kind, whom: ColumnElement[bool], reason: Reason = Reason.MEMBER) -> Subquery:
    """Write a notification for each of them whose account is in use; nobody hears of their own act.

    What is to be mailed at once of it is a letter of its own, or cannot be mailed.
    """
    in_use = User.erased_at.is_(None) & User.leaves_at.is_(None) & User.approved_at.is_not(None)
    in_use &= User.suspended_at.is_(None) | (User.suspended_until <= utcnow())
    in_use &= User.email.not_like(f"%@{SPOKEN_FOR}") & (User.id != (recorded.event.actor_id or 0))
    people = select(User.id.label("user_id"), literal(reason.value, String).label("reason"))
    told = decided(kind, people.where(whom, in_use), None).subquery()
    inbox = literal(Way.INBOX.value, String)
    insert_absent(
        Notification,
        ["user_id", "event_id", "kind", "reason", "way", "at"],
        select(
            told.c.user_id,
            literal(recorded.id),
            literal(kind.value, String),
            told.c.reason,
            case((told.c.way == Way.MAIL.value, inbox), else_=told.c.way),
            literal(recorded.at, UTCDateTime),
        ),
    )
    digests.expect(recorded.id)
    if kind in ADMIN_KINDS | DECIDER_KINDS:  # of the way that mails go, no mail can tell
        pushing.queue(recorded.id, kind, utcnow())
    return told
