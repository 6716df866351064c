"""Proving again who one is before a dangerous act: the last proof may be fifteen minutes old."""

from __future__ import annotations

from datetime import timedelta

from portal.db import utcnow
from portal.web.session import SignInRequired, viewer

PROVEN_FOR = timedelta(minutes=15)


class ProofRequired(Exception):
    """Somebody is about to do what takes a fresh proof of who they are."""


def prove_again() -> None:
    """Go on only if whoever asks proved in the last fifteen minutes who they are; others are led to do so, and back.

    Call it where the form of a dangerous act is shown as well as where it is sent: so nobody fills in a form in vain,
    and what is in it need not be kept meanwhile.
    """
    if not viewer().is_signed_in:
        raise SignInRequired
    if not has_proved():
        raise ProofRequired


def has_proved() -> bool:
    """Whether whoever asks proved in the last fifteen minutes who they are."""
    row = viewer().signed_in
    return row is not None and row.proved_at is not None and row.proved_at + PROVEN_FOR > utcnow()
