"""Ten codes that stand in for a lost second factor, once each."""

from __future__ import annotations

import hashlib
import hmac
import secrets

import sqlalchemy as sa
from flask import current_app

from portal.accounts.models import User
from portal.credentials import factors
from portal.credentials.models import RecoveryCode
from portal.db import count_rows, db, utcnow
from portal.security.log import note

HOW_MANY = 10
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that reads as another
GROUPS, LONG = 3, 4


def renew(user: User, *, with_first: bool = False) -> list[str]:
    """Return ten new codes, which nobody can show again; those before them are void.

    Made ``with_first``, the user's first second factor, they need no mail of their own.
    """
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [_new_code() for _number in range(HOW_MANY)]
    db.session.add_all([RecoveryCode(code_hash=_hash(user, code), user_id=user.id) for code in codes])
    db.session.flush()
    if with_first:
        note("factor.codes_made", user=user)
    else:
        factors.tell_of_change(user, "codes_made")
    return codes


def use(user: User, code: str) -> int | None:
    """Return how many codes are left after this one; None for one that is not right or was used."""
    unused = sa.and_(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    this = sa.update(RecoveryCode).where(unused, RecoveryCode.code_hash == _hash(user, code))
    if not count_rows(this.values(used_at=utcnow())):
        return None
    left = factors.factors_of(user).codes_left
    factors.tell_of_change(user, "code_used", left=left)
    return left


def _new_code() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _letter in range(LONG)) for _group in range(GROUPS))


def _hash(user: User, code: str) -> str:
    """Return how a code is kept: under the secret key, so that the database alone does not let anybody try codes."""
    typed = "".join(letter for letter in code.upper()[:100] if letter in LETTERS)
    key = hashlib.sha256(b"portal recovery codes\0" + str(current_app.secret_key).encode()).digest()
    return hmac.new(key, f"{user.id}:{typed}".encode(), hashlib.sha256).hexdigest()
