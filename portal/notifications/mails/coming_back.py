"""What comes back to us: the addresses that replies and bounces go to, and how mail to somebody is stopped."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from flask import current_app
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.notifications.links import key_of
from portal.notifications.mails.addresses import on_the_line
from portal.notifications.models import Mail, ReceivedMail
from portal.notifications.policy import TEAM_KINDS, Kind
from portal.notifications.stories import Story
from portal.security.log import note

MOST_HARD = 3
COUNTED_FOR = timedelta(days=180)
HARD, SOFT, COMPLAINT = "hard", "soft", "complaint"
BOUNCES = "bounces"  # beside COMPLAINT, why mail to somebody is stopped
THREAD_MOST = 5  # replies of one person that the mails of a thread name

NOT_ANSWERED = TEAM_KINDS | {
    Kind.HIDDEN,
    Kind.RECEIVED,
    Kind.CREDITED,
    Kind.VERDICT_ASKED,
    Kind.MERGE_OBJECTED,
    Kind.ASSIGNED,
    Kind.PROMISE_LATE,
    Kind.SPOKEN_FOR,
}
"""News to which no reply becomes a comment: what the team says among itself, and what asks for something else."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_REPLY = re.compile(r"r([0-9a-z]{1,7})-([0-9a-z]{1,7})-([a-z2-7]{20})")
_BOUNCE = re.compile(r"b([0-9a-z]{1,13})-([a-z2-7]{20})")
_TEST = re.compile(r"t([0-9a-z]{1,13})-([a-z2-7]{20})")


def reply_address(story: Story, reader: User) -> str:
    """Return the address by which a reply becomes a comment; empty where none can."""
    return _fill("REPLY_TO", reply_token(reader.id, story.idea.id)) if takes_replies(story, reader) else ""


def takes_replies(story: Story, reader: User) -> bool:
    """Whether a reply to the mail about this can become a comment on its idea."""
    if not current_app.config["REPLY_TO"] or story.kind in NOT_ANSWERED or story.team:
        return False
    speaks_for_team = reader.is_staff_on(story.idea.board_id) and not current_app.config["REPLY_TRUSTS"]
    open_to = reader.is_approved and not speaks_for_team  # the team's word needs a proven sender
    return open_to and story.idea.is_published and story.idea.takes_comments(utcnow())


def return_path(mail: Mail, otherwise: str) -> str:
    """Return the address that a mail which cannot be delivered goes back to."""
    return _fill("BOUNCE_TO", bounce_token(mail.id, mail.to)) or otherwise


def test_address(mail: Mail) -> str:
    """Return the address by which a reply to a test mail is known; empty where no replies are taken."""
    return _fill("REPLY_TO", test_token(mail.id, mail.to))


def reply_token(user_id: int, idea_id: int) -> str:
    """Return the token that lets one person comment on one idea by mail, and can do nothing else.

    It stands in an address, so it is short, and means the same in capitals.
    """
    return f"r{_number(user_id)}-{_number(idea_id)}-{_sign('reply', key_of(user_id), user_id, idea_id)}"


def bounce_token(mail_id: int, address: str) -> str:
    """Return the token that says which mail to which address came back."""
    return f"b{_number(mail_id)}-{_sign('bounce', mail_id, address.lower())}"


def test_token(mail_id: int, address: str) -> str:
    """Return the token that says to which test mail somebody replies, and can do nothing else."""
    return f"t{_number(mail_id)}-{_sign('test', mail_id, address.lower())}"


def replies_in(addresses: list[str]) -> tuple[int, int] | None:
    """Return who replies about which idea, by the first address that is one of ours; None where none is."""
    for token in _tokens("REPLY_TO", addresses):
        found = _REPLY.fullmatch(token)
        if found:
            user_id, idea_id = int(found[1], 36), int(found[2], 36)
            if max(user_id, idea_id) < 2**31 and hmac.compare_digest(token, reply_token(user_id, idea_id)):
                return user_id, idea_id
    return None


def bounced_in(addresses: list[str]) -> Mail | None:
    """Return the mail that came back, by the first address that is one of ours and of what its reader has now."""
    return _mail_named(_tokens("BOUNCE_TO", addresses), _BOUNCE, bounce_token)


def tested_in(addresses: list[str]) -> Mail | None:
    """Return the test mail to which somebody replies, by the first address that is one of ours."""
    return _mail_named(_tokens("REPLY_TO", addresses), _TEST, test_token)


def note_bounce(mail: Mail, hard: bool) -> bool:
    """Note that a mail came back, once; three that nobody can deliver stop mail to its reader. Say if it is news."""
    if mail.bounce in {HARD, COMPLAINT} or (mail.bounce == SOFT and not hard):
        return False
    mail.bounce, mail.bounced_at = HARD if hard else SOFT, utcnow()
    db.session.flush()
    user = mail.user
    if hard and user is not None and mail.to.lower() == user.email.lower() and count_hard(user) >= MOST_HARD:
        stop_mail(user, BOUNCES)
    return True


def note_complaint(mail: Mail) -> bool:
    """Note that somebody called a mail spam: mail to them stops at once. Say if it is news."""
    if mail.bounce == COMPLAINT:
        return False
    mail.bounce, mail.bounced_at = COMPLAINT, utcnow()
    if mail.user is not None and mail.to.lower() == mail.user.email.lower():
        stop_mail(mail.user, COMPLAINT)
    return True


def count_hard(user: User) -> int:
    """Count the mails that nobody could deliver since the address was confirmed."""
    since = max(user.confirmed_at or user.created_at, utcnow() - COUNTED_FOR)
    back = select(sa.func.count()).where(Mail.user_id == user.id, Mail.bounce == HARD, Mail.bounced_at > since)
    return db.session.scalar(back.where(sa.func.coalesce(Mail.recipient, user.email) == user.email)) or 0


def stop_mail(user: User, why: str) -> None:
    """Send somebody no more news by mail until they confirm the address again, or have another; twice is once."""
    if user.mail_stopped_at is None:
        user.mail_stopped_at, user.mail_stopped_why = utcnow(), why
        note("mail.stopped", user=user, why=why)


def is_hard(code: int, words: str) -> bool:
    """Whether an answer of a mail server to a recipient says that there is nobody there, now or ever."""
    said = re.search(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])", words)
    return means_nobody(said[1]) if said else code in {550, 551, 553}


def means_nobody(status: str) -> bool:
    """Whether an enhanced status (RFC 3463) says that the address leads nowhere; a full mailbox or a rule does not."""
    return status.startswith("5.1.") or status in {"5.0.0", "5.2.1", "5.4.4"}


def replies_of(mail: Mail) -> list[str]:
    """Return the numbers of what this reader sent us about the idea of late, the oldest first."""
    if mail.notification is None or not current_app.config["REPLY_TO"]:
        return []
    idea_id = mail.notification.idea_id
    theirs = select(ReceivedMail.message_id).where(ReceivedMail.user_id == mail.user_id, ReceivedMail.message_id != "")
    newest = theirs.where(ReceivedMail.idea_id == idea_id).order_by(ReceivedMail.id.desc()).limit(THREAD_MOST)
    return list(db.session.scalars(newest))[::-1]


def _fill(setting: str, token: str) -> str:
    return on_the_line(str(current_app.config[setting])).replace("{token}", token)


def _mail_named(tokens: list[str], pattern: re.Pattern[str], made: Callable[[int, str], str]) -> Mail | None:
    for token in tokens:
        found = pattern.fullmatch(token)
        mail = db.session.get(Mail, int(found[1], 36)) if found and int(found[1], 36) < 2**31 else None
        if mail is not None and hmac.compare_digest(token, made(mail.id, mail.to)):
            return mail
    return None


def _tokens(setting: str, addresses: list[str]) -> list[str]:
    pattern = on_the_line(str(current_app.config[setting])).lower()
    if not pattern:
        return []
    before, _gap, after = pattern.partition("{token}")
    fits = [a.lower() for a in addresses if a.lower().startswith(before) and a.lower().endswith(after)]
    return [a[len(before) : len(a) - len(after)] for a in fits if len(a) > len(before) + len(after)]


def _number(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def _sign(purpose: str, *parts: object) -> str:
    key = hashlib.sha256(b"portal mail addresses\0" + str(current_app.secret_key).encode()).digest()
    said = "\0".join([purpose, *map(str, parts)]).encode()
    return base64.b32encode(hmac.digest(key, said, "sha256"))[:20].decode().lower()
