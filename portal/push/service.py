"""What people can do about the browsers that are told at once, and the refusals that raises."""

from __future__ import annotations

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask_babel import gettext as _
from py_vapid.utils import b64urldecode

from portal.accounts.models import AuthSession, User
from portal.db import db
from portal.errors import Refusal
from portal.push.models import Push, Subscription

MOST = 10  # browsers of one person
LONGEST_ENDPOINT = 1000
POINT, SECRET = 65, 16  # bytes: an uncompressed point of P-256, and what authenticates a message (RFC 8291)
TEST = "test"


class NoBrowser(Refusal):
    """What was sent does not describe a browser that can be told."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("Your browser gave an address that we cannot use. Try again, or use another browser."))


def subscribe(
    user: User, *, endpoint: str, public_key: str, auth_secret: str, session_hash: str, browser_hash: str, browser: str
) -> Subscription:
    """Tell this browser at once from now on; whoever was told there before is not any more."""
    _check(endpoint, public_key, auth_secret)
    digest = hashlib.sha256(endpoint.encode()).hexdigest()
    db.session.execute(sa.delete(Subscription).where(Subscription.endpoint_hash == digest))
    row = Subscription(
        user_id=user.id,
        session_hash=session_hash,
        browser_hash=browser_hash,
        endpoint=endpoint,
        endpoint_hash=digest,
        public_key=public_key,
        auth_secret=auth_secret,
        browser=browser[:200],
    )
    db.session.add(row)
    db.session.flush()
    _forget_oldest(user)
    return row


def forget(subscription: Subscription) -> None:
    """Tell this browser nothing any more."""
    db.session.execute(sa.delete(Subscription).where(Subscription.id == subscription.id))


def queue_test(subscription: Subscription) -> None:
    """Send one message to see that it arrives."""
    db.session.add(Push(user_id=subscription.user_id, subscription_id=subscription.id, kind=TEST))
    db.session.flush()


def let_go_of_session(user: User, browser_hash: str) -> None:
    """Before another session takes the place of one: who signs in again keeps their browser, others lose it."""
    there = Subscription.browser_hash == browser_hash
    db.session.execute(sa.delete(Subscription).where(there, Subscription.user_id != user.id))
    db.session.execute(sa.update(Subscription).where(there).values(session_hash=None))


def hold_on_to_session(user: User, browser_hash: str, session_hash: str) -> None:
    """Let the browser that the user signed in with again go with the new session."""
    there = (Subscription.browser_hash == browser_hash, Subscription.user_id == user.id)
    db.session.execute(sa.update(Subscription).where(*there).values(session_hash=session_hash))


def outlive_sessions(now: datetime) -> None:
    """Keep the browsers whose session ran out by itself: nobody signed out there."""
    over = sa.select(AuthSession.token_hash).where(AuthSession.expires_at < now)
    kept = sa.update(Subscription).where(Subscription.session_hash.in_(over))
    db.session.execute(kept.values(session_hash=None), execution_options={"synchronize_session": False})


def forget_left_behind(user: User) -> None:
    """Tell nothing any more to browsers of the user that outlived their session: the others went with theirs."""
    db.session.execute(
        sa.delete(Subscription).where(Subscription.user_id == user.id, Subscription.session_hash.is_(None))
    )


def forget_all(user: User) -> None:
    """Tell none of the user's browsers anything any more."""
    db.session.execute(sa.delete(Subscription).where(Subscription.user_id == user.id))


def hash_of(browser_token: str) -> str:
    """Return how a browser is known by the cookie that stays there; nothing where it has none."""
    return hashlib.sha256(browser_token.encode("utf-8", "replace")).hexdigest() if browser_token else ""


def _check(endpoint: str, public_key: str, auth_secret: str) -> None:
    """Raise NoBrowser for what no push service gives; where the address leads is looked at whenever it is asked."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
        point, secret = b64urldecode(public_key.encode("ascii")), b64urldecode(auth_secret.encode("ascii"))
    except ValueError:
        raise NoBrowser from None
    plain = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint and len(endpoint) <= LONGEST_ENDPOINT
    named = parts.scheme == "https" and "." in host and not host.replace(".", "").isdecimal() and port != 0
    keyed = len(point) == POINT and point[0] == 4 and len(secret) == SECRET
    if not (plain and named and keyed) or parts.username or parts.password or len(public_key) > 120:
        raise NoBrowser


def _forget_oldest(user: User) -> None:
    theirs = sa.select(Subscription.id).where(Subscription.user_id == user.id)
    beyond = list(db.session.scalars(theirs.order_by(Subscription.id.desc()).offset(MOST)))
    if beyond:
        db.session.execute(sa.delete(Subscription).where(Subscription.id.in_(beyond)))
