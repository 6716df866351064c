"""Reports of other mail servers: that a mail could not be delivered (RFC 3464), or was called spam (RFC 5965)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from portal.inbound.reading import addresses_in, header, headers


@dataclass(frozen=True, slots=True)
class Bounce:
    """One recipient whom a mail did not reach."""

    action: str  # failed, delayed, delivered, relayed or expanded
    status: str  # 5.1.1


def bounces_in(message: Message) -> list[Bounce] | None:
    """Return what a report says about each recipient; None for a mail that is no report of a delivery."""
    parts = [part for part in message.walk() if part.get_content_type() == "message/delivery-status"]
    if not parts:
        return None
    blocks = [block for part in parts for block in _blocks(part)]
    about = [block for block in blocks if header(block, "Action") or header(block, "Status")]
    return [Bounce(header(block, "Action").lower(), _status(header(block, "Status"))) for block in about]


def complaint_in(message: Message) -> list[str] | None:
    """Return who sent what a report of abuse is about, as the envelope said; None for a mail that is no such report."""
    parts = [part for part in message.walk() if part.get_content_type() == "message/feedback-report"]
    if not parts:
        return None
    fields = [block for part in parts for block in _blocks(part)]
    kind = next((header(block, "Feedback-Type").lower() for block in fields if header(block, "Feedback-Type")), "")
    if kind not in {"abuse", "fraud", "other", "opt-out"}:
        return None
    senders = [value for block in fields for value in headers(block, "Original-Mail-From")]
    senders += [value for original in _originals(message) for value in headers(original, "Return-Path")]
    return addresses_in(senders)


def _blocks(part: Message) -> list[Message]:
    """Return the groups of fields in a report, which the library gives as messages, or as text."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message)]
    text = part.get_payload(decode=True)
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(payload or "")
    return [HeaderParser().parsestr(block.strip() + "\n\n") for block in re.split(r"\r?\n[ \t]*\r?\n", said[:20_000])]


def _originals(message: Message) -> list[Message]:
    """Return the mails that a report is about, whole or only their headers."""
    found: list[Message] = []
    for part in message.walk():
        payload = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(payload, list):
            found += [inner for inner in payload if isinstance(inner, Message)]
        elif part.get_content_type() == "text/rfc822-headers":
            found += _blocks(part)[:1]
    return found


def _status(words: str) -> str:
    found = re.match(r"[245]\.\d{1,3}\.\d{1,3}", words.strip())
    return found[0] if found else ""
