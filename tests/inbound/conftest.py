"""What tests of mails that come in share."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.mailbox import MailboxServer

SECRET = "the-post-office-of-these-tests-knows-it"  # noqa: S105 - of a server that exists only here
SETTINGS = {
    "REPLY_TO": "ideas+{token}@reply.example",
    "BOUNCE_TO": "bounces+{token}@reply.example",
    "INBOUND_SECRET": SECRET,
}


@pytest.fixture
def hand_in(app: Any, browse: Callable[..., Any]) -> Callable[..., int]:
    """Post a mail as the server does that received it; returns the status of the answer."""

    def post(raw: bytes, *, secret: str = SECRET, at: float | None = None, signed: bytes | None = None) -> int:
        moment = str(int(time.time() if at is None else at))
        signature = hmac.digest(secret.encode(), moment.encode() + b"." + (raw if signed is None else signed), "sha256")
        browser = browse()
        browser.carries_token = False
        headers = {"X-Portal-Timestamp": moment, "X-Portal-Signature": f"sha256={signature.hex()}"}
        answer = browser.post("/mail/inbound", data=raw, content_type="message/rfc822", headers=headers)
        status: int = answer.status_code
        return status

    return post


@pytest.fixture(scope="session")
def imap_server() -> Iterator[MailboxServer]:
    """A real IMAP server."""
    server = MailboxServer()
    yield server
    server.stop()


@pytest.fixture
def mailbox(imap_server: MailboxServer) -> MailboxServer:
    """Its mailbox, empty."""
    imap_server.empty()
    return imap_server
