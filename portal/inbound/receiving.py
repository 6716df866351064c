"""Taking a mail in: a reply becomes a comment, a report of a mail that came back is counted; each mail once."""

from __future__ import annotations

import logging
from datetime import timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts import queries as accounts
from portal.accounts.models import User
from portal.comments import service as comments
from portal.comments.models import BODY_MAX, Comment
from portal.db import count_rows, db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.ideas.models import Idea
from portal.ideas.policy import may_take_part
from portal.ideas.queries import ideas_visible_to
from portal.inbound import reading, reports
from portal.inbound.letters import LETTER
from portal.inbound.reading import Content, Incoming
from portal.limits import LIMITS, TooMuch, hold, wait
from portal.notifications import links
from portal.notifications.mails import coming_back
from portal.notifications.mails.addresses import is_same
from portal.notifications.mails.letter import in_language_of
from portal.notifications.models import Mail, ReceivedMail
from portal.notifications.service import queue_letter
from portal.security.log import note
from portal.text import clean_text
from portal.transactions import transaction

log = logging.getLogger(__name__)

LARGEST = 25 * 1024 * 1024  # bytes of a mail that are read
KEPT_FOR = timedelta(days=90)
REFUSALS_A_DAY = 10  # answered to one person; what comes beyond is dropped


class Outcome(StrEnum):
    """What became of a mail that came in."""

    POSTED = "posted"
    REFUSED = "refused"  # and its writer was told why
    DROPPED = "dropped"  # nobody is told: the account cannot be used, or too many were refused already
    FORGED = "forged"
    AUTOMATIC = "automatic"  # sent by a machine
    UNKNOWN = "unknown"  # to no address of ours
    BOUNCED = "bounced"  # nobody there
    DELAYED = "delayed"  # a mailbox that is full, a server that was away, or the word that it is tried again
    COMPLAINED = "complained"
    TESTED = "tested"  # a reply to a test mail
    KNOWN = "known"  # it came before


def receive(raw: bytes) -> Outcome:
    """Take in one mail as it came, headers and all; taking it in twice is taking it in once."""
    incoming = reading.read(raw)
    if _came_before(incoming):
        return Outcome.KNOWN
    outcome = _take(incoming)
    log.info("a mail came in: %s", outcome)
    return outcome


def forget_old() -> int:
    """Forget which mails came in 90 days ago, and the words of replies once they were sent back; return how many."""
    forgotten = count_rows(sa.delete(ReceivedMail).where(ReceivedMail.at < utcnow() - KEPT_FOR))
    said = sa.and_(Mail.kind == LETTER, Mail.done_at.is_not(None), sa.cast(Mail.data, sa.String) != "{}")
    return forgotten + count_rows(sa.update(Mail).where(said).values(data={}))


def _take(incoming: Incoming) -> Outcome:
    complained_of = reports.complaint_in(incoming.message)
    if complained_of is not None:
        return _take_complaint(incoming, complained_of)
    if coming_back.bounced_in(incoming.recipients) is not None:
        return _take_bounce(incoming)
    if coming_back.tested_in(incoming.recipients) is not None:
        return _take_test(incoming)
    if incoming.is_from_a_machine or reports.bounces_in(incoming.message) is not None:
        return _end(incoming, Outcome.AUTOMATIC)
    found = coming_back.replies_in(incoming.recipients)
    user = db.session.get(User, found[0]) if found else None
    if found is None or user is None:
        return _end(incoming, Outcome.UNKNOWN)
    idea_id = found[1]
    if not _is_by(user, incoming):
        return _end(incoming, Outcome.FORGED, user, idea_id)
    if not user.is_active or user.is_former or user.confirmed_at is None:
        return _end(incoming, Outcome.DROPPED, user, idea_id)
    return _take_reply(incoming, user.id, idea_id)


def _take_reply(incoming: Incoming, user_id: int, idea_id: int) -> Outcome:
    content = incoming.content()
    with in_language_of(db.session.get_one(User, user_id)):
        try:
            with transaction():
                user = db.session.get_one(User, user_id)
                if not _note(incoming, Outcome.POSTED, user, idea_id):
                    return Outcome.KNOWN
                comment = _post(user, idea_id, content, incoming)
                _row(incoming).comment_id = comment.id
                if content.files:
                    _answer(user, {"idea": idea_id, "comment": comment.id, "files": content.files})
            return Outcome.POSTED
        except Refusal as refusal:
            why = refusal.message
        return _refuse(incoming, user_id, idea_id, why, content)


def _post(user: User, idea_id: int, content: Content, incoming: Incoming) -> Comment:
    """Post the words as the page does; raises Refusal with the reason for its writer."""
    idea = db.session.scalar(ideas_visible_to(user).where(Idea.id == idea_id))
    if idea is None:
        raise Refusal(_("You cannot see this idea any more."))
    if not may_take_part(user, idea):
        raise Refusal(_("Your account cannot write comments there."))
    if user.is_staff_on(idea.board_id) and not current_app.config["REPLY_TRUSTS"]:
        raise Refusal(_("Who speaks for the team writes comments in the portal, signed in."))
    if not accounts.may_go_on_under_rules(user):
        raise Refusal(_("The community rules have changed. Agree to them in the portal, then post your words there."))
    words = clean_text(content.words)
    if len(words) < 2:
        raise Refusal(_("We found no words of yours beside what you quoted."))
    if len(words) > BODY_MAX:
        raise Refusal(_("This is %(count)d letters long; at most %(max)d fit.", count=len(words), max=BODY_MAX))
    _refuse_too_many(user)
    return comments.post_comment(idea, user, words, reply_to=_answered(user, idea, incoming))


def _refuse_too_many(user: User) -> None:
    """Count what somebody said here and in the portal alike."""
    for rate in LIMITS["comments.post"].rates if hold() else ():
        since = utcnow() - timedelta(seconds=rate.get_expiry())
        said = select(sa.func.count()).where(Comment.author_id == user.id, Comment.at > since)
        if (db.session.scalar(said) or 0) >= rate.amount:
            raise TooMuch(rate.get_expiry(), wait(rate.get_expiry()))


def _answered(user: User, idea: Idea, incoming: Incoming) -> Comment | None:
    """Return the comment that the mail which was answered told of."""
    ours = f"@{links.mail_domain()}>"
    keys = [number[1:].removesuffix(ours) for number in incoming.answers if number.endswith(ours)]
    mails = select(Mail).where(Mail.user_id == user.id, Mail.key.in_(keys))
    by_key = {mail.key: mail for mail in db.session.scalars(mails)}
    for mail in filter(None, map(by_key.get, keys)):
        facts = mail.notification.record.data if mail.notification else {}
        comment = db.session.get(Comment, facts["comment_id"]) if facts.get("comment_id") else None
        if comment is not None and comment.idea_id == idea.id and comment.deleted_at is None:
            return comment
    return None


def _refuse(incoming: Incoming, user_id: int, idea_id: int, why: str, content: Content) -> Outcome:
    """Send the words back with the reason, so that nothing is lost; to one person ten times a day at most."""
    with transaction():
        user = db.session.get_one(User, user_id)
        lately = select(sa.func.count()).where(
            ReceivedMail.user_id == user.id,
            ReceivedMail.outcome == Outcome.REFUSED,
            ReceivedMail.at > utcnow() - timedelta(days=1),
        )
        too_often = (db.session.scalar(lately) or 0) >= REFUSALS_A_DAY
        outcome = Outcome.DROPPED if too_often else Outcome.REFUSED
        if not _note(incoming, outcome, user, idea_id):
            return Outcome.KNOWN
        if not too_often:
            words = clean_text(content.words)[: 2 * BODY_MAX]
            _answer(user, {"idea": idea_id, "why": why, "words": words, "files": content.files})
    return outcome


def _answer(user: User, data: dict[str, Any]) -> None:
    queue_letter(LETTER, to=user.email, user=user, data=data, rationed=False)


def _take_bounce(incoming: Incoming) -> Outcome:
    """Count a mail that came back. What is no report says nothing for certain; a machine's holiday says nothing."""
    found = reports.bounces_in(incoming.message)
    if found is None and incoming.is_from_a_machine and reading.header(incoming.message, "Return-Path") != "<>":
        return _end(incoming, Outcome.AUTOMATIC)
    failed = [bounce for bounce in found or () if bounce.action == "failed"]
    hard = any(coming_back.means_nobody(bounce.status) for bounce in failed)
    outcome = Outcome.BOUNCED if hard else Outcome.DELAYED
    with transaction():
        mail = coming_back.bounced_in(incoming.recipients)
        if not _note(incoming, outcome, mail.user if mail else None):
            return Outcome.KNOWN
        if mail is not None and (failed or found is None):
            coming_back.note_bounce(mail, hard)
    return outcome


def _take_complaint(incoming: Incoming, senders: list[str]) -> Outcome:
    """Send nothing more to whoever called a mail of ours spam; only the address it was sent from proves which.

    What stands in the mail itself proves nothing: whoever had it forwarded holds that too.
    """
    with transaction():
        mail = coming_back.bounced_in(senders)
        outcome = Outcome.COMPLAINED if mail else Outcome.UNKNOWN
        if not _note(incoming, outcome, mail.user if mail else None):
            return Outcome.KNOWN
        if mail is not None:
            coming_back.note_complaint(mail)
    return outcome


def _take_test(incoming: Incoming) -> Outcome:
    """Note on a test mail that a reply came in, and how it looked: the first that its reader sent, else the last."""
    server = str(current_app.config["REPLY_TRUSTS"])
    with transaction():
        mail = coming_back.tested_in(incoming.recipients)
        if mail is None or not _note(incoming, Outcome.TESTED, mail.user):
            return Outcome.KNOWN
        db.session.refresh(mail, with_for_update=True)
        if not mail.data.get("reply", {}).get("by_reader"):
            reply = {
                "at": utcnow().isoformat(),
                "by_reader": is_same(incoming.sender, mail.to),
                "by_machine": incoming.is_from_a_machine,
                "judged_by": incoming.judged_by,
                "trusts": server,
                "proven": bool(server) and incoming.is_proven_by(server),
            }
            mail.data = mail.data | {"reply": reply}
    return Outcome.TESTED


def _is_by(user: User, incoming: Incoming) -> bool:
    """Whether a mail is by the person whose address for replies it came to, as far as anybody can know."""
    server = str(current_app.config["REPLY_TRUSTS"])
    return is_same(incoming.sender, user.email) and (not server or incoming.is_proven_by(server))


def _came_before(incoming: Incoming) -> bool:
    known = select(ReceivedMail.id).where(ReceivedMail.key.in_([incoming.key, incoming.whole]))
    return db.session.scalar(known.limit(1)) is not None


def _end(incoming: Incoming, outcome: Outcome, user: User | None = None, idea_id: int | None = None) -> Outcome:
    with transaction(wake=False):
        if not _note(incoming, outcome, user, idea_id):
            return Outcome.KNOWN
        if outcome is Outcome.FORGED and user is not None:
            note("mail.forged", user=user, idea=idea_id)
    return outcome


def _note(incoming: Incoming, outcome: Outcome, user: User | None = None, idea_id: int | None = None) -> bool:
    """Note that this mail came; False if it came before. Of its number only that of a comment is kept."""
    known = idea_id if idea_id and db.session.get(Idea, idea_id) else None
    return insert_if_absent(
        ReceivedMail,
        key=incoming.whole if outcome in _UNPROVEN else incoming.key,
        what="reply" if idea_id else "report" if outcome in _REPORTS else "other",
        outcome=outcome.value,
        user_id=user.id if user else None,
        idea_id=known,
        message_id=incoming.message_id if outcome is Outcome.POSTED else "",
    )


def _row(incoming: Incoming) -> ReceivedMail:
    return db.session.execute(select(ReceivedMail).where(ReceivedMail.key == incoming.key)).scalar_one()


_UNPROVEN = frozenset({Outcome.FORGED, Outcome.UNKNOWN, Outcome.AUTOMATIC})
"""What anybody may have sent: it takes the number from no mail that comes after it."""
_REPORTS = frozenset({Outcome.BOUNCED, Outcome.DELAYED, Outcome.COMPLAINED})
