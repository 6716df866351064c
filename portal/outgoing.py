"""Asking other servers: the one way out, guarded so that nobody can point the portal at what only it can reach."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import certifi
import requests
import urllib3
from flask import current_app
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

CONNECT_WITHIN, ANSWER_WITHIN = 5.0, 10.0  # seconds: to connect, and in all
LONGEST = 64 * 1024  # bytes of an answer that are read

Address = IPv4Address | IPv6Address


class OutgoingFailed(requests.RequestException):
    """The request was not made, or there was no answer we take; ``why`` is a word of the lists below."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}" if detail else why)
        self.why = why


NOT_ALLOWED = frozenset({"scheme", "address", "credentials"})
"""The request would have gone where the portal sends none."""
NO_ANSWER = frozenset({"unknown host", "unreachable", "certificate", "too slow"})
"""There was nobody to answer, or not in time."""
BAD_ANSWER = frozenset({"redirect", "too long", "encoding", "broken"})
"""There was an answer, but not one that the portal reads."""


def guard(session: requests.Session) -> requests.Session:
    """Let every request of a session go through the guard, and nothing of this machine's environment into it."""
    session.trust_env = False
    session.adapters.clear()
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Guard())
    session.headers["Accept-Encoding"] = "identity"
    session.headers["User-Agent"] = "idea-portal"
    return session


def get(url: str, headers: Mapping[str, str] | None = None) -> requests.Response:
    """Ask for a page of another server; raises OutgoingFailed."""
    return guard(requests.Session()).get(url, headers=headers)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
    """Hand something to another server; raises OutgoingFailed."""
    try:
        return guard(requests.Session()).post(url, data=body, headers=headers)
    except OutgoingFailed:
        raise
    except requests.RequestException as problem:  # what was asked for is no address
        raise OutgoingFailed("address", type(problem).__name__) from problem


class _Guard(BaseAdapter):
    """Sends one request: to a checked address, for ten seconds, reading 64 KiB, following nothing."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send it; whatever the caller says about time, trust and proxies is not asked."""
        deadline = time.monotonic() + ANSWER_WITHIN
        parts = urlsplit(request.url or "")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise OutgoingFailed("scheme", parts.scheme)
        if parts.username or parts.password:
            raise OutgoingFailed("credentials")
        host = parts.hostname
        addresses = _checked_addresses(host, parts.port or (443 if parts.scheme == "https" else 80), parts.scheme)
        watch = _Watch(deadline)
        try:
            with _pool(parts.scheme, host, parts.port, addresses, watch) as pool:
                raw = pool.urlopen(
                    request.method or "GET",
                    request.path_url,
                    body=request.body,  # type: ignore[arg-type] # a form, in bytes or text
                    headers={name: str(value) for name, value in request.headers.items()},
                    redirect=False,
                    retries=False,
                    assert_same_host=False,
                    preload_content=False,
                    decode_content=False,
                    timeout=urllib3.Timeout(connect=CONNECT_WITHIN, read=CONNECT_WITHIN),
                )
                try:
                    return self._answer(request, raw, watch)
                finally:
                    raw.close()
        except (HTTPError, OSError, ValueError) as error:
            if isinstance(error, OutgoingFailed):
                raise
            raise OutgoingFailed("too slow" if watch.over else _reason(error), type(error).__name__) from error
        finally:
            watch.end()

    def close(self) -> None:
        """Nothing is kept open."""

    def _answer(
        self, request: requests.PreparedRequest, raw: urllib3.BaseHTTPResponse, watch: _Watch
    ) -> requests.Response:
        if 300 <= raw.status < 400:
            raise OutgoingFailed("redirect", str(raw.status))
        if raw.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise OutgoingFailed("encoding")
        body = bytearray()
        while part := raw.read1(16 * 1024):
            body += part
            if len(body) > LONGEST:
                raise OutgoingFailed("too long")
        if watch.over:
            raise OutgoingFailed("too slow")
        answer = HTTPAdapter().build_response(request, raw)
        answer._content = bytes(body)
        answer._content_consumed = True
        return answer


class _Watch:
    """Cuts a connection when its time is over, however slowly and steadily the other side sends."""

    def __init__(self, deadline: float) -> None:
        self.over = False
        self._twin: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._cut)
        self._timer.daemon = True
        self._timer.start()

    def hold(self, connection: socket.socket) -> None:
        """Watch this connection, also after it was wrapped for TLS."""
        with self._lock:
            self._twin = socket.socket(fileno=os.dup(connection.fileno()))

    def end(self) -> None:
        """Stop watching."""
        self._timer.cancel()
        with self._lock:
            if self._twin is not None:
                self._twin.close()
                self._twin = None

    def _cut(self) -> None:
        with self._lock:
            self.over = True
            if self._twin is not None:
                with suppress(OSError):  # it may end by itself this moment
                    self._twin.shutdown(socket.SHUT_RDWR)


def _pool(scheme: str, host: str, port: int | None, addresses: list[str], watch: _Watch) -> HTTPConnectionPool:
    """Return a pool of one connection to one of ``addresses``, while certificate and request speak of ``host``."""

    def connect(self: HTTPConnection) -> socket.socket:
        made = _connect(addresses, self.port or 0)
        watch.hold(made)
        return made

    if scheme == "https":
        pool: HTTPConnectionPool = HTTPSConnectionPool(host, port, maxsize=1, ssl_context=_trust())
        pool.ConnectionCls = type("_There", (HTTPSConnection,), {"_new_conn": connect})
    else:
        pool = HTTPConnectionPool(host, port, maxsize=1)
        pool.ConnectionCls = type("_There", (HTTPConnection,), {"_new_conn": connect})
    return pool


def _connect(addresses: list[str], port: int) -> socket.socket:
    """Connect to the first address that answers, within five seconds for all."""
    until = time.monotonic() + CONNECT_WITHIN
    problem: OSError = TimeoutError()
    for address in addresses:
        try:
            made = socket.create_connection((address, port), max(0.1, until - time.monotonic()))
        except OSError as error:
            problem = error
        else:
            made.settimeout(CONNECT_WITHIN)
            return made
    raise problem


@cache
def _trust() -> ssl.SSLContext:
    """Whom we believe: the authorities of this machine (or of SSL_CERT_FILE), and those that Mozilla lists."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _checked_addresses(host: str, port: int, scheme: str) -> list[str]:
    """Return the addresses that a name has: each is public, or on the operator's list."""
    allowed = _allowed()
    found = [ip_address(address.partition("%")[0]) for address in _resolve(host, port)]
    listed = [host.lower() in allowed or any(one in net for net in allowed.values() if net) for one in found]
    if scheme != "https" and not all(listed):
        raise OutgoingFailed("scheme", "http")
    if not all(known or is_public(one) for known, one in zip(listed, found, strict=True)):
        raise OutgoingFailed("address", host)
    return [str(one) for one in found]


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, also behind every way of writing another one inside it."""
    if isinstance(address, IPv6Address):
        inside = _inside(address)
        if inside is not None:
            return is_public(inside)
        if any(address in network for network in _NOT_OPEN):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The older address that a newer one stands for: mapped, 6to4, Teredo, NAT64 or compatible."""
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64 or int(address) >> 32 == 0:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_OPEN = (IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"), IPv6Network("5f00::/16"))


def check_allowed(words: str) -> None:
    """Raise ValueError for a list of the operator's that looks like networks but is none."""
    _read_allowed(words)


def _allowed() -> dict[str, Any]:
    return _read_allowed(str(current_app.config["OUTGOING_ALLOW"]))


@cache
def _read_allowed(words: str) -> dict[str, Any]:
    return {word.lower(): _network(word) for word in words.replace(",", " ").split()}


def _network(word: str) -> Any:
    if "/" in word or ":" in word or word.replace(".", "").isdigit():
        return ip_network(word, strict=False)
    return None


def _resolve(host: str, port: int) -> Iterable[str]:
    """Look a name up, once; a resolver that hangs is not waited for."""
    found: list[str] = []
    failed: list[Exception] = []

    def look_up() -> None:
        try:
            found.extend(str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(CONNECT_WITHIN)
    if failed or not found:
        raise OutgoingFailed("unknown host" if failed else "too slow", host)
    return list(dict.fromkeys(found))


def _reason(error: BaseException) -> str:
    """Which of our words says what went wrong."""
    causes = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    if any(isinstance(cause, ssl.SSLError | urllib3.exceptions.SSLError) for cause in causes):
        return "certificate"
    if any(isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError) for cause in causes):
        return "too slow"
    if any(isinstance(cause, urllib3.exceptions.NewConnectionError | ConnectionRefusedError) for cause in causes):
        return "unreachable"
    if isinstance(error, OSError):
        return "unreachable"
    return "broken"
