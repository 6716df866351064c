"""A test mail that says in words how far it got, and what the mail server answered."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from flask import current_app
from flask_babel import gettext as _

from portal.notifications.mails.transport import MailServer, Unreachable, transport_for


@dataclass(frozen=True, slots=True)
class Proof:
    """How a test mail ended: whether the server took it, one sentence, what the server said, and what to do."""

    taken: bool
    sentence: str
    said: str = ""
    advice: str = ""


def prove(message: EmailMessage, sender: str, recipient: str) -> Proof:
    """Hand the message over step by step, and say in words at which step it ended."""
    transport = transport_for(current_app.config["MAIL_URL"])
    if transport is None:
        return Proof(
            taken=False,
            sentence=_("No mail server is configured."),
            advice=_("Set PORTAL_MAIL_URL, like smtp://user:password@host:587, and start the portal again."),
        )
    try:
        if isinstance(transport, MailServer):
            return _converse(transport, message, sender, recipient)
        transport.hand_over(message, sender, recipient)
        return Proof(taken=True, sentence=_("The mail is kept in the portal's own mail catcher and goes nowhere."))
    finally:
        transport.close()


def _converse(server: MailServer, message: EmailMessage, sender: str, recipient: str) -> Proof:
    where = f"{server.host}:{server.port}"
    try:
        server.greet()
    except Unreachable as problem:
        return Proof(
            taken=False,
            sentence=_("The mail server %(where)s could not be spoken to, or did not let us in.", where=where),
            said=str(problem).removeprefix(f"{where}: "),
            advice=_("Check host, port, name and password in PORTAL_MAIL_URL."),
        )
    client = server.client
    assert client is not None  # noqa: S101 - greeted
    steps: tuple[tuple[Callable[[], tuple[int, bytes]], str, str], ...] = (
        (
            lambda: client.mail(sender),
            _("The server refused the sender address %(address)s.", address=sender),
            _("Set PORTAL_MAIL_FROM to an address that this server may send for."),
        ),
        (
            lambda: client.rcpt(recipient),
            _("The server refused the recipient %(address)s.", address=recipient),
            _("Check the address, and whether this server sends to addresses elsewhere."),
        ),
        (
            lambda: client.data(message.as_bytes()),
            _("The server refused the text of the mail."),
            _("Its answer says why; often the sender's domain is missing a record."),
        ),
    )
    for step, sentence, advice in steps:
        try:
            code, said = step()
        except smtplib.SMTPResponseException as problem:
            code, said = problem.smtp_code, _bytes(problem.smtp_error)
        except (OSError, smtplib.SMTPException) as problem:
            ended = _("The server ended the conversation.")
            return Proof(taken=False, sentence=ended, said=str(problem), advice=advice)
        if code not in {250, 251}:
            return Proof(taken=False, sentence=sentence, said=f"{code} {_words(said)}", advice=advice)
    return Proof(
        taken=True,
        sentence=_("The server %(where)s took the mail to %(address)s.", where=where, address=recipient),
        said=f"{code} {_words(said)}",
        advice=_("Look whether it arrives, and not among the spam."),
    )


def _bytes(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode()


def _words(said: bytes) -> str:
    return " ".join(said.decode("utf-8", "replace").split())
