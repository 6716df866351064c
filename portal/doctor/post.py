"""Whether mail leaves, and answers arrive."""

from __future__ import annotations

import smtplib
import ssl
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import make_msgid
from urllib.parse import urlsplit

from flask import current_app

from portal.doctor.findings import Finding, Findings, attention, broken, ok
from portal.inbound import mailbox
from portal.notifications.mails.addresses import in_header, on_the_line
from portal.notifications.mails.letter import POLICY, sender_address
from portal.notifications.mails.transport import EndUnknown, MailServer, NotEncrypted, NotTaken, Unreachable


def leaving(mail_to: str | None) -> Findings:
    """Whether mail leaves the portal; a test mail goes to ``mail_to``."""
    address = str(current_app.config["MAIL_URL"])
    url = urlsplit(address)
    if not address:
        yield attention("No mail leaves the portal: PORTAL_MAIL_URL is empty. Inboxes work all the same.")
    elif url.scheme == "catch":
        yield ok("Mails are kept in the portal and go nowhere (PORTAL_MAIL_URL=catch:).")
    elif url.scheme not in {"smtp", "smtps"} or not url.hostname:
        yield broken(
            "PORTAL_MAIL_URL must be like smtp://user:password@host:587, smtps://user:password@host:465 or catch:."
        )
    elif mail_to and not _is_address(mail_to):
        yield broken(f"{mail_to} is no address to send a test mail to.")
        return
    else:
        yield ask_mail_server(address, mail_to)
        return
    if mail_to:
        yield broken(f"No test mail went to {mail_to}: PORTAL_MAIL_URL names no mail server.")


def arriving() -> Findings:
    """Whether replies to mails arrive."""
    if url := str(current_app.config["INBOUND_URL"]):
        problem = mailbox.check(url)
        yield (
            broken(f"The mailbox for replies cannot be read: {problem}")
            if problem
            else ok("The mailbox for replies can be read.")
        )
    elif current_app.config["REPLY_TO"] and not current_app.config["INBOUND_SECRET"]:
        yield attention(
            "Replies to mails arrive nowhere: PORTAL_REPLY_TO is set, PORTAL_INBOUND_URL and _SECRET are not."
        )


def ask_mail_server(address: str, mail_to: str | None) -> Finding:
    """Speak with the mail server as sending does, and say what it answered."""
    server = MailServer(address)
    where, step = f"{server.host}:{server.port}", f"does not take the mail to {mail_to}"
    try:
        if mail_to:
            server.hand_over(_test_mail(mail_to), sender_address(), mail_to)
            return ok(f"The mail server {where} took the test mail to {mail_to}. Look whether it arrives.")
        return ok(f"The mail server {where} answers, {_line_to(server)}.")
    except Unreachable as problem:
        step = _STEPS.get(type(problem.cause), "does not answer")
        return broken(f"The mail server {where} {step}: {str(problem).removeprefix(f'{where}: ')}")
    except (NotTaken, EndUnknown) as problem:
        return broken(f"The mail server {where} {step}: {problem}")
    finally:
        server.close()


_STEPS: dict[type[Exception] | type[None], str] = {
    NotEncrypted: "does not encrypt",
    ssl.SSLError: "does not encrypt",
    ssl.SSLCertVerificationError: "does not prove itself",
    smtplib.SMTPAuthenticationError: "does not let us in",
    smtplib.SMTPNotSupportedError: "does not let us in",
    UnicodeEncodeError: "does not let us in",
}


def _line_to(server: MailServer) -> str:
    server.greet()
    over = getattr(server.client, "sock", None)
    return f"over {over.version()}" if isinstance(over, ssl.SSLSocket) else "unencrypted"


def _is_address(text: str) -> bool:
    """Whether a mail can be sent there; a name beside the address is none."""
    try:
        return "@" in str(in_header(text))
    except (ValueError, MessageError):
        return False


def _test_mail(mail_to: str) -> EmailMessage:
    config = current_app.config
    mail = EmailMessage(policy=POLICY.clone(utf8=not on_the_line(mail_to).isascii()))
    mail["From"], mail["To"] = in_header(sender_address()), in_header(mail_to)
    mail["Subject"] = f"Test mail from {config['NAME']}"
    mail["Message-ID"] = make_msgid(domain=urlsplit(config["BASE_URL"]).hostname or "localhost")
    mail.set_content(f"{config['NAME']} at {config['BASE_URL']} can send mail to you. There is nothing to do.\n")
    return mail
