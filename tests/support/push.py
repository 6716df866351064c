"""A push service on a port of this machine, which is browser too: it opens what it is sent with keys of its own."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from py_vapid.utils import b64urlencode

from tests.support.certificates import make_certificate, serving

NAME = "push.example"
SECRET = b"sixteen bytes ok"


def decrypt(body: bytes, own: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """Open one record of RFC 8188 as RFC 8291 says, step by step, with none of the code that sealed it."""
    salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
    theirs, sealed = body[21 : 21 + length], body[21 + length :]
    assert len(sealed) <= size
    mine = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
    material = _derive(shared, secret, b"WebPush: info\0" + mine + theirs, 32)
    key = _derive(material, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(material, salt, b"Content-Encoding: nonce\0", 12)
    plain, delimiter, padding = AESGCM(key).decrypt(nonce, sealed, None).rpartition(b"\2")
    assert delimiter and not padding.strip(b"\0")
    return plain


def _derive(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


@dataclass
class Delivery:
    """One request as it came in, and the message that was inside."""

    path: str
    headers: dict[str, str]
    message: dict[str, Any]
    is_signed: bool
    body: bytes


class PushService:
    """Listens by https as ``push.example``; ``answers`` says how each path is answered, 201 unless said."""

    def __init__(self, folder: Path) -> None:
        self.certificate = make_certificate(folder, NAME)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.got: list[Delivery] = []
        self.answers: dict[str, tuple[int, dict[str, str]]] = {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.got.append(service.read(self.path, dict(self.headers), body))
                status, headers = service.answers.get(self.path, (201, {}))
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = serving(self.certificate).wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def browser(self, path: str = "/one") -> dict[str, str]:
        """What a browser hands to the page that asks to tell it."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        endpoint = f"https://{NAME}:{self.server.server_port}{path}"
        return {"endpoint": endpoint, "public_key": b64urlencode(point), "auth_secret": b64urlencode(SECRET)}

    def read(self, path: str, headers: dict[str, str], body: bytes) -> Delivery:
        """Open a message as a browser does."""
        plain = json.loads(decrypt(body, self.key, SECRET))
        return Delivery(path, headers, plain, Vapid02.verify(headers["Authorization"]), body)

    @property
    def bodies(self) -> list[str]:
        """The line of each message, in the order in which they came."""
        return [delivery.message["body"] for delivery in self.got]

    def stop(self) -> None:
        """Listen no more."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
