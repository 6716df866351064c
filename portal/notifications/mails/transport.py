"""Handing mails over: to a mail server, to the catcher inside the portal, or to nobody."""

from __future__ import annotations

import re
import smtplib
import ssl
from email.message import EmailMessage
from enum import StrEnum
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from flask import Flask

from portal.config import ConfigurationError
from portal.db import db
from portal.notifications.mails.addresses import on_the_line
from portal.notifications.mails.coming_back import is_hard
from portal.notifications.models import CaughtMail
from portal.transactions import transaction

TIMEOUT = 20  # seconds for each step of the conversation
NEARBY = {"localhost", "127.0.0.1", "::1"}


class NotTaken(Exception):
    """The mail was not handed over; ``for_good`` says whether trying again is pointless.

    ``nobody_there`` says that the server refused the recipient, for there is no such mailbox.
    """

    def __init__(self, words: str, for_good: bool = False) -> None:
        super().__init__(words)
        self.for_good = for_good
        self.nobody_there = False


class Unreachable(NotTaken):
    """There was nobody to hand any mail to; ``cause`` is what happened instead."""

    def __init__(self, words: str, cause: Exception | None = None) -> None:
        super().__init__(words)
        self.cause = cause


class NotEncrypted(smtplib.SMTPException):
    """The server offers no encryption, and what was to be said is not for everybody on the way."""


class Step(StrEnum):
    """How far handing over a mail has come."""

    GREETING = "greeting"
    SENDER = "sender"
    RECIPIENT = "recipient"
    TEXT = "text"
    ANSWER = "answer"


class EndUnknown(Exception):
    """The mail was handed over and no answer came: it may have arrived or not."""


class Transport(Protocol):
    """Somebody who takes mails."""

    def hand_over(self, message: EmailMessage, sender: str, recipient: str) -> str:
        """Give a mail away and return what is said to that; raises NotTaken, Unreachable or EndUnknown."""

    def close(self) -> None:
        """Say goodbye."""


class Catcher:
    """Keeps mails in the portal, where a page shows them."""

    def hand_over(self, message: EmailMessage, sender: str, recipient: str) -> str:
        """Keep the mail as it would have been sent."""
        with transaction(wake=False):
            db.session.add(
                CaughtMail(
                    recipient=recipient,
                    subject=str(message["Subject"])[:300],
                    message_id=str(message["Message-ID"])[:200],
                    raw=message.as_bytes().decode(),
                )
            )
        return ""

    def close(self) -> None:
        """Nothing is open."""


class MailServer:
    """An SMTP server, over one connection for as long as there are mails.

    With ``?tls=required`` nothing is said to a server that does not encrypt, whoever may have stripped its offer.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.over_tls = parts.hostname or "localhost", parts.scheme == "smtps"
        self.port = parts.port or (465 if self.over_tls else 25)
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        self.must_encrypt = parse_qs(parts.query).get("tls") == ["required"]
        self.client: smtplib.SMTP | None = None
        self.offered: dict[str, str] = {}  # what the server announced, before and after encryption
        self.step = Step.GREETING

    def hand_over(self, message: EmailMessage, sender: str, recipient: str) -> str:
        """Have the server take the mail and return what it says; afterwards it is the server's to deliver."""
        self.step = Step.GREETING
        sender, recipient = on_the_line(sender), on_the_line(recipient)
        text = _as_sent(message)  # first: what cannot be written must leave no server waiting for its end
        client = self._connected()
        try:
            self.step = Step.RECIPIENT
            options = self._options_for(client, sender + recipient)
            self.step = Step.SENDER
            _expect(client.mail(sender, options))
            self.step = Step.RECIPIENT
            _expect_recipient(client.rcpt(recipient))
            self.step = Step.TEXT
            _expect(client.docmd("DATA"), ready=354)
            client.send(text)  # what fails until here was not taken: its last line never left
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise NotTaken(_words(error)) from None
        except NotTaken:
            self._reset()
            raise
        self.step = Step.ANSWER
        try:
            answer = client.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise EndUnknown(_words(error)) from None
        try:
            _expect(answer)
        except NotTaken:
            self._reset()
            raise
        return str(_refusal(*answer))

    def greet(self) -> None:
        """Connect, sign in and say nothing more; raises Unreachable with the reason."""
        self._connected()

    def close(self) -> None:
        """End the conversation politely."""
        if self.client is not None:
            try:
                self.client.quit()
            except (OSError, smtplib.SMTPException):
                self.client.close()
            self.client = None

    def _connected(self) -> smtplib.SMTP:
        if self.client is None:
            try:
                self.client = self._connect()
            except (OSError, smtplib.SMTPException, UnicodeError) as error:
                self._drop()
                raise Unreachable(f"{self.host}:{self.port}: {_words(error)}", error) from None
        return self.client

    def _connect(self) -> smtplib.SMTP:
        if self.over_tls:
            trust = ssl.create_default_context()
            client: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=trust)
        else:
            client = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)
        try:
            client.ehlo_or_helo_if_needed()
            self.offered = dict(client.esmtp_features)
            if not self.over_tls and client.has_extn("starttls"):
                client.starttls(context=ssl.create_default_context())
                client.ehlo()
                self.offered |= client.esmtp_features
            elif not self.over_tls and self.must_encrypt:
                raise NotEncrypted("the server offers no encryption, so nothing was sent")
            elif not self.over_tls and self.user and self.host not in NEARBY:
                raise NotEncrypted("the server offers no encryption, so the password was not sent; use smtps:")
            if self.user:
                client.login(self.user, self.password)
        except BaseException:
            client.close()
            raise
        return client

    def _options_for(self, client: smtplib.SMTP, addresses: str) -> list[str]:
        if addresses.isascii():
            return []
        if not client.has_extn("smtputf8"):
            raise NotTaken("the mail server takes no addresses with letters outside ASCII", for_good=True)
        return ["SMTPUTF8", "BODY=8BITMIME"]

    def _reset(self) -> None:
        try:
            if self.client is not None:
                self.client.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        if self.client is not None:
            self.client.close()
        self.client = None


def transport_for(url: str) -> Transport | None:
    """Return who takes mails under this setting; None when nobody does."""
    if not url:
        return None
    scheme = urlsplit(url).scheme
    if scheme == "catch":
        return Catcher()
    if scheme in {"smtp", "smtps"}:
        return MailServer(url)
    raise ConfigurationError("PORTAL_MAIL_URL must start with smtp:, smtps: or catch:, or be empty for no mail.")


def check(app: Flask) -> str:
    """Return what keeps mails from leaving, in words; nothing when they can."""
    transport = transport_for(app.config["MAIL_URL"])
    try:
        if isinstance(transport, MailServer):
            transport.greet()
    except NotTaken as problem:
        return str(problem)
    finally:
        if transport is not None:
            transport.close()
    return "" if transport else "no mail server is configured (PORTAL_MAIL_URL is empty); the inbox has everything"


def _as_sent(message: EmailMessage) -> bytes:
    """Return the mail as it goes over the line: no line of it alone ends it but the last."""
    text = re.sub(rb"(?m)^\.", b"..", message.as_bytes())
    return text.removesuffix(b"\r\n") + b"\r\n.\r\n"


def _expect(answer: tuple[int, bytes], ready: int = 250) -> None:
    if answer[0] not in {ready, 251}:
        raise _refusal(*answer)


def _expect_recipient(answer: tuple[int, bytes]) -> None:
    try:
        _expect(answer)
    except NotTaken as refused:
        refused.nobody_there = refused.for_good and is_hard(answer[0], str(refused))
        raise


def _refusal(code: int, words: bytes | str) -> NotTaken:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return NotTaken(f"{code} {' '.join(text.split())}", for_good=500 <= code < 600)


def _words(error: Exception) -> str:
    if isinstance(error, UnicodeError):  # which would quote from the password
        return "name or password have letters outside ASCII, with which nobody can sign in to a mail server"
    if isinstance(error, smtplib.SMTPResponseException):
        return str(_refusal(error.smtp_code, error.smtp_error))
    return in_short(str(error)) or type(error).__name__


def in_short(words: str) -> str:
    """Return what a library said of an error, without its own numbers and names."""
    return re.sub(r"^\[[^\]]{1,60}\] | \(_ssl\.c:\d+\)$", "", words)
