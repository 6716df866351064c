"""Codes of an app (TOTP, RFC 6238): six digits that change every 30 seconds, each good once."""

from __future__ import annotations

import hmac
import logging

import pyotp
import segno
import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.credentials import factors
from portal.credentials.models import Authenticator
from portal.db import count_rows, db, utcnow
from portal.errors import Refusal
from portal.options import option
from portal.sealing import SealBroken, seal, unseal

log = logging.getLogger(__name__)

STEP = 30  # seconds
AROUND = (0, -1, 1)  # steps by which a clock may be off


class CodeRefused(Refusal):
    """This code does not count, or does no longer."""

    status = 422

    def __init__(self) -> None:
        super().__init__(
            _("This code is not right, or was used already. Wait for the next one; check the clock of your phone.")
        )


def new_secret() -> str:
    """Return 160 random bits as apps take them."""
    return pyotp.random_base32()


def address_of(user: User, secret: str) -> str:
    """Return what the picture says to an app: whose codes these are, and of which portal."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=str(option("name")))


def picture_of(address: str) -> tuple[int, str]:
    """Return a QR code as the side of a square and an SVG path inside it: a run of dark fields is one bar."""
    rows = [list(row) for row in segno.make(address, error="m", micro=False).matrix_iter(border=4)]
    bars = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            wide = next((n for n, dark in enumerate(row[x:]) if not dark), len(row) - x)
            if wide:
                bars.append(f"M{x} {y}h{wide}v1h-{wide}z")
            x += max(wide, 1)
    return len(rows), "".join(bars)


def in_groups(secret: str) -> str:
    """Return a secret as one can type it: four letters at a time."""
    return " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))


def add(user: User, secret: str, code: str) -> None:
    """The app with this secret counts from now on, and no other; raise CodeRefused for a code it does not show."""
    step = _step_of(secret, code)
    if step is None:
        raise CodeRefused
    had = db.session.get(Authenticator, user.id)
    row = had or Authenticator(user_id=user.id)
    row.sealed_secret, row.last_step, row.made_at = seal(secret), step, utcnow()
    db.session.add(row)
    db.session.flush()
    factors.tell_of_change(user, "app_changed" if had else "app_added")


def use_code(user: User, code: str) -> bool:
    """Whether this is a code of the user's app that was not used; it is used then, and so are all before it."""
    row = db.session.get(Authenticator, user.id)
    try:
        step = _step_of(unseal(row.sealed_secret), code) if row else None
    except SealBroken:
        log.error("the secret of account %s was sealed under another secret key", user.id)
        return False
    if step is None:
        return False
    later = sa.and_(Authenticator.user_id == user.id, Authenticator.last_step < step)
    return count_rows(sa.update(Authenticator).where(later).values(last_step=step)) == 1


def remove(user: User) -> None:
    """The app counts no longer; raise LastFactor for the only factor of a role that demands one."""
    row = db.session.get(Authenticator, user.id)
    if row is None:
        return
    factors.check_may_remove(user)
    db.session.delete(row)
    db.session.flush()
    factors.tell_of_change(user, "app_removed")


def _step_of(secret: str, code: str) -> int | None:
    """Return the step whose code this is, by a clock that is off by one step at most."""
    typed = "".join(code.split())
    if len(typed) != 6 or not (typed.isascii() and typed.isdigit()):
        return None
    app, now = pyotp.TOTP(secret, interval=STEP), int(utcnow().timestamp()) // STEP
    right = [now + off for off in AROUND if hmac.compare_digest(app.generate_otp(now + off), typed)]
    return max(right, default=None)
