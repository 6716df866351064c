"""What people can do about what they are told, and operators about mails that did not get through."""

from __future__ import annotations

import uuid
from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.ideas import service as ideas
from portal.notifications import queries
from portal.notifications.models import Mail, Notification
from portal.notifications.queries import NewsRow, Stop
from portal.outbox import Leased

CONFIRM = "confirm"
CONFIRMATIONS_AN_HOUR, CONFIRMATIONS_A_DAY = 2, 5


class TooManyConfirmations(Refusal):
    """This address was written to often enough for now."""

    status = 429

    def __init__(self) -> None:
        super().__init__(
            _("We have sent you this link more than once already. Look in your spam folder, or try again in an hour.")
        )


def ask_again_to_confirm(user: User) -> None:
    """Send the link that confirms the address once more; raise TooManyConfirmations when it was asked for too often."""
    if user.confirmed_at is None and not queue_confirmation(user, key=f"confirm-again-{uuid.uuid4().hex}"):
        raise TooManyConfirmations


def queue_confirmation(user: User, key: str) -> bool:
    """Queue the mail that confirms an address; return whether one more was allowed."""
    now = utcnow()
    for allowed, window in ((CONFIRMATIONS_AN_HOUR, timedelta(hours=1)), (CONFIRMATIONS_A_DAY, timedelta(days=1))):
        recent = sa.select(sa.func.count()).where(
            Mail.user_id == user.id, Mail.kind == CONFIRM, Mail.queued_at > now - window, Mail.key != key
        )
        if (db.session.scalar(recent) or 0) >= allowed:
            return False
    insert_if_absent(Mail, key=key, kind=CONFIRM, user_id=user.id)
    return True


def mark_read(row: NewsRow) -> None:
    """Note that its reader has seen all that a row of the inbox stands for."""
    ids = [story.notification.id for story in row.stories]
    db.session.execute(_read(Notification.id.in_(ids)))


def mark_idea_read(user: User, notification: Notification) -> None:
    """Note that the user has seen this, and whatever came before it about the same idea."""
    same = sa.and_(Notification.user_id == user.id, Notification.idea_id == notification.idea_id)
    db.session.execute(_read(sa.and_(same, Notification.id <= notification.id)))


def mark_all_read(user: User) -> None:
    """Note that the user has seen everything."""
    db.session.execute(_read(Notification.user_id == user.id))


def choose_mail(user: User, wanted: bool) -> None:
    """Send the user mails, or none; the inbox has everything either way."""
    user.wants_mail = wanted


def stop(about: Stop, choice: str) -> None:
    """Carry out what somebody chose on the page behind a mail's stop link; an unknown choice changes nothing."""
    if choice in {"none", "all"}:
        choose_mail(about.user, choice == "all")
    elif about.idea is not None and choice == "mute":
        ideas.unfollow(about.idea, about.user)
    elif about.idea is not None and choice == "follow":
        ideas.follow(about.idea, about.user)


def stop_at_once(about: Stop) -> None:
    """Stop what the mail was about: this idea, or all mails if it was about none."""
    stop(about, "mute" if about.by_idea else "none")


def try_again(work: Leased) -> None:
    """Make something that was set aside, or waits for its next try, due now."""
    if work.done_at is not None:
        return
    work.attempts, work.available_at = 0, utcnow()
    work.given_up_at = work.locked_until = work.locked_by = None
    if isinstance(work, Mail):
        work.unknown_ends = 0


def try_all_again() -> int:
    """Make everything due that was set aside; return how much that is."""
    work = queries.set_aside()
    for row in work:
        try_again(row)
    return len(work)


def _read(which: sa.ColumnElement[bool]) -> sa.Update:
    return sa.update(Notification).where(which, Notification.read_at.is_(None)).values(read_at=utcnow())
