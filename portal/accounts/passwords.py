"""Passwords: which are good enough, and how they are kept (Argon2id; NIST SP 800-63B: length, no composition rules)."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from flask_babel import gettext as _

from portal.accounts.models import name_key
from portal.errors import Refusal
from portal.options import option

SHORTEST, LONGEST = 15, 256
_one_per_core = threading.BoundedSemaphore(os.cpu_count() or 1)


class PasswordRefused(Refusal):
    """The password is too short, too long or too easy to guess."""

    status = 422


def hash_password(password: str) -> str:
    """Return the hash to keep: Argon2id, 19 MiB, 2 passes; one at a time per core."""
    with _one_per_core:
        return _hasher().hash(password)


def is_right(password: str, kept: str | None) -> bool:
    """Whether this is the password; takes as long when there is no account to check."""
    with _one_per_core:
        try:
            return _hasher().verify(kept or _somebody_elses_hash(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_dated(kept: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher().check_needs_rehash(kept)


def check_strength(password: str, *, name: str, email: str) -> None:
    """Raise PasswordRefused with the reason for a password that others would guess."""
    if len(password) < SHORTEST:
        raise PasswordRefused(
            _(
                "A password needs at least %(count)d characters. A few words that mean something only to you will do.",
                count=SHORTEST,
            )
        )
    if len(password) > LONGEST:
        raise PasswordRefused(_("Use at most %(count)d characters.", count=LONGEST))
    folded = name_key(password).replace(" ", "")
    own = [name_key(name), email.split("@")[0].casefold(), option("name").casefold()]
    if any(word and folded.replace(word.replace(" ", ""), "").strip("0123456789!.-_") == "" for word in own):
        raise PasswordRefused(_("This is made of your name, your address or the portal's name. Choose something else."))
    if len(set(folded)) < 5 or folded in _common() or folded.rstrip("0123456789!.?") in _common():
        raise PasswordRefused(_("This password is on the lists that attackers try first. Choose something else."))


@lru_cache
def _common() -> frozenset[str]:
    words = (Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split()
    return frozenset(words)


def _hasher() -> PasswordHasher:
    cheap = current_app.config.get("PASSWORD_COST") == "test"
    return _test_hasher if cheap else _real_hasher


@lru_cache
def _somebody_elses_hash() -> str:
    return _hasher().hash("nobody has this password")


_real_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_test_hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
