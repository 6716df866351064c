"""The chore that sends mails: claimed by lease, written at the last moment, handed over, and the end noted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import sqlalchemy as sa
from flask import current_app
from sqlalchemy import select

from portal import outbox
from portal.accounts.models import User
from portal.db import db, utcnow
from portal.ideas.models import Follow, Idea
from portal.ideas.queries import reaches
from portal.notifications import folding, letters, stories
from portal.notifications.models import Mail
from portal.notifications.policy import MAILS_A_DAY, PERSONAL_KINDS, Kind, Reason
from portal.notifications.transport import EndUnknown, NotTaken, Transport, Unreachable, transport_for
from portal.transactions import transaction

log = logging.getLogger(__name__)

BATCH = 50
ATTEMPTS = 60  # with the delays of the outbox, two days
HAND_OVER_WITHIN = timedelta(minutes=5)
REPEATS = 2  # how often a mail whose end we do not know may have been handed over


Writer = Callable[[Mail], letters.Letter | letters.Suppressed]


def send_due() -> int:
    """Send what is due; return how many mails were looked at. Any number of workers may do so at once."""
    transport = transport_for(current_app.config["MAIL_URL"])
    ids = outbox.claim(Mail, BATCH)
    try:
        for position, mail_id in enumerate(ids):
            try:
                _send(mail_id, transport)
            except Unreachable as problem:
                _put_back(ids[position:], str(problem))
                break
            except Exception as error:
                log.exception("mail %s could not be written", mail_id)
                _put_back([mail_id], f"{type(error).__name__}: {error}")
    finally:
        if transport is not None:
            transport.close()
    return len(ids)


def _send(mail_id: int, transport: Transport | None) -> None:
    mail = db.session.get_one(Mail, mail_id)
    if folding.fold(mail):
        return
    written = _write(mail) if transport else letters.Suppressed("no mail server configured")
    if isinstance(written, letters.Suppressed):
        _suppress(mail_id, written)
        return
    recipient, sender = mail.to, letters.sender_address()
    if transport is None or not _begin(mail_id):
        return
    try:
        transport.hand_over(written, sender, recipient)
    except EndUnknown as problem:
        _put_back([mail_id], str(problem))
    except Unreachable:
        _note(mail_id)
        raise
    except NotTaken as problem:
        _note(mail_id)
        _give_up(mail_id, str(problem)) if problem.for_good else _put_back([mail_id], str(problem))
    else:
        _note(mail_id, sent=True)


def _write(mail: Mail) -> EmailMessage | letters.Suppressed:
    """Write the mail as things are now, for its reader may have lost sight of it since it was queued."""
    user = mail.user
    if mail.kind in account_letters():
        return _write_account_letter(mail)
    if user is None or not user.is_active:
        return letters.Suppressed("account suspended")
    if not user.can_get_mail:
        return letters.Suppressed("mails not wanted" if user.confirmed_at else "address not confirmed")
    with letters.in_language_of(user):
        told = stories.tell(folding.notifications_of(mail), user)
        if not told:
            return letters.Suppressed("taken back" if folding.is_taken_back(mail) else "no longer visible")
        *before, last = told
        if is_muted(user, last.idea):
            return letters.Suppressed("idea muted")
        if last.kind is Kind.MERGED and not last.still_joined:
            return letters.Suppressed("merge taken back")
        if folding.was_never_mailed(mail, last):
            return letters.Suppressed("taken back")
        if folding.is_as_before(before, last):
            return letters.Suppressed("changed back")
        if not still_concerns(user, last):
            return letters.Suppressed("no longer follows")
        return letters.compose(letters.letter_of(last, user, before), mail)


def _write_account_letter(mail: Mail) -> EmailMessage | letters.Suppressed:
    """Write what concerns an account or an address; it goes out whatever mails its reader wants, if it can arrive."""
    if mail.to.endswith(".invalid"):  # of somebody without an account, whom the team or an import names
        return letters.Suppressed("no such address")
    with letters.in_language_of(mail.user, mail.data.get("locale")):
        letter = account_letters()[mail.kind](mail)
        return letter if isinstance(letter, letters.Suppressed) else letters.compose(letter, mail)


def account_letters() -> dict[str, Writer]:
    """Return who writes which letter, by the table beside the reactions."""
    table: dict[str, Writer] = current_app.extensions["letters"]
    return table


def is_muted(user: User, idea: Idea) -> bool:
    """Whether the user wants no more of this idea."""
    muted = select(Follow.user_id).where(Follow.user_id == user.id, Follow.idea_id == idea.id, Follow.muted)
    return db.session.scalar(muted) is not None


def still_concerns(user: User, story: stories.Story) -> bool:
    """Whether the reason for which the mail was queued still holds."""
    if story.reason is Reason.OWNER:
        return story.idea.owner_id == user.id
    if story.kind is Kind.REVIEW_ASKED:
        return story.team is not None and story.team.waits_for(user.id)
    if story.kind in PERSONAL_KINDS or story.kind in {Kind.REPLIED, Kind.MERGE_UNDONE, Kind.MOVE_UNDONE}:
        return True
    follows = select(Follow.user_id).where(Follow.user_id == user.id, reaches(story.idea.id))
    return db.session.scalar(follows.limit(1)) is not None


def _begin(mail_id: int) -> bool:
    """Note that the mail is about to leave: until we note more, its end is unknown. False if it must not leave."""
    with transaction(wake=False):
        mail = db.session.get_one(Mail, mail_id)
        if mail.done_at is not None or mail.given_up_at is not None or mail.locked_by != outbox.WORKER_NAME:
            return False  # another worker took it over after our lease ran out
        if mail.unknown_ends >= REPEATS:
            _set_aside(mail, "unknown whether it arrived")
            return False
        if mail.kind not in account_letters() and _mails_of_today(mail) >= MAILS_A_DAY:
            mail.done_at, mail.suppressed = utcnow(), "daily ceiling"
            return False
        mail.unknown_ends += 1
        mail.locked_until = utcnow() + HAND_OVER_WITHIN
        return True


def _mails_of_today(mail: Mail) -> int:
    """Count what reached this person in 24 hours or is on its way; whoever else counts for them waits."""
    db.session.execute(select(User.id).where(User.id == mail.user_id).with_for_update())
    sent = sa.and_(Mail.done_at > utcnow() - timedelta(days=1), Mail.suppressed.is_(None))
    leaving = sa.and_(Mail.done_at.is_(None), Mail.given_up_at.is_(None), Mail.unknown_ends > 0)
    others = select(sa.func.count()).where(
        Mail.user_id == mail.user_id, Mail.id != mail.id, Mail.kind.not_in(account_letters())
    )
    return db.session.scalar(others.where(sa.or_(sent, leaving))) or 0


def _note(mail_id: int, sent: bool = False) -> None:
    """Note how handing over ended, now that we know."""
    with transaction(wake=False):
        mail = db.session.get_one(Mail, mail_id)
        mail.unknown_ends = 0 if sent else max(0, mail.unknown_ends - 1)
        if sent:
            mail.done_at, mail.error, mail.locked_until, mail.locked_by = utcnow(), None, None, None


def _suppress(mail_id: int, suppressed: letters.Suppressed) -> None:
    with transaction(wake=False):
        mail = db.session.get_one(Mail, mail_id)
        if mail.done_at is None and mail.locked_by == outbox.WORKER_NAME:
            mail.done_at, mail.suppressed = utcnow(), suppressed.why


def _give_up(mail_id: int, words: str) -> None:
    with transaction(wake=False):
        _set_aside(db.session.get_one(Mail, mail_id), words)


def _set_aside(mail: Mail, words: str) -> None:
    mail.given_up_at, mail.error, mail.locked_until, mail.locked_by = utcnow(), words[:500], None, None


def _put_back(mail_ids: list[int], words: str) -> None:
    with transaction(wake=False):
        for mail in db.session.scalars(select(Mail).where(Mail.id.in_(mail_ids), Mail.locked_by == outbox.WORKER_NAME)):
            mail.put_back(words, ATTEMPTS)
