"""OpenID providers on ports of this machine: a real one, and a small one that signs whatever a test tells it to."""

import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tests.support.mail import free_port

KINDS: dict[str, Callable[[str], Any]] = {
    "RS256": lambda kid: RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}),
    "PS256": lambda kid: RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}),
    "ES256": lambda kid: ECKey.generate_key("P-256", {"kid": kid, "use": "sig"}),
    "EdDSA": lambda kid: OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig"}),
}


class _Any(jws.JWSRegistry):
    """Signs by any algorithm, without a warning."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


class RealProvider:
    """Canaille, a real OpenID provider, in a process of its own, with one person for each name."""

    def __init__(self, *names: str) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        program = Path(__file__).with_name("identity_server.py")
        self._process = subprocess.Popen(
            [sys.executable, str(program), str(self.port), *names],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()

    def register(self, redirect_uri: str) -> tuple[str, str]:
        """Register a client as an admin of the provider would; return its id and secret."""
        about = {
            "client_name": "Portal",
            "redirect_uris": [redirect_uri],
            "scope": "openid email profile",
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
        }
        asked = Request(
            f"{self.issuer}/oauth/register", json.dumps(about).encode(), {"Content-Type": "application/json"}
        )
        with urlopen(asked, timeout=30) as answer:
            made = json.load(answer)
        return made["client_id"], made["client_secret"]

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()

    def _wait(self) -> None:
        until = time.monotonic() + 90
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urlopen(f"{self.issuer}/.well-known/openid-configuration", timeout=30):
                    return
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise RuntimeError("the identity server did not start")


class SmallProvider:
    """A provider that tells what we tell it: right unless a test makes one thing wrong."""

    def __init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._answer(self, b"")

            def do_POST(self) -> None:
                provider._answer(self, self.rfile.read(int(self.headers["Content-Length"] or 0)))

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.asked: list[tuple[str, dict[str, str], str]] = []  # path, form, Authorization
        self.key = KINDS["RS256"]("first")
        self.begin_anew()

    def begin_anew(self) -> None:
        """Be right in everything again."""
        self.asked.clear()
        self.algorithm, self.published, self.header = "RS256", [self.key], {}
        self.person: dict[str, Any] = {"sub": "ada-1", "email": "ada@example.org", "email_verified": True}
        self.person["name"] = "Ada Example"
        self.claims: dict[str, Any] = {}  # what the ID token says otherwise; None leaves a claim out
        self.userinfo: dict[str, Any] | None = None
        self.metadata: dict[str, Any] = {}
        self.answers: dict[str, tuple[int, str]] = {}  # by path: what is answered instead
        self.id_token = ""  # instead of one that is made
        self.asked_for: dict[str, str] = {}
        self.check_verifier = True

    def use(self, algorithm: str, kid: str = "other") -> None:
        """Sign with another key from now on, and publish it."""
        self.algorithm, self.key_now = algorithm, KINDS[algorithm](kid)
        self.published = [self.key_now]

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def sign(self, claims: dict[str, Any], header: dict[str, Any] | None = None, key: Any = None) -> str:
        """Make a token."""
        key = key or (self.published[-1] if self.published else self.key)
        head = {"alg": self.algorithm, "kid": key.kid} | (self.header if header is None else header)
        payload = json.dumps(claims)
        return jws.serialize_compact(head, payload, key, registry=_Any(algorithms=[head["alg"]]))

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        path = urlsplit(request.path).path
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.asked.append((path, form, request.headers.get("Authorization", "")))
        status, text = self.answers.get(path) or self._right_answer(path, form)
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text.encode())))
        request.end_headers()
        request.wfile.write(text.encode())

    def _right_answer(self, path: str, form: dict[str, str]) -> tuple[int, str]:
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps(self._discovery())
        if path == "/keys":
            return 200, json.dumps({"keys": [key.as_dict(private=False) for key in self.published]})
        if path == "/token":
            return self._token(form)
        if path == "/userinfo" and self.userinfo is not None:
            return 200, json.dumps(self.userinfo)
        return 404, "{}"

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        } | self.metadata

    def _token(self, form: dict[str, str]) -> tuple[int, str]:
        challenge = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if self.check_verifier and self.asked_for.get("code_challenge") != challenge.decode():
            return 400, json.dumps({"error": "invalid_grant"})
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.asked_for.get("client_id"),
            "nonce": self.asked_for.get("nonce"),
            "iat": now,
            "exp": now + 300,
            "auth_time": now if "max_age" in self.asked_for else None,
            **self.person,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.id_token or self.sign(claims)
        return 200, json.dumps({"access_token": "a-token", "token_type": "Bearer", "id_token": token})


def unsigned(claims: dict[str, Any]) -> str:
    """A token with the algorithm ``none``."""
    parts = [json.dumps({"alg": "none"}), json.dumps(claims)]
    return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts) + "."


def signed_by_secret(claims: dict[str, Any], secret: str) -> str:
    """A token signed by HS256, as whoever knows the client's secret could."""
    return jws.serialize_compact({"alg": "HS256"}, json.dumps(claims), OctKey.import_key(secret), algorithms=["HS256"])
