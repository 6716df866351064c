"""Reading a hand-over: a product's signed word, for a few minutes and one use, that it sends us this person."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from sqlalchemy import select

from portal.db import count_rows, db, utcnow
from portal.errors import Refusal
from portal.sealing import SealBroken
from portal.sso import queries, service
from portal.sso.models import Provider, UsedHandOver
from portal.sso.vouching import Vouched, voucher
from portal.transactions import transaction

OLDEST, LEEWAY = 300, 60  # seconds
LONGEST = 3000  # characters: it travels in a cookie from the address to the page
NEEDED: dict[str, type | tuple[type, ...]] = {
    "iss": str,
    "aud": (str, list),
    "sub": str,
    "email": str,
    "iat": (int, float),
    "exp": (int, float),
    "jti": str,
}


class HandOverRefused(Refusal):
    """A hand-over that cannot be taken; the sentence is for whoever builds it, ``why`` is one word of it."""

    status = 422

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True)
class HandOver:
    """A hand-over that was found right: who says what, and the mark by which it is known once used."""

    provider: Provider
    vouched: Vouched
    mark: str
    expires_at: datetime


def audience() -> str:
    """Return what ``aud`` has to be: the address of this portal."""
    return str(current_app.config["BASE_URL"]).rstrip("/")


def read(token: str) -> HandOver:
    """Return what a hand-over says; raises HandOverRefused with the first thing that is wrong with it."""
    if not token or len(token) > LONGEST or token.count(".") != 2:
        raise HandOverRefused("form", _("This is no JWT: three parts with dots between them, 3000 characters at most."))
    provider = _whose(token)
    claims = _signed(provider, token)
    _check(claims)
    mark = hashlib.sha256(f"{provider.id}\0{claims['jti']}".encode("utf-8", "replace")).hexdigest()
    if service.is_used(mark):
        raise already_used()
    vouched = voucher(provider, claims)
    if not vouched.email:
        raise HandOverRefused("email", _("“email” is not an e-mail address."))
    over = datetime.fromtimestamp(float(claims["exp"]), UTC) + timedelta(minutes=1)
    return HandOver(provider, vouched, mark, over)


def already_used() -> HandOverRefused:
    """Say that a hand-over works once."""
    return HandOverRefused("used", _("This “jti” was used already. Each hand-over needs one of its own."))


def forget_hand_overs() -> int:
    """Drop what is known of hand-overs that have expired; return how many."""
    over = UsedHandOver.expires_at < utcnow()
    if db.session.scalar(select(UsedHandOver.token_hash).where(over).limit(1)) is None:
        return 0
    with transaction(wake=False):
        return count_rows(sa.delete(UsedHandOver).where(over))


def _whose(token: str) -> Provider:
    """The product that a hand-over says it is from; nothing else of it is believed yet."""
    issuer = _part(token, 1).get("iss")
    if not isinstance(issuer, str) or not issuer:
        raise HandOverRefused("missing", _("“%(claim)s” is missing, or not of the right kind.", claim="iss"))
    provider = queries.find_by_issuer(issuer[:300]) if "\0" not in issuer else None
    if provider is None or provider.kind != queries.HANDOVER or not provider.enabled:
        raise HandOverRefused("issuer", _("No product that hands over is known as “%(issuer)s”.", issuer=issuer[:100]))
    return provider


def _signed(provider: Provider, token: str) -> dict[str, Any]:
    algorithm = _part(token, 0).get("alg")
    if algorithm != "HS256":
        raise HandOverRefused("algorithm", _("“alg” has to be HS256, and is %(alg)s.", alg=str(algorithm)[:20]))
    try:
        keys = queries.signing_keys(provider)
    except SealBroken:
        keys = {}
    for secret in keys.values():
        try:
            return dict(jwt.decode(token, OctKey.import_key(secret), algorithms=["HS256"]).claims)
        except (JoseError, ValueError):
            continue
    raise HandOverRefused(
        "signature", _("The signature is made with none of the keys of “%(name)s”.", name=provider.name)
    )


def _check(claims: dict[str, Any]) -> None:
    for claim, kind in NEEDED.items():
        value = claims.get(claim)
        if not isinstance(value, kind) or isinstance(value, bool) or not value:
            raise HandOverRefused("missing", _("“%(claim)s” is missing, or not of the right kind.", claim=claim))
    meant = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if audience() not in [str(one).rstrip("/") for one in meant]:
        raise HandOverRefused("audience", _("“aud” has to be %(audience)s.", audience=audience()))
    now, made, until = time.time(), float(claims["iat"]), float(claims["exp"])
    if made > now + LEEWAY:
        raise HandOverRefused("clock", _("“iat” lies in the future. Here it is %(now)s (UTC).", now=_clock(now)))
    if until <= now or made < now - OLDEST:
        raise HandOverRefused(
            "expired",
            _("It has expired: it was good for five minutes at most. Here it is %(now)s (UTC).", now=_clock(now)),
        )
    if not 0 < until - made <= OLDEST:
        raise HandOverRefused("lifetime", _("Between “iat” and “exp” there may be 300 seconds at most."))


def _part(token: str, number: int) -> dict[str, Any]:
    text = token.split(".")[number]
    try:
        part = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        part = None
    if not isinstance(part, dict):
        raise HandOverRefused("form", _("This is no JWT: a part of it is not JSON in base64url."))
    return part


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S")
