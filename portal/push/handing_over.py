"""Handing one message to the service that carries it to a browser: encrypted for that browser alone (RFC 8291)."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from email.utils import parseaddr
from enum import Enum
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from flask import current_app
from py_vapid import Vapid02, VapidException
from py_vapid.utils import b64urldecode, b64urlencode

from portal import outgoing
from portal.outgoing import NOT_ALLOWED, OutgoingFailed

KEPT_FOR = 24 * 3600  # seconds for which a service keeps a message for a browser that is away
SIGNED_FOR = 12 * 3600
LONGEST_WAIT = 3600  # seconds that a service may ask us to wait
TITLE, BODY = 120, 240  # characters; services take 4096 bytes, encrypted


class Ended(Enum):
    """How handing over ended."""

    TAKEN = "taken"
    LATER = "later"  # may work another time
    REFUSED = "refused"  # this message, for good
    GONE = "gone"  # there is no such browser any more


@dataclass(frozen=True, slots=True)
class Message:
    """What one browser is told, and how to reach it; ``about`` names what a newer message takes the place of."""

    endpoint: str
    public_key: str
    auth_secret: str
    title: str
    body: str
    path: str
    about: str
    lang: str = "en"

    @property
    def payload(self) -> bytes:
        """The message as the script in the browser reads it."""
        words = {
            "title": _cut(self.title, TITLE),
            "body": _cut(self.body, BODY),
            "url": self.path,
            "tag": self.about,
            "lang": self.lang,
        }
        return json.dumps(words, ensure_ascii=False).encode()

    @property
    def host(self) -> str:
        """The service that carries it."""
        return urlsplit(self.endpoint).netloc


@dataclass(frozen=True, slots=True)
class End:
    """How it ended, in the words that staff see."""

    how: Ended
    words: str = ""
    wait: int = 0  # seconds that the service wants to be left alone


def hand_over(message: Message, signer: Vapid02) -> End:
    """Hand a message to the service of its browser and say how that ended."""
    try:
        body = encrypt(message)
    except ValueError as problem:
        return End(Ended.GONE, f"the keys of this browser are none: {problem}")
    try:
        answer = outgoing.post(message.endpoint, body, _headers(message, signer))
    except OutgoingFailed as problem:
        return End(Ended.GONE if problem.why in NOT_ALLOWED else Ended.LATER, str(problem))
    except VapidException as problem:  # no token can be made for such an address
        return End(Ended.GONE, str(problem))
    return _read(answer.status_code, answer.headers.get("Retry-After", ""))


def encrypt(message: Message) -> bytes:
    """Return the message as only its browser can read it; raise ValueError for keys that are none."""
    try:
        encrypted: bytes = http_ece.encrypt(
            message.payload,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=b64urldecode(message.public_key.encode()),
            auth_secret=b64urldecode(message.auth_secret.encode()),
            version="aes128gcm",
        )
    except (http_ece.ECEException, TypeError) as problem:
        raise ValueError(str(problem)) from problem
    return encrypted


def topic_of(about: str) -> str:
    """Return the name under which a service lets a newer message replace an older one; it says nothing to it."""
    key = b"push topics:" + str(current_app.secret_key).encode()
    return b64urlencode(hmac.new(key, about.encode(), hashlib.sha256).digest()[:24])


def _headers(message: Message, signer: Vapid02) -> dict[str, str]:
    parts = urlsplit(message.endpoint)
    sender = parseaddr(current_app.config["MAIL_FROM"])[1]
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + SIGNED_FOR,
        "sub": f"mailto:{sender}",
    }
    return {
        **signer.sign(claims),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(KEPT_FOR),
        "Urgency": "normal",
        "Topic": topic_of(message.about),
    }


def _read(status: int, asked: str) -> End:
    if 200 <= status < 300:
        return End(Ended.TAKEN)
    words = f"the push service answered {status}"
    if status in {404, 410}:
        return End(Ended.GONE, words)
    if status in {408, 425, 429} or status >= 500:
        wait = min(int(asked), LONGEST_WAIT) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 0
        return End(Ended.LATER, words, wait)
    return End(Ended.REFUSED, words)


def _cut(words: str, longest: int) -> str:
    line = " ".join(words.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
