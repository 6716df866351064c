"""A device that holds passkeys, without a browser: it answers the portal's questions as WebAuthn says."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def words(data: bytes) -> str:
    """Bytes as WebAuthn writes them."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read(text: str) -> bytes:
    """The bytes that are written so."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Device:
    """A security key or phone; ``verifies``: it asks its owner for a PIN, ``counts``: it counts how often."""

    origin: str = "http://localhost:8000"
    verifies: bool = True
    counts: bool = True
    count: int = 0
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes = b""
    party: str = ""

    def make(self, options: dict[str, Any], **changed: Any) -> str:
        """Make a passkey and return what the browser sends; ``changed`` parts make the answer a wrong one."""
        self.party, self.handle = options["rp"]["id"], read(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + public
        data = self._data(ATTESTED, changed) + attested
        said = {
            "clientDataJSON": words(self._client("webauthn.create", options, changed)),
            "attestationObject": words(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": ["usb"],
        }
        return self._answer(said)

    def use(self, options: dict[str, Any], **changed: Any) -> str:
        """Sign the challenge and return what the browser sends."""
        data = self._data(0, changed)
        client = self._client("webauthn.get", options, changed)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        said = {
            "clientDataJSON": words(client),
            "authenticatorData": words(data),
            "signature": words(changed.get("signature", signature)),
            "userHandle": words(changed.get("handle", self.handle)),
        }
        return self._answer(said)

    def _data(self, flags: int, changed: dict[str, Any]) -> bytes:
        self.count += 1 if self.counts else 0
        flags |= changed.get("flags", PRESENT | (VERIFIED if self.verifies else 0))
        party = hashlib.sha256(changed.get("party", self.party).encode()).digest()
        return party + bytes([flags]) + changed.get("count", self.count).to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any], changed: dict[str, Any]) -> bytes:
        client = {
            "type": changed.get("kind", kind),
            "challenge": changed.get("challenge", options["challenge"]),
            "origin": changed.get("origin", self.origin),
            "crossOrigin": False,
        }
        return json.dumps(client).encode()

    def _answer(self, said: dict[str, Any]) -> str:
        name = words(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": said})
