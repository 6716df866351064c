"""Mails as they come in: replies as mail programs write them, and reports as mail servers do."""

from __future__ import annotations

from email.message import EmailMessage
from itertools import count
from typing import Any

from sqlalchemy import select

from portal.db import db
from portal.inbound.receiving import Outcome
from portal.notifications.mails import coming_back
from portal.notifications.models import Mail, ReceivedMail

_numbers = count(1)


def address_for(user: Any, idea: Any) -> str:
    """Where a reply of this person about this idea goes."""
    return f"ideas+{coming_back.reply_token(user.id, idea.id)}@reply.example"


def a_reply(
    sender: str,
    to: str,
    body: str = "Yes please, by Friday.",
    *,
    files: int = 0,
    number: str = "",
    **headers: str,
) -> bytes:
    """A reply to a mail of ours, with our words quoted below it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, "Re: Planned"
    message["Message-ID"] = number or f"<reply-{next(_numbers)}@home.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    quoted = "On Tue, 3 May 2026 at 10:00, Fellside ideas <ideas@portal.example> wrote:\n> An idea of yours moved."
    message.set_content(f"{body}\n\n{quoted}\n" if body else f"{quoted}\n")
    for _ in range(files):
        message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="plan.pdf")
    return message.as_bytes()


def a_bounce(mail: Mail, status: str = "5.1.1", action: str = "failed", to: str = "") -> bytes:
    """The report of a mail server that could not deliver a mail (RFC 3464)."""
    to = to or f"bounces+{coming_back.bounce_token(mail.id, mail.to)}@reply.example"
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.net\r\nTo: {to}\r\nSubject: Undelivered\r\n"
        f"Message-ID: <dsn-{next(_numbers)}@mx.example.net>\r\nAuto-Submitted: auto-replied\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; {mail.to}\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 said so\r\n\r\n"
        "--b--\r\n"
    ).encode()


def a_complaint(sender: str = "", stop_url: str = "", kind: str = "abuse") -> bytes:
    """The word of a provider that somebody called a mail spam (RFC 5965)."""
    return (
        f"From: fbl@provider.example\r\nTo: abuse@reply.example\r\nMessage-ID: <arf-{next(_numbers)}@x.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is a complaint.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: Provider/1\r\nVersion: 1\r\nOriginal-Mail-From: <{sender}>\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: ideas@portal.example\r\nList-Unsubscribe: <{stop_url}>\r\nSubject: Planned\r\n\r\nAn idea moved.\r\n"
        "--b--\r\n"
    ).encode()


def outcomes() -> list[str]:
    """What became of the mails that came in, in their order."""
    db.session.rollback()
    return [Outcome(row) for row in db.session.scalars(select(ReceivedMail.outcome).order_by(ReceivedMail.id))]
