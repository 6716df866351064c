"""Reading what proves who somebody is."""

from __future__ import annotations

from sqlalchemy import select

from portal.accounts.models import User
from portal.credentials.models import Authenticator, Passkey
from portal.db import db


def has_second_factor(user: User) -> bool:
    """Whether the account asks for more than a first proof: an authenticator, or a passkey."""
    authenticator = select(Authenticator.user_id).where(Authenticator.user_id == user.id)
    passkey = select(Passkey.user_id).where(Passkey.user_id == user.id)
    return bool(db.session.scalar(select(authenticator.exists() | passkey.exists())))
