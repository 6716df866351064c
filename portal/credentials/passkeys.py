"""Passkeys (WebAuthn): what browsers are asked for, and what their answers are worth."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
import webauthn
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.accounts.models import User
from portal.accounts.queries import find_user
from portal.credentials import factors
from portal.credentials.models import Passkey, UsedChallenge
from portal.db import db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.options import option
from portal.text import clean_line

MOST = 20  # of one account
NAME_MAX = 60
PATIENCE = 120_000  # milliseconds that a browser waits for a finger
ANSWER_MAX = 20_000  # characters
KEEP_CHALLENGES = timedelta(hours=1)  # longer than any is good for
TRANSPORTS = {transport.value: transport for transport in AuthenticatorTransport}

UNREADABLE = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError)
"""What reading an answer raises that no browser gave."""

_DNS_NAME = re.compile(r"(?:[a-z0-9-]+\.)*[a-z0-9-]+", re.IGNORECASE)


class PasskeyRefused(Refusal):
    """What the browser answered does not count."""

    status = 422

    def __init__(self, message: str = "") -> None:
        super().__init__(message or _("This passkey did not open the account. Try again, or choose another way."))


class CounterWentBack(PasskeyRefused):
    """The passkey counts fewer uses than before: somebody may hold a copy of it."""

    def __init__(self, passkey: Passkey) -> None:
        super().__init__(
            _("This passkey seems to have been copied, so it was refused. Choose another way, then replace it.")
        )
        self.passkey_id, self.user_id = passkey.id, passkey.user_id


@dataclass(frozen=True, slots=True)
class Proof:
    """A passkey that was shown, whose it is, and whether its device made sure of its owner (PIN, finger, face)."""

    passkey: Passkey
    user: User
    verified: bool


def are_possible() -> bool:
    """Whether browsers make passkeys for the portal's address: not for a bare number, and not without TLS."""
    url = urlsplit(current_app.config["BASE_URL"])
    host = url.hostname or ""
    return not _is_number(host) and bool(_DNS_NAME.fullmatch(host)) and (url.scheme == "https" or _is_local(host))


def options_to_add(user: User, challenge: bytes) -> dict[str, Any]:
    """Return what to ask a browser for that is to make a passkey; those that the account has are left out."""
    known = [_descriptor(passkey) for passkey in factors.factors_of(user).passkeys]
    options = webauthn.generate_registration_options(
        rp_id=_party(),
        rp_name=str(option("name")),
        user_id=_handle(user),
        user_name=user.email,
        user_display_name=user.name,
        challenge=challenge,
        timeout=PATIENCE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=known,
    )
    return _plain(options)


def options_to_use(user: User | None, challenge: bytes) -> dict[str, Any]:
    """Return what to ask a browser for that is to use a passkey: one of this account, or, of nobody, any it has."""
    known = [_descriptor(passkey) for passkey in factors.factors_of(user).passkeys] if user else []
    options = webauthn.generate_authentication_options(
        rp_id=_party(),
        challenge=challenge,
        timeout=PATIENCE,
        allow_credentials=known,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return _plain(options)


def add(user: User, answer: str, challenge: bytes, name: str) -> Passkey:
    """Keep the passkey that a browser made for this challenge; raise PasskeyRefused for anything else."""
    if len(factors.factors_of(user).passkeys) >= MOST:
        raise PasskeyRefused(_("You have %(count)d passkeys. Remove one before you add another.", count=MOST))
    _spend(challenge)
    try:
        made = webauthn.verify_registration_response(
            credential=_read(answer),
            expected_challenge=challenge,
            expected_rp_id=_party(),
            expected_origin=_origin(),
        )
    except UNREADABLE as error:
        raise PasskeyRefused(_("Your browser did not make a passkey that we can use. Try again.")) from error
    fresh = insert_if_absent(
        Passkey,
        user_id=user.id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=_transports(answer),
        name=clean_line(name)[:NAME_MAX].strip() or str(_("Passkey")),
        backed_up=made.credential_backed_up,
        made_at=utcnow(),
    )
    if not fresh:
        raise PasskeyRefused(_("This passkey is known here already."))
    passkey = _find(made.credential_id)
    assert passkey is not None  # it was inserted in this transaction
    factors.tell_of_change(user, "passkey_added", passkey=passkey.id)
    return passkey


def use(answer: str, challenge: bytes, user: User | None = None) -> Proof:
    """Return whose passkey answered this challenge, and how well; raise PasskeyRefused for what counts as nothing.

    With a ``user`` only their passkeys count. Raises CounterWentBack for one that counts fewer uses than it had; the
    caller notes that, for what is done here is then undone.
    """
    _spend(challenge)
    try:
        said = _read(answer)
        passkey = _find(base64url_to_bytes(str(said["id"])))
        owner = find_user(passkey.user_id) if passkey else None
        if passkey is None or owner is None or not owner.is_active or (user and user.id != owner.id):
            raise PasskeyRefused
        handle = said["response"].get("userHandle")
        if handle and base64url_to_bytes(str(handle)) != _handle(owner):
            raise PasskeyRefused
        seen = webauthn.verify_authentication_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=_party(),
            expected_origin=_origin(),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # ours to compare, below
        )
    except UNREADABLE as error:
        raise PasskeyRefused from error
    if (seen.new_sign_count or passkey.sign_count) and seen.new_sign_count <= passkey.sign_count:
        raise CounterWentBack(passkey)
    passkey.sign_count, passkey.backed_up, passkey.used_at = seen.new_sign_count, seen.credential_backed_up, utcnow()
    return Proof(passkey, owner, seen.user_verified)


def rename(passkey: Passkey, name: str) -> None:
    """Call a passkey by another name."""
    passkey.name = clean_line(name)[:NAME_MAX].strip() or passkey.name


def remove(user: User, passkey: Passkey) -> None:
    """The passkey opens nothing from now on; raise LastFactor for the only factor of a role that demands one."""
    factors.check_may_remove(user)
    db.session.delete(passkey)
    db.session.flush()
    factors.tell_of_change(user, "passkey_removed", passkey=passkey.id)


def find_passkey(user: User, passkey_id: int) -> Passkey | None:
    """Return a passkey of this account."""
    return db.session.scalar(select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user.id))


def _party() -> str:
    """Return the name that passkeys are bound to: the portal's host, as its operator set it."""
    return urlsplit(current_app.config["BASE_URL"]).hostname or ""


def _origin() -> str:
    url = urlsplit(current_app.config["BASE_URL"])
    standard = {"http": 80, "https": 443}[url.scheme]
    port = f":{url.port}" if url.port and url.port != standard else ""
    return f"{url.scheme}://{url.hostname}{port}"


def _handle(user: User) -> bytes:
    """Return how devices know an account: the same for ever, and nothing that anybody could read."""
    return hashlib.sha256(f"portal account {user.id} at {_party()}".encode()).digest()


def _spend(challenge: bytes) -> None:
    """Take a challenge once, and never again."""
    now = utcnow()
    db.session.execute(sa.delete(UsedChallenge).where(UsedChallenge.used_at < now - KEEP_CHALLENGES))
    if not insert_if_absent(UsedChallenge, challenge_hash=hashlib.sha256(challenge).hexdigest(), used_at=now):
        raise PasskeyRefused


def _read(answer: str) -> dict[str, Any]:
    said = json.loads(answer) if len(answer) <= ANSWER_MAX else None
    if not isinstance(said, dict) or not isinstance(said.get("response"), dict):
        raise ValueError("not an answer")
    return said


def _find(credential_id: bytes) -> Passkey | None:
    return db.session.scalar(select(Passkey).where(Passkey.credential_id == credential_id))


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    ways = [TRANSPORTS[word] for word in passkey.transports.split() if word in TRANSPORTS]
    return PublicKeyCredentialDescriptor(id=passkey.credential_id, transports=ways or None)


def _transports(answer: str) -> str:
    said = _read(answer)["response"].get("transports")
    return " ".join(word for word in TRANSPORTS if isinstance(said, list) and word in said)


def _plain(options: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return plain


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")
