"""Private feed addresses: made, replaced, given up, and read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from flask import current_app

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.feeds.models import FeedAddress

LONGEST_TOKEN = 100


def make_address(user: User) -> FeedAddress:
    """Give the user an address for private feeds; one that they had before is good no more."""
    address = address_of(user) or FeedAddress(user_id=user.id)
    address.nonce, address.made_at = secrets.token_hex(16), utcnow()
    db.session.add(address)
    db.session.flush()
    return address


def give_up_address(user: User) -> None:
    """Let the user have no private feeds; giving up what is not there changes nothing."""
    if address := address_of(user):
        db.session.delete(address)


def address_of(user: User) -> FeedAddress | None:
    """Return what the user's private feeds are known by, if they have any."""
    return db.session.get(FeedAddress, user.id)


def token_of(address: FeedAddress) -> str:
    """Return the secret part of the address: 256 bits that only the secret key gives."""
    made = hmac.new(_key(), f"{address.user_id}:{address.nonce}".encode(), hashlib.sha256).digest()
    return f"{address.user_id}-{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def find_reader(token: str) -> User | None:
    """Return whose feeds stand behind this token, as long as their account may be used; None for every other text."""
    number = token.partition("-")[0]
    if len(token) > LONGEST_TOKEN or not (number.isascii() and number.isdecimal()) or int(number) >= 2**31:
        return None
    address = db.session.get(FeedAddress, int(number))
    if address is None or not hmac.compare_digest(token_of(address).encode(), token.encode()):
        return None
    user = db.session.get(User, address.user_id)
    usable = user is not None and user.is_active and user.is_approved and not user.is_former
    return user if usable else None


def _key() -> bytes:
    return b"private feeds:" + str(current_app.secret_key).encode()
