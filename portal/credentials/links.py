"""Links sent by mail: made for one purpose and one address, found by a token that is kept nowhere, used once."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy import select

from portal.accounts.models import User
from portal.credentials.models import MailedLink, Purpose
from portal.db import count_rows, db, utcnow
from portal.transactions import transaction

LIFETIMES = {
    Purpose.SIGN_UP: timedelta(hours=24),
    Purpose.SIGN_IN: timedelta(minutes=15),
    Purpose.RESET: timedelta(minutes=60),
    Purpose.CHANGE_ADDRESS: timedelta(hours=24),
    Purpose.AGREE_TO_CHANGE: timedelta(hours=24),
    Purpose.NOT_ME: timedelta(days=7),
    Purpose.PROVE: timedelta(minutes=10),
    Purpose.STAY: timedelta(days=14),
    Purpose.VOUCHED: timedelta(hours=24),
}
CODE_LIFETIME, CODE_TRIES, DIGITS = timedelta(minutes=10), 5, 6
KEPT_FOR = timedelta(days=1)  # after its end
LONGEST_TOKEN = 100


def make(
    purpose: Purpose,
    email: str,
    *,
    user: User | None = None,
    data: dict[str, Any] | None = None,
    lifetime: timedelta | None = None,
    browser_hash: str | None = None,
) -> MailedLink:
    """Make a link for one purpose, to be mailed to one address; the caller queues the letter that carries it.

    Where there is no account to it (``user`` is None) the link is made all the same, so that nobody can tell.
    """
    now = utcnow()
    link = MailedLink(
        purpose=purpose,
        email=email,
        user_id=user.id if user else None,
        browser_hash=browser_hash,
        data=dict(data or {}),
        made_at=now,
        expires_at=now + (lifetime or LIFETIMES[purpose]),
    )
    db.session.add(link)
    db.session.flush()
    return link


def token_of(link: MailedLink) -> str:
    """Return the token that the link's address ends with: 256 bits that only the secret key gives."""
    return f"{link.id}-{base64.urlsafe_b64encode(_derive('token', link)).rstrip(b'=').decode()}"


def code_of(link: MailedLink) -> str:
    """Return the six digits that do the same as the link, for ten minutes, in the browser that asked."""
    return f"{int.from_bytes(_derive('code', link)) % 10**DIGITS:0{DIGITS}}"


def find(token: str, purpose: Purpose) -> MailedLink | None:
    """Return the link with this token if it is for this purpose and still good; None for every other text."""
    number = token.partition("-")[0]
    if len(token) > LONGEST_TOKEN or not (number.isascii() and number.isdecimal()) or int(number) >= 2**31:
        return None
    link = db.session.get(MailedLink, int(number))
    right = link is not None and hmac.compare_digest(token_of(link).encode(), token.encode("utf-8", "replace"))
    return link if link and right and link.purpose is purpose and is_good(link) else None


def is_good(link: MailedLink) -> bool:
    """Whether the link was neither used nor made void, and its time is not over."""
    return link.used_at is None and link.expires_at > utcnow()


def has_code(link: MailedLink) -> bool:
    """Whether the six digits still work where the link was asked for."""
    fresh = link.made_at + CODE_LIFETIME > utcnow()
    return is_good(link) and fresh and link.tries < CODE_TRIES and link.browser_hash is not None


def find_by_code(code: str, email: str, browser_hash: str, purposes: Collection[Purpose]) -> MailedLink | None:
    """Return the newest link that this browser asked for if these are its six digits; counts a try either way."""
    link = newest(email, browser_hash, purposes)
    if link is None or not has_code(link) or not _count_try(link):
        return None
    typed = "".join(code.split())
    return link if hmac.compare_digest(code_of(link).encode(), typed.encode("utf-8", "replace")) else None


def newest(email: str, browser_hash: str, purposes: Collection[Purpose]) -> MailedLink | None:
    """Return the link to this address that this browser asked for last, good or not."""
    asked = select(MailedLink).where(
        MailedLink.email == email, MailedLink.browser_hash == browser_hash, MailedLink.purpose.in_(purposes)
    )
    return db.session.scalar(asked.order_by(MailedLink.id.desc()).limit(1))


def use(link: MailedLink) -> bool:
    """Use the link up; False where it was used or made void meanwhile, or its time is over."""
    now = utcnow()
    unused = sa.and_(MailedLink.id == link.id, MailedLink.used_at.is_(None), MailedLink.expires_at > now)
    return count_rows(sa.update(MailedLink).where(unused).values(used_at=now)) == 1


def void(link: MailedLink) -> None:
    """Make a link that was not used worth nothing."""
    _void(MailedLink.id == link.id)


def void_all(user: User) -> None:
    """Make the links to this account worth nothing: after each change of what proves who somebody is.

    The one that says "this was not me" stays: whoever got in must not be able to take it away by such a change.
    """
    _void(sa.and_(MailedLink.user_id == user.id, MailedLink.purpose != Purpose.NOT_ME))


def without_code(link: MailedLink) -> None:
    """Give a link no code: nothing is mailed, so whoever types six digits can only be guessing."""
    link.tries = CODE_TRIES


def forget_old() -> int:
    """Drop links a day after their end, with what was filled in when they were asked for; return how many."""
    old = MailedLink.expires_at < utcnow() - KEPT_FOR
    if db.session.scalar(select(MailedLink.id).where(old).limit(1)) is None:
        return 0
    with transaction(wake=False):
        return count_rows(sa.delete(MailedLink).where(old))


def _count_try(link: MailedLink) -> bool:
    left = sa.and_(MailedLink.id == link.id, MailedLink.tries < CODE_TRIES)
    return count_rows(sa.update(MailedLink).where(left).values(tries=MailedLink.tries + 1)) == 1


def _void(which: sa.ColumnElement[bool]) -> None:
    now = utcnow()
    good = sa.and_(which, MailedLink.used_at.is_(None), MailedLink.expires_at > now)
    db.session.execute(sa.update(MailedLink).where(good).values(expires_at=now))


def _derive(what: str, link: MailedLink) -> bytes:
    """Return 256 bits that hang on all that the link is for, so that none of it can be swapped."""
    bound = [what, str(link.id), link.purpose.value, link.email, str(link.user_id or ""), link.nonce]
    key = hashlib.sha256(b"portal mailed links\0" + str(current_app.secret_key).encode()).digest()
    return hmac.digest(key, "\0".join(bound).encode(), "sha256")
