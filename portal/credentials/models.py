"""Tables of what proves who somebody is, and of how often it was tried in vain."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow


class Purpose(StrEnum):
    """The one thing that a mailed link is for."""

    SIGN_UP = "sign_up"
    SIGN_IN = "sign_in"
    RESET = "reset"
    CHANGE_ADDRESS = "change_address"  # mailed to the new address
    AGREE_TO_CHANGE = "agree_to_change"  # mailed to the present address
    NOT_ME = "not_me"
    PROVE = "prove"  # a code only: that whoever is signed in still reads this mailbox
    STAY = "stay"  # undoes leaving
    VOUCHED = "vouched"  # opens an account for somebody whose provider did not confirm the address


class MailedLink(Model):
    """A link for one purpose and one address, good once and for a while; its token is derived and kept nowhere."""

    __tablename__ = "mailed_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[Purpose]
    email: Mapped[str] = mapped_column(sa.String(254), index=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    nonce: Mapped[str] = mapped_column(sa.String(64), default=lambda: secrets.token_hex(32))
    browser_hash: Mapped[str | None] = mapped_column(sa.String(64))  # of the browser that asked for it
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tries: Mapped[int] = mapped_column(default=0)  # of the short code that does the same
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]

    user: Mapped[User | None] = relationship()


class Passkey(Model):
    """A public key that somebody's device or password manager holds the other half of (WebAuthn)."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(sa.LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(sa.LargeBinary)
    sign_count: Mapped[int] = mapped_column(sa.BigInteger, default=0)  # 32 bits without a sign
    transports: Mapped[str] = mapped_column(sa.String(100), default="")  # words between spaces
    name: Mapped[str] = mapped_column(sa.String(60))
    backed_up: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    used_at: Mapped[datetime | None]


class UsedChallenge(Model):
    """A passkey's answer that was taken; none is taken twice, whatever an old cookie says."""

    __tablename__ = "used_challenges"

    challenge_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)


class Authenticator(Model):
    """The secret that somebody's app makes six digits of every 30 seconds (TOTP, RFC 6238); a code of it was seen."""

    __tablename__ = "authenticators"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    sealed_secret: Mapped[str] = mapped_column(sa.String(300))
    last_step: Mapped[int] = mapped_column(default=0)  # the 30 seconds whose code was used last; none works twice
    made_at: Mapped[datetime] = mapped_column(default=utcnow)


class RecoveryCode(Model):
    """One of ten codes that stand in for a lost second factor, once each; only a hash is kept."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    used_at: Mapped[datetime | None]


class KnownBrowser(Model):
    """A browser in which somebody was signed in before, known by a cookie of its own."""

    __tablename__ = "known_browsers"

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    seen_at: Mapped[datetime] = mapped_column(default=utcnow)


class Guesses(Model):
    """How often something was guessed wrongly: a password or code, by account and address, or by account alone."""

    __tablename__ = "guesses"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)  # a hash: no address is kept
    count: Mapped[int] = mapped_column(default=0)
    began_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
