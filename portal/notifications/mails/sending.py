"""The chore that sends mails: claimed by lease, written at the last moment, handed over, and the end noted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from email.message import EmailMessage
from enum import StrEnum

import sqlalchemy as sa
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal import leases
from portal.accounts.models import User
from portal.db import db, utcnow
from portal.notifications import links, stories, telling
from portal.notifications.digests import making as digests
from portal.notifications.letters import letter_of
from portal.notifications.mails import asking, coming_back, folding, line, waiting
from portal.notifications.mails.letter import Letter, Suppressed, compose, in_language_of, sender_address
from portal.notifications.mails.transport import EndUnknown, NotTaken, Transport, Unreachable, transport_for
from portal.notifications.models import Mail, MailAttempt
from portal.notifications.policy import PERSONAL_KINDS, QUIETED_KINDS, Kind, Reason
from portal.transactions import transaction
from portal.worker import is_told_to_stop

log = logging.getLogger(__name__)

BATCH = 50
AT_A_TIME = 1.0  # seconds, before other chores have their turn
ATTEMPTS = 60  # with the delays of the outbox, two days
HAND_OVER_WITHIN = timedelta(minutes=5)
REPEATS = 2  # how often a mail whose end we do not know may have been handed over
IN_ORDER_FOR = timedelta(hours=1)


class Ending(StrEnum):
    """How handing a mail over ended when it was not taken."""

    LATER = "later"  # the server said: not now
    REFUSED = "refused"  # for good
    UNKNOWN = "unknown"  # no answer came
    UNWRITTEN = "unwritten"  # it could not be written


Writer = Callable[[Mail], Letter | Suppressed]


def send_due() -> int:
    """Send what is due, for a second or two; return how many mails were looked at. Any number of workers may do so."""
    began, done = time.monotonic(), 0
    while number := _send_some():
        done += number
        if number < BATCH or time.monotonic() - began > AT_A_TIME or is_told_to_stop():
            break
    return done


def _send_some() -> int:
    if not line.is_free(utcnow()):
        return 0
    transport = transport_for(current_app.config["MAIL_URL"])
    ids = leases.claim(Mail, BATCH, where=_is_next())
    held_up: set[int | None] = set()  # whose mails wait for one of this batch that was not taken
    taken: list[int] = []  # what the server has taken and is not noted yet: one at most
    sent, problems = 0, ""
    try:
        for position, mail_id in enumerate(ids):
            if is_told_to_stop():
                _let_go(ids[position:])
                break
            if held_up and _reader_of(mail_id) in held_up:
                _let_go([mail_id])
                continue
            try:
                sent += _send(mail_id, transport, taken)
            except Unreachable as problem:
                _let_go(ids[position:], str(problem))
                line.note_failure(str(problem), wait=True)
                problems = ""
                break
            except (NotTaken, EndUnknown) as problem:
                _put_back(mail_id, problem)
                held_up |= {_reader_of(mail_id)} - {None}
                problems = str(problem)
            except Exception as error:
                log.exception("mail %s could not be written", mail_id)
                _put_back(mail_id, error)
    finally:
        _note_taken(taken)
        if transport is not None:
            transport.close()
    if sent:
        line.note_success()
    elif problems and line.is_shut_to_several():
        line.note_failure(problems, wait=False)
    return len(ids)


def _is_next() -> sa.ColumnElement[bool]:
    """Say that no older news for the same person is being sent, or was not taken: what happened first arrives first.

    Nobody waits for longer than an hour, and letters about accounts never do.
    """
    older = aliased(Mail)
    waits = sa.exists().where(
        older.user_id == Mail.user_id,
        older.notification_id < Mail.notification_id,
        older.done_at.is_(None),
        older.given_up_at.is_(None),
        older.attempts > 0,
        older.error.is_not(None) | older.locked_until.is_not(None),
        older.queued_at > utcnow() - IN_ORDER_FOR,
    )
    return Mail.notification_id.is_(None) | ~waits


def _reader_of(mail_id: int) -> int | None:
    """Return whose news a mail brings; nobody's, if it is a letter."""
    mail = db.session.get(Mail, mail_id)
    return mail.user_id if mail is not None and mail.notification_id is not None else None


def _send(mail_id: int, transport: Transport | None, taken: list[int]) -> bool:
    """Send one mail, or note why it is none; return whether it was taken. Raises what kept it from being taken.

    That a mail was taken is noted in the transaction in which the next one begins: one for each mail, not two.
    """
    mail = asking.load(mail_id)
    if mail is None or not _is_ours(mail):
        return False  # what it was to tell of, or its reader, went since it was claimed; or another worker has it
    if folding.fold(mail) or waiting.wait_for_morning(mail):
        return False
    written = _write(mail) if transport else Suppressed("no mail server configured")
    if isinstance(written, Suppressed):
        _suppress(mail_id, written)
        return False
    recipient, sender = mail.to, coming_back.return_path(mail, sender_address())
    if transport is None or not _begin(mail, taken):
        return False
    try:
        transport.hand_over(written, sender, recipient)
    except EndUnknown:
        raise
    except NotTaken as problem:
        _note_untaken(mail_id)
        if isinstance(problem, Unreachable) or not problem.for_good:
            raise
        _give_up(mail_id, str(problem), problem.nobody_there)
        return False
    taken.append(mail_id)
    return True


def _write(mail: Mail) -> EmailMessage | Suppressed:
    """Write the mail as things are now, for its reader may have lost sight of it since it was queued."""
    user = mail.user
    if mail.kind in account_letters():
        return _write_account_letter(mail)
    if user is None or not user.is_active:
        return Suppressed("account suspended")
    if user.mail_stopped_at is not None:
        return Suppressed("mail stopped")
    if not user.can_get_mail:
        return Suppressed("mails not wanted" if user.confirmed_at else "address not confirmed")
    with in_language_of(user), links.key_known(user.id, mail.reach.links_key if mail.reach else ""):
        told = telling.stories_of(folding.notifications_of(mail), user)
        if not told:
            return Suppressed("taken back" if folding.is_taken_back(mail) else "no longer visible")
        *before, last = told
        standing = asking.standing_of(user, last.idea)  # all that one mail tells is of one idea
        if standing.muted:
            return Suppressed("idea muted")
        if last.kind is Kind.MERGED and not last.still_joined:
            return Suppressed("merge taken back")
        if folding.was_never_mailed(mail, last):
            return Suppressed("taken back")
        if folding.is_as_before(before, last):
            return Suppressed("changed back")
        if not (told := [story for story in told if still_concerns(user, story, standing)]):
            return Suppressed("no longer follows")
        unwanted = waiting.unwanted(told, user)
        wanted = [story for story in told if story.notification.id not in unwanted]
        if not wanted:
            return Suppressed(unwanted[told[-1].notification.id])
        *before, last = wanted
        return compose(letter_of(last, user, before), mail)


def _write_account_letter(mail: Mail) -> EmailMessage | Suppressed:
    """Write what concerns an account or an address; it goes out whatever mails its reader wants, if it can arrive."""
    if waiting.is_paused(mail):
        return Suppressed(waiting.PAUSED)
    if mail.to.endswith(".invalid"):  # of somebody without an account, whom the team or an import names
        return Suppressed("no such address")
    known = links.key_known(mail.user.id, mail.reach.links_key if mail.reach else "") if mail.user else nullcontext()
    with in_language_of(mail.user, mail.data.get("locale")), known:
        letter = account_letters()[mail.kind](mail)
        if isinstance(letter, Suppressed):
            return letter
        if letter.stop_url and mail.user is not None and mail.user.mail_stopped_at is not None:
            return Suppressed("mail stopped")  # what somebody asked for, and notices of danger, still go
        return compose(letter, mail)


def account_letters() -> dict[str, Writer]:
    """Return who writes which letter, by the table beside the reactions."""
    table: dict[str, Writer] = current_app.extensions["letters"]
    return table


def still_concerns(user: User, story: stories.Story, standing: asking.Standing | None = None) -> bool:
    """Whether the reason for which the mail was queued still holds; ``standing`` saves asking where it is at hand."""
    if story.reason is Reason.OWNER:
        joined = story.kind in {Kind.MERGE_OBJECTED, Kind.MERGE_UNDONE}  # told to whoever joined them, too
        return story.idea.owner_id == user.id or (joined and user.is_staff_on(story.idea.board_id))
    if story.kind is Kind.REVIEW_ASKED:
        return story.team is not None and story.team.waits_for(user.id)
    if story.kind in PERSONAL_KINDS or story.kind in {Kind.REPLIED, Kind.MERGE_UNDONE, Kind.MOVE_UNDONE}:
        return True
    also_quiet = story.kind not in QUIETED_KINDS
    if standing is not None:
        return standing.is_heard(also_quiet=also_quiet)
    return asking.is_heard(user, story.idea, also_quiet=also_quiet)


def _begin(mail: Mail, taken: list[int]) -> bool:
    """Note that the mail is about to leave: until we note more, its end is unknown. False if it must not leave."""
    before, letters = taken[:], list(account_letters())
    mail_id, reader_id, is_letter = mail.id, mail.user_id, mail.kind in letters
    with transaction(wake=False):
        for earlier in before:
            asking.note_taken(earlier)
        now = asking.before_leaving(mail_id, reader_id, None if is_letter else letters)
        is_ours, unknown_ends, is_one_too_many = now or (False, 0, False)
        if not is_ours:
            return False  # another worker took it over after our lease ran out, or it is gone
        if unknown_ends >= REPEATS:
            _set_aside(mail, "unknown whether it arrived")
            return False
        if is_one_too_many:
            kept = mail.user is not None and digests.keep([n.id for n in folding.notifications_of(mail)], mail.user)
            mail.done_at, mail.suppressed = utcnow(), "kept for the digest" if kept else "daily ceiling"
            return False
        is_ours = asking.note_leaving(mail_id, utcnow() + HAND_OVER_WITHIN)
    del taken[:]
    return is_ours


def _is_ours(mail: Mail) -> bool:
    """Whether the mail still waits for us: after our lease another worker may have taken it over, or sent it."""
    return mail.locked_by == leases.WORKER_NAME and mail.done_at is None and mail.given_up_at is None


def _note_untaken(mail_id: int) -> None:
    """Note that the mail was not taken: its end is known."""
    with transaction(wake=False):
        mail = db.session.get(Mail, mail_id)
        if mail is not None:
            mail.unknown_ends = max(0, mail.unknown_ends - 1)


def _note_taken(taken: list[int]) -> None:
    """Note that the server has taken a mail, where no other one began since."""
    if taken:
        with transaction(wake=False):
            for mail_id in taken:
                asking.note_taken(mail_id)
        del taken[:]


def _suppress(mail_id: int, suppressed: Suppressed) -> None:
    with transaction(wake=False):
        mail = db.session.get(Mail, mail_id)
        if mail is not None and mail.done_at is None and mail.locked_by == leases.WORKER_NAME:
            mail.done_at, mail.suppressed = utcnow(), suppressed.why
            if mail.kind == digests.LETTER and suppressed.why != digests.NOTHING_NEW:
                digests.give_back(mail.data["digest"])


def _give_up(mail_id: int, words: str, nobody_there: bool = False) -> None:
    with transaction(wake=False):
        mail = db.session.get(Mail, mail_id)
        if mail is None:
            return
        db.session.add(MailAttempt(mail_id=mail_id, ended=Ending.REFUSED, words=words[:500]))
        if _is_ours(mail):
            _set_aside(mail, words)
        if nobody_there:
            coming_back.note_bounce(mail, hard=True)


def _set_aside(mail: Mail, words: str) -> None:
    mail.given_up_at, mail.error, mail.locked_until, mail.locked_by = utcnow(), words[:500], None, None


def _put_back(mail_id: int, problem: Exception) -> None:
    """Try again later, and note how this time ended."""
    taken = isinstance(problem, NotTaken)
    ended = Ending.LATER if taken else Ending.UNKNOWN if isinstance(problem, EndUnknown) else Ending.UNWRITTEN
    words = str(problem) if ended is not Ending.UNWRITTEN else f"{type(problem).__name__}: {problem}"
    with transaction(wake=False):
        mail = db.session.get(Mail, mail_id)
        if mail is not None and mail.locked_by == leases.WORKER_NAME:
            mail.put_back(words, ATTEMPTS)
            db.session.add(MailAttempt(mail_id=mail_id, ended=ended, words=words[:500]))


def _let_go(mail_ids: list[int], words: str = "") -> None:
    """Leave mails in their place of the queue, as if nobody had looked at them: that they wait is not their fault."""
    with transaction(wake=False):
        for mail in db.session.scalars(select(Mail).where(Mail.id.in_(mail_ids), Mail.locked_by == leases.WORKER_NAME)):
            mail.locked_until = mail.locked_by = None
            mail.attempts, mail.error = max(0, mail.attempts - 1), words[:500] or mail.error
