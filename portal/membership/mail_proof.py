"""The test mail: how it left, what others will make of it, and whether what answers it comes back to us."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import abort, current_app
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.notifications import links
from portal.notifications.mails import coming_back, dns, line
from portal.notifications.mails.letter import Letter, Suppressed, compose, in_language_of, sender_address
from portal.notifications.mails.proof import TAKEN, Proof, prove
from portal.notifications.mails.sending import Ending
from portal.notifications.models import Mail, MailAttempt, Mailbox, ReceivedMail
from portal.notifications.service import MAIL_TEST
from portal.options import option
from portal.transactions import transaction

LETTER = MAIL_TEST
NOT_TAKEN, NOT_ENDED = "test not taken", "test not ended"
WATCHED_FOR = timedelta(hours=1)  # by a page that is left open; reloading shows what came later


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a test mail, as it came in."""

    at: datetime
    by_reader: bool
    by_machine: bool
    judged_by: str  # the server that says whether its sender is genuine
    trusts: str  # whose word counts here
    proven: bool


@dataclass(frozen=True, slots=True)
class WayIn:
    """How mails come in, as it is set, and how that is going."""

    replies: bool
    bounces: bool
    mailbox: bool
    posted: bool  # by another server, to /mail/inbound
    looked_at: datetime | None
    error: str
    last_at: datetime | None  # when any mail came in

    @property
    def is_open(self) -> bool:
        """Whether there is any way in."""
        return self.mailbox or self.posted


@dataclass(frozen=True, slots=True)
class Test:
    """One test mail, and what came of it so far."""

    mail: Mail
    proof: Proof | None
    reply: Reply | None
    way_in: WayIn

    @property
    def to_nobody(self) -> bool:
        """Whether it went to an address that nobody has, so that it comes back."""
        return bool(self.mail.data.get("nobody"))

    @property
    def waits_for(self) -> str:
        """What has not come yet and can: a reply, or the mail itself; empty for neither."""
        if self.proof is None or self.proof.end != TAKEN or not self.way_in.is_open:
            return ""
        if self.to_nobody:
            return "bounce" if self.way_in.bounces and self.mail.bounced_at is None else ""
        return "reply" if self.way_in.replies and (self.reply is None or not self.reply.by_reader) else ""

    @property
    def is_watched(self) -> bool:
        """Whether an open page still looks by itself."""
        return bool(self.waits_for) and utcnow() - self.mail.queued_at < WATCHED_FOR

    @property
    def mark(self) -> str:
        """What differs whenever there is something new to show."""
        seen = [self.reply and self.reply.at, self.mail.bounced_at, self.way_in.error, self.is_watched]
        return "-".join(str(one or 0) for one in seen)


def send(tester: User, to: str) -> Mail:
    """Send a test mail at once, past the queue, and return its row in the ledger; ``to`` nothing: to nobody at all."""
    address = to or f"nobody-{secrets.token_hex(6)}@{dns.domains().sender}"
    with transaction(wake=False):
        mail = Mail(
            key=f"{LETTER}-{uuid.uuid4().hex}",
            kind=LETTER,
            user_id=tester.id,
            recipient=address,
            data={"nobody": not to},
            done_at=utcnow(),  # so that no chore sends it as well
            suppressed=NOT_ENDED,
        )
        db.session.add(mail)
        db.session.flush()
        mail_id, path = mail.id, coming_back.return_path(mail, sender_address())
        with in_language_of(tester):
            letter = test_letter(mail)
            message = compose(letter, mail) if isinstance(letter, Letter) else None
    # nothing of the database is held while a server takes its time
    proof = prove(message, path, address) if message else Proof(NOT_ENDED, path, address)
    with transaction():
        mail = db.session.get_one(Mail, mail_id)
        mail.data, mail.done_at = mail.data | {"proof": proof.kept}, utcnow()
        mail.suppressed = None if proof.taken else NOT_TAKEN
        if not proof.taken:
            words = proof.said or proof.sentence
            db.session.add(MailAttempt(mail_id=mail_id, ended=Ending.REFUSED, words=words[:500]))
        if proof.end == TAKEN:
            line.knock_again()  # what waits need not wait for its turn
    return mail


def test_letter(mail: Mail) -> Letter | Suppressed:
    """Say that mail arrives, and what to do to see that replies do."""
    if mail.user is None:
        return Suppressed("account gone")
    portal, reply_to = str(option("name")), coming_back.test_address(mail)
    words = _("Reply with any word. The page of the test says when your reply came in; it becomes nothing else.")
    return Letter(
        subject=_("Test mail from %(portal)s", portal=portal),
        lead=_("This is a test."),
        title=_("Mails from %(portal)s reach you", portal=portal),
        sentences=[words if reply_to else _("There is nothing to do.")],
        button=_("See the test"),
        url=links.absolute_url("membership.show_mail_test", mail_id=mail.id),
        foot=_("You get this because somebody who runs %(portal)s tests its mail.", portal=portal),
        reply_to=reply_to,
    )


def get_test(mail_id: int, tester: User) -> Test:
    """Return one of somebody's tests, or answer 404."""
    theirs = select(Mail).where(Mail.id == mail_id, Mail.user_id == tester.id, Mail.kind == LETTER)
    return _told(db.session.scalar(theirs) or abort(404))


def last_of(tester: User) -> Mail | None:
    """Return the test that somebody sent last; None where they never did."""
    theirs = select(Mail).where(Mail.user_id == tester.id, Mail.kind == LETTER)
    return db.session.scalar(theirs.order_by(Mail.id.desc()).limit(1))


def way_in() -> WayIn:
    """Return how mails come in."""
    config = current_app.config
    box = db.session.scalar(select(Mailbox).limit(1)) if config["INBOUND_URL"] else None
    return WayIn(
        replies=bool(config["REPLY_TO"]),
        bounces=bool(config["BOUNCE_TO"]),
        mailbox=bool(config["INBOUND_URL"]),
        posted=bool(config["INBOUND_SECRET"]),
        looked_at=box.looked_at if box else None,
        error=(box.error or "") if box else "",
        last_at=db.session.scalar(select(ReceivedMail.at).order_by(ReceivedMail.id.desc()).limit(1)),
    )


def _told(mail: Mail) -> Test:
    kept = dict(mail.data.get("reply") or {})
    reply = Reply(**kept | {"at": datetime.fromisoformat(kept["at"])}) if kept else None
    return Test(mail, Proof.of(mail.data.get("proof") or {}), reply, way_in())
