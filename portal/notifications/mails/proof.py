"""A test mail that says in words how far it got, what the line to the mail server was like, and what it answered."""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, Self

from flask import current_app
from flask_babel import format_decimal
from flask_babel import gettext as _

from portal.notifications.mails.transport import (
    EndUnknown,
    MailServer,
    NotEncrypted,
    NotTaken,
    Step,
    Unreachable,
    transport_for,
)

NO_SERVER, CAUGHT, TAKEN, CUT, UNKNOWN = "no server", "caught", "taken", "cut", "unknown"
"""The ends that are no step of the conversation."""
LONGEST_SAID = 500


@dataclass(frozen=True, slots=True)
class Proof:
    """How a test mail ended and what was seen on the way: facts alone, for they are kept and read in any language."""

    end: str  # one of those above, or the step at which the server said no
    sender: str = ""  # the envelope's: where a mail goes back to
    recipient: str = ""
    said: str = ""
    where: str = ""  # host and port
    trouble: str = ""  # why nobody could be spoken to
    seconds: float = 0.0
    size: int = 0  # bytes of the mail
    encrypted: str = ""  # TLSv1.3; empty: everybody on the way reads along
    certificate: dict[str, str] = field(default_factory=dict)  # holder, issuer, until
    offered: list[str] = field(default_factory=list)
    signed_in: bool = False

    @property
    def taken(self) -> bool:
        """Whether somebody took the mail."""
        return self.end in {TAKEN, CAUGHT}

    @property
    def met_server(self) -> bool:
        """Whether a mail server was spoken to, so that there is something to tell of the line."""
        return bool(self.where) and self.end != Step.GREETING

    @property
    def certified_until(self) -> datetime:
        """Until when the server's certificate holds."""
        return datetime.fromisoformat(self.certificate["until"])

    @property
    def pace(self) -> str:
        """How long all of it took, and how large the mail was."""
        seconds, size = format_decimal(self.seconds), format_decimal(max(1, round(self.size / 1000)))
        return _("%(seconds)s seconds, for %(size)s kB", seconds=seconds, size=size)

    @property
    def sentence(self) -> str:
        """How it ended."""
        match self.end:
            case "taken":
                where, address = self.where, self.recipient
                return _("The server %(where)s took the mail to %(address)s.", where=where, address=address)
            case "caught":
                return _("The mail is kept in the portal's own mail catcher and goes nowhere.")
            case "no server":
                return _("No mail server is configured.")
            case "greeting":
                where = self.where
                return _("The mail server %(where)s could not be spoken to, or did not let us in.", where=where)
            case "sender":
                return _("The server refused the sender address %(address)s.", address=self.sender)
            case "recipient":
                return _("The server refused the recipient %(address)s.", address=self.recipient)
            case "answer":
                return _("The server refused the text of the mail.")
            case "text":
                return _("The server would not hear the text of the mail.")
            case "unknown":
                return _("The whole mail was handed over, and no answer came.")
        return _("The server ended the conversation.")

    @property
    def advice(self) -> str:
        """What to do now."""
        if self.said.startswith("4") and self.end in {Step.SENDER, Step.RECIPIENT, Step.TEXT, Step.ANSWER}:
            return _("The server says: not now. Other mails are tried again by themselves; try this one later.")
        match self.end:
            case "taken":
                return _("Look whether it arrives, and not among the spam.")
            case "caught":
                return _("Set PORTAL_MAIL_URL to a mail server when people come.")
            case "no server":
                return _("Set PORTAL_MAIL_URL, like smtp://user:password@host:587, and start the portal again.")
            case "greeting":
                return _what_to_do(self.trouble)
            case "sender":
                return _(
                    "Set PORTAL_MAIL_FROM, and PORTAL_BOUNCE_TO if there is one, to addresses that this server may "
                    "send for."
                )
            case "recipient":
                return _("Check the address, and whether this server sends to addresses elsewhere.")
            case "text" | "answer":
                return _("Its answer says why; often the sender's domain is missing a record. They stand below.")
            case "unknown":
                return _("Nobody knows whether the mail arrives. Look, and try once more.")
        return _("Try once more. If that happens again, ask whoever runs the server what its log says.")

    @property
    def kept(self) -> dict[str, Any]:
        """The facts, as they can be kept."""
        return asdict(self)

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Self | None:
        """Return what was kept; None where nothing was."""
        return cls(**kept) if kept else None


def prove(message: EmailMessage, sender: str, recipient: str) -> Proof:
    """Hand a message over as all others are, and note at which step that ended and what was seen."""
    transport = transport_for(current_app.config["MAIL_URL"])
    if transport is None:
        return Proof(NO_SERVER, sender, recipient)
    try:
        if isinstance(transport, MailServer):
            return _converse(transport, message, sender, recipient)
        transport.hand_over(message, sender, recipient)
        return Proof(CAUGHT, sender, recipient)
    finally:
        transport.close()


def _converse(server: MailServer, message: EmailMessage, sender: str, recipient: str) -> Proof:
    where, began = f"{server.host}:{server.port}", time.monotonic()
    try:
        server.greet()
    except Unreachable as problem:
        said, trouble = str(problem).removeprefix(f"{where}: "), _trouble(problem.cause, server)
        return Proof(Step.GREETING, sender, recipient, said[:LONGEST_SAID], where, trouble, _since(began))
    seen = _seen(server) | {"size": len(message.as_bytes())}
    end, said = str(TAKEN), ""
    try:
        said = server.hand_over(message, sender, recipient)
    except EndUnknown as problem:
        end, said = UNKNOWN, str(problem)
    except NotTaken as problem:
        said = str(problem)
        answered = problem.for_good or said[:3].isdecimal()
        end = str(server.step) if answered else CUT
    return Proof(end, sender, recipient, said[:LONGEST_SAID], where, seconds=_since(began), **seen)


def _seen(server: MailServer) -> dict[str, Any]:
    """Return what the line is like and what the server announced."""
    client = server.client
    line = getattr(client, "sock", None)
    offered = [f"{name.upper()} {what}".strip() for name, what in server.offered.items()]
    seen: dict[str, Any] = {"offered": sorted(one[:80] for one in offered)[:30], "signed_in": bool(server.user)}
    if isinstance(line, ssl.SSLSocket):
        shown: Any = line.getpeercert() or {}
        until = datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC).isoformat()
        seen |= {
            "encrypted": line.version() or "TLS",
            "certificate": {"holder": _name(shown, "subject"), "issuer": _name(shown, "issuer"), "until": until},
        }
    return seen


def _name(shown: dict[str, Any], who: str) -> str:
    names = {key: value for part in shown.get(who, ()) for key, value in part}
    ours = [name for kind, name in shown.get("subjectAltName", ()) if kind == "DNS"] if who == "subject" else []
    return str(names.get("commonName") or names.get("organizationName") or ", ".join(ours))[:200]


def _trouble(cause: Exception | None, server: MailServer) -> str:
    match cause:
        case socket.gaierror():
            return "no such host"
        case ConnectionRefusedError():
            return "refused"
        case ssl.SSLCertVerificationError():
            return "certificate"
        case ssl.SSLError():
            return "not tls" if server.over_tls else "tls fails"
        case TimeoutError() | smtplib.SMTPServerDisconnected() if server.port == 465 and not server.over_tls:
            return "tls from the start"
        case TimeoutError():
            return "silent"
        case smtplib.SMTPAuthenticationError() | UnicodeError():
            return "password"
        case smtplib.SMTPNotSupportedError():
            return "no sign-in"
        case NotEncrypted():
            return "in the clear"
    return ""


def _what_to_do(trouble: str) -> str:
    match trouble:
        case "no such host":
            return _("Nobody knows a host of this name. Look for a slip in PORTAL_MAIL_URL.")
        case "refused":
            return _("Nothing listens there. Check the port in PORTAL_MAIL_URL: mostly 587, 465 or 25.")
        case "silent":
            return _("No answer came. A firewall may be between, or the port is another: mostly 587, 465 or 25.")
        case "certificate":
            return _(
                "The certificate does not prove that this is the server. Use the name that stands in it, have it "
                "renewed, or make its issuer known to this machine. Without that, nothing is said to it."
            )
        case "not tls":
            return _("This port does not begin with encryption. Use smtp: instead of smtps: in PORTAL_MAIL_URL.")
        case "tls from the start":
            return _("This port begins with encryption. Use smtps: instead of smtp: in PORTAL_MAIL_URL.")
        case "tls fails":
            return _("Encryption was offered and failed. Ask whoever runs the server which versions of TLS it speaks.")
        case "password":
            return _(
                "Check name and password in PORTAL_MAIL_URL. There / ? # @ are written as %(codes)s.",
                codes="%2F %3F %23 %40",
            )
        case "no sign-in":
            return _("The server lets nobody sign in here. Use port 587 or 465, or leave name and password out.")
        case "in the clear":
            return _("Use a port with encryption: smtps: with 465, or smtp: with 587.")
    return _("Check host, port, name and password in PORTAL_MAIL_URL.")


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)
