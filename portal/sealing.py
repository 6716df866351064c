"""Secrets that must be read again, kept so that the database alone does not give them away."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app


class SealBroken(Exception):
    """What was kept cannot be read: it was sealed under another secret key."""


def seal(secret: str) -> str:
    """Return the secret in a form that only this portal's secret key opens (Fernet: AES-128-CBC with HMAC-SHA-256)."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the secret; raise SealBroken for what this portal's key did not seal."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealBroken from None


def _box() -> Fernet:
    key = hashlib.sha256(b"portal sealing\0" + str(current_app.secret_key).encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
