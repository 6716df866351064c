"""Slowing down whoever guesses passwords and codes, without letting anybody lock others out.

For any code that could be guessed, with words that say whose it is and from where::

    guessing.check("app code", user.id)     # raises TooMuch (429, says how long to wait) where somebody has to wait
    guessing.fail("app code", user.id)      # counts a wrong one: after five in 15 minutes a wait that doubles
    guessing.clear("app code", user.id)     # the right one: forget what was counted

``fail`` and ``clear`` belong to the caller's transaction. To hold also against many tries at the same moment, call
``check`` and ``fail`` together before looking at the code, and ``clear`` when it was right.

Passwords at sign-in have a function each that counts in three ways at once: ``begin``, and ``was_right``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from limits import RateLimitItem

from portal.credentials.models import Guesses
from portal.db import count_rows, db, insert_if_absent, utcnow
from portal.limits import LIMITS, TooMuch, household, in_words

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
KEPT_FOR = timedelta(days=2)  # after the last guess


def check(*what: Any) -> None:
    """Raise TooMuch, with how long to wait, where there were too many wrong guesses."""
    _must_not_wait(_wait_after(_find(what), _rate("accounts.sign_in.account")))


def fail(*what: Any) -> None:
    """Count a wrong guess."""
    rate = _rate("accounts.sign_in.account")
    _count(what, lambda row: row.last_at + _wait_of(row.count, rate) + timedelta(seconds=rate.get_expiry()))


def clear(*what: Any) -> None:
    """Forget what was guessed wrongly: the right one was given."""
    db.session.execute(sa.delete(Guesses).where(Guesses.key == _key(what)))


def begin(email: str, address: str, browser: str = "") -> None:
    """Count a password typed at sign-in as wrong until ``was_right`` says otherwise; raise TooMuch for one too many.

    Counted are account and address together, the address, and the account. Whether there is such an account makes no
    difference, and what others do elsewhere does not make anybody wait. A ``browser`` that the account knows is counted
    for itself alone, so that nobody waits for what somebody else does at the same address.
    """
    pair, place, account = _counted(email, address)
    if browser:
        pair = _counted_for(email, browser)
        check(*pair)
        fail(*pair)
        return
    check(*pair)
    _must_not_wait(_wait_until_over(_find(place), _rate("accounts.sign_in.address")))
    fail(*pair)
    _count(place, lambda row: _end_of(row, _rate("accounts.sign_in.address")))
    _count(account, lambda row: _end_of(row, _rate("accounts.sign_in.day")))


def was_right(email: str, address: str, browser: str = "") -> None:
    """Take back what ``begin`` counted: the password was right. What others guessed stays counted."""
    pair, place, account = _counted(email, address)
    if browser:
        clear(*_counted_for(email, browser))
        return
    clear(*pair)
    for what in (place, account):
        counted = sa.update(Guesses).where(Guesses.key == _key(what), Guesses.count > 0)
        db.session.execute(counted.values(count=Guesses.count - 1))


def takes_a_link(email: str) -> bool:
    """Whether so many passwords were guessed for this address today that one alone opens nothing in a new browser."""
    rate = _rate("accounts.sign_in.day")
    return _wait_until_over(_find(_counted(email, "")[2]), rate) > timedelta(0)


def forget_old() -> int:
    """Drop what was counted, once it means nothing any more."""
    old = sa.delete(Guesses).where(Guesses.last_at < utcnow() - KEPT_FOR)
    return count_rows(old)


def _counted(email: str, address: str) -> tuple[tuple[Any, ...], ...]:
    account, place = email.strip().lower()[:254], household(address)
    return ("password", account, place), ("passwords from", place), ("passwords for", account)


def _counted_for(email: str, browser: str) -> tuple[Any, ...]:
    return "password in", email.strip().lower()[:254], browser


def _find(what: tuple[Any, ...]) -> Guesses | None:
    if not current_app.config["LIMITS"]:
        return None
    return db.session.scalar(sa.select(Guesses).where(Guesses.key == _key(what)))


def _count(what: tuple[Any, ...], forgotten_at: Callable[[Guesses], datetime]) -> None:
    key, now = _key(what), utcnow()
    if insert_if_absent(Guesses, key=key, count=1, began_at=now, last_at=now):
        return
    row = db.session.scalars(sa.select(Guesses).where(Guesses.key == key).with_for_update()).one()
    if forgotten_at(row) <= now:
        row.count, row.began_at = 0, now
    row.count += 1
    row.last_at = now
    db.session.flush()


def _end_of(row: Guesses, rate: RateLimitItem) -> datetime:
    """When the time is over in which guesses are counted together."""
    return row.began_at + timedelta(seconds=rate.get_expiry())


def _wait_after(row: Guesses | None, rate: RateLimitItem) -> timedelta:
    """How long to wait now: a time that doubles with each wrong guess beyond those that are free."""
    return row.last_at + _wait_of(row.count, rate) - utcnow() if row else timedelta(0)


def _wait_of(count: int, rate: RateLimitItem) -> timedelta:
    beyond = count - rate.amount
    return min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(beyond, 10)) if beyond >= 0 else timedelta(0)


def _wait_until_over(row: Guesses | None, rate: RateLimitItem) -> timedelta:
    """How long to wait until the time is over in which too many were wrong."""
    if row is None or row.count < rate.amount:
        return timedelta(0)
    return _end_of(row, rate) - utcnow()


def _must_not_wait(time: timedelta) -> None:
    if time > timedelta(0):
        seconds = time.total_seconds()
        raise TooMuch(seconds, _("That was wrong too often. You can try again in %(time)s.", time=in_words(seconds)))


def _rate(name: str) -> RateLimitItem:
    return LIMITS[name].rates[0]


def _key(what: tuple[Any, ...]) -> str:
    """Return a name for what is guessed that says nothing to whoever reads the table."""
    said = "\0".join(map(str, what)).encode("utf-8", "replace")
    return hmac.new(str(current_app.secret_key).encode(), b"guesses\0" + said, hashlib.sha256).hexdigest()
