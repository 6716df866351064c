"""What people can do about what they are told, and operators about mails that did not get through."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import count_rows, db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.ideas import service as ideas
from portal.leases import Leased
from portal.notifications.by_link import Stop
from portal.notifications.digests import turns
from portal.notifications.mails import progress
from portal.notifications.models import Mail, Notification
from portal.notifications.queries import NewsRow

CONFIRM, MAIL_TEST = "confirm", "mail_test"
LETTERS_AN_HOUR, LETTERS_A_DAY = 2, 5
KEPT_FOR_STRANGERS = timedelta(days=90)


class TooManyConfirmations(Refusal):
    """This address was written to often enough for now."""

    status = 429

    def __init__(self) -> None:
        super().__init__(
            _("We have sent you this link more than once already. Look in your spam folder, or try again in an hour.")
        )


def ask_again_to_confirm(user: User) -> None:
    """Send the link that confirms the address once more; raise TooManyConfirmations when it was asked for too often."""
    if (user.confirmed_at is None or user.mail_stopped_at) and not queue_confirmation(
        user, key=f"confirm-again-{uuid.uuid4().hex}"
    ):
        raise TooManyConfirmations


def queue_confirmation(user: User, key: str) -> bool:
    """Queue the mail that confirms an address; return whether one more was allowed."""
    return queue_letter(CONFIRM, to=user.email, user=user, key=key)


def queue_letter(
    kind: str,
    *,
    to: str,
    user: User | None = None,
    data: dict[str, Any] | None = None,
    key: str = "",
    rationed: bool = True,
) -> bool:
    """Queue a letter about an account to one address; return False where the address had its ration, and queue nothing.

    The ration is two letters an hour and five a day for each address, over all kinds of rationed letters: so nobody
    can have a stranger's mailbox filled. Notices that an owner must not miss are not rationed.
    """
    if rationed and _had_ration(to, key):
        return False
    details = dict(data or {})
    insert_if_absent(
        Mail,
        key=key or f"{kind}-{uuid.uuid4().hex}",
        kind=kind,
        user_id=user.id if user else None,
        recipient=to,
        data=details | {"rationed": rationed},
    )
    return True


def _had_ration(to: str, key: str) -> bool:
    now = utcnow()
    kinds = list(current_app.extensions["letters"])
    for allowed, window in ((LETTERS_AN_HOUR, timedelta(hours=1)), (LETTERS_A_DAY, timedelta(days=1))):
        queued = sa.select(Mail.data).where(
            Mail.recipient == to, Mail.kind.in_(kinds), Mail.queued_at > now - window, Mail.key != key
        )
        if sum(bool(data.get("rationed")) for data in db.session.scalars(queued)) >= allowed:
            return True
    return False


def forget_letters_to_strangers() -> int:
    """Drop mails that ended 90 days ago to addresses without an account: nobody else could have them erased.

    Tests of the mail go to any address.
    """
    ended = Mail.done_at.is_not(None) | Mail.given_up_at.is_not(None)
    old = Mail.queued_at < utcnow() - KEPT_FOR_STRANGERS
    strangers = Mail.user_id.is_(None) | (Mail.kind == MAIL_TEST)
    return count_rows(sa.delete(Mail).where(strangers, ended, old))


def mark_read(row: NewsRow) -> None:
    """Note that its reader has seen all that a row of the inbox stands for."""
    ids = [story.notification.id for story in row.stories]
    db.session.execute(_read(Notification.id.in_(ids)))


def mark_idea_read(user: User, notification: Notification) -> None:
    """Note that the user has seen this, and whatever came before it about the same idea."""
    same = sa.and_(Notification.user_id == user.id, Notification.idea_id == notification.idea_id)
    db.session.execute(_read(sa.and_(same, Notification.id <= notification.id)))


def mark_one_read(notification: Notification) -> None:
    """Note that its reader has seen one line about no idea."""
    db.session.execute(_read(Notification.id == notification.id))


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
    elif choice in {"no-turn", "turn"} and not about.by_idea:
        turns.choose(about.user, about.kind, choice == "turn")
    elif about.idea is not None and choice == "mute":
        ideas.unfollow(about.idea, about.user)
    elif about.idea is not None and choice == "follow":
        ideas.follow(about.idea, about.user)
    elif about.idea is not None and choice == "quiet":
        ideas.follow_quietly(about.idea, about.user)


def stop_at_once(about: Stop) -> None:
    """Stop what the mail was about: this idea, a letter that comes by turns, or all mails if it was about neither."""
    stop(about, "mute" if about.by_idea else "no-turn" if about.kind in turns.TURNS else "none")


def try_again(work: Leased) -> None:
    """Make something that was set aside, or waits for its next try, due now; what somebody is at already, is tried."""
    if work.done_at is not None or (work.locked_until is not None and work.locked_until > utcnow()):
        return
    work.attempts, work.available_at = 0, utcnow()
    work.given_up_at = work.locked_until = work.locked_by = None
    if isinstance(work, Mail):
        work.unknown_ends = 0


def try_all_again() -> int:
    """Make everything due that was set aside; return how much that is."""
    work = progress.set_aside()
    for row in work:
        try_again(row)
    return len(work)


def try_mails_again() -> int:
    """Make every mail due that was set aside; return how many."""
    aside = sa.update(Mail).where(Mail.given_up_at.is_not(None), Mail.done_at.is_(None))
    return count_rows(
        aside.values(
            attempts=0, available_at=utcnow(), given_up_at=None, locked_until=None, locked_by=None, unknown_ends=0
        )
    )


def _read(which: sa.ColumnElement[bool]) -> sa.Update:
    return sa.update(Notification).where(which, Notification.read_at.is_(None)).values(read_at=utcnow())
