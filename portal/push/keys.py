"""The keys by which push services know this portal (VAPID, RFC 8292): made once, the private one kept sealed."""

from __future__ import annotations

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from py_vapid.utils import b64urlencode

from portal.db import db, insert_if_absent
from portal.push.models import PushKey, Subscription
from portal.sealing import SealBroken, seal, unseal

ONE = 1


def make_keys() -> str:
    """Return the public key, and see to it that there is a pair that this portal can use.

    A pair sealed under another secret key is of no use any more, nor are the browsers that know it.
    """
    row = db.session.get(PushKey, ONE)
    if row is not None and _opened(row) is None:
        db.session.execute(sa.delete(Subscription))
        db.session.delete(row)
        db.session.flush()
        row = None
    if row is None:
        made = ec.generate_private_key(ec.SECP256R1())
        point = made.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        private = b64urlencode(made.private_numbers().private_value.to_bytes(32, "big"))
        insert_if_absent(PushKey, id=ONE, public=b64urlencode(point), sealed_private=seal(private))
    return db.session.get_one(PushKey, ONE).public


def public_key() -> str | None:
    """Return the public key if there is a pair that this portal can use: nothing is made."""
    row = db.session.get(PushKey, ONE)
    return row.public if row is not None and _opened(row) is not None else None


def signer() -> Vapid02 | None:
    """Return who signs what goes to push services; None where no pair can be used."""
    row = db.session.get(PushKey, ONE)
    private = _opened(row) if row is not None else None
    if private is None:
        return None
    made: Vapid02 = Vapid02.from_raw(private.encode())
    made.conf = {"no-strict": True}  # it would take only some of the addresses that mail can come from
    return made


def _opened(row: PushKey) -> str | None:
    try:
        return unseal(row.sealed_private)
    except SealBroken:
        return None
