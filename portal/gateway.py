"""Between the server and the app: a request is read to its end before a thread takes it up.

Threads are few. Somebody who sends a form one byte a minute waits in the event loop, where thousands fit, and not in
one of them. So do answers on their way to slow readers, and open pages that wait to hear what changed: a thread decides
whether they may, and the hub of ``portal.live`` keeps the stream.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask
from granian import rsgi

from portal.live.hub import PLACE, WISH, Hub

READ_WITHIN = 30  # seconds for the body of a request

GONE: tuple[type[Exception], ...] = (rsgi.ProtocolClosed, rsgi.ProtocolError)  # type: ignore[attr-defined]

Headers = list[tuple[str, str]]


class Gateway:
    """The app as granian calls it (RSGI), with ``threads`` to run it, and a hub for open streams."""

    def __init__(
        self, app: Flask, threads: int, on_stop: Callable[[], None] = lambda: None, hub: Hub | None = None
    ) -> None:
        self._app, self._on_stop, self._hub = app, on_stop, hub
        self._most: int = max(app.config["MAX_CONTENT_LENGTH"], app.config["LARGEST_UPLOAD"])
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="portal")

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Belong to the loop of this process."""
        if self._hub is not None:
            self._hub.start(loop)

    async def __rsgi__(self, scope: rsgi.Scope, protocol: Any) -> None:
        """Answer one request."""
        try:
            async with asyncio.timeout(READ_WITHIN):
                environ = await self._read(scope, protocol)
        except TimeoutError:
            protocol.response_str(
                408, [("content-type", "text/plain"), ("connection", "close")], "The request did not arrive in time."
            )
            return
        except GONE:
            return  # whoever asked is gone
        if self._hub is not None and scope.method == "GET":
            environ[PLACE] = self._hub
        status, headers, body = await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, environ)
        if self._hub is not None and WISH in environ and status == 200:
            self._keep_open(self._hub, scope, protocol, headers, environ[WISH])
        elif scope.method == "HEAD" or status in {204, 304}:
            protocol.response_empty(status, headers)
        else:
            protocol.response_bytes(status, headers, body)

    def __rsgi_del__(self, _loop: Any) -> None:
        """Finish what the threads have in hand, then stop what runs beside."""
        if self._hub is not None:
            self._hub.stop()
        self._threads.shutdown()
        self._on_stop()

    @staticmethod
    def _keep_open(hub: Hub, scope: rsgi.Scope, protocol: Any, headers: Headers, wish: Any) -> None:
        """Hand a stream over to the hub; where it would be one too many, say that there is none."""
        if hub.is_full_for(wish):
            protocol.response_empty(204, [("cache-control", "no-store")])
            return
        headers = [(name, value) for name, value in headers if name != "content-length"]
        hub.open(wish, protocol.response_stream(200, headers), scope.client)

    async def _read(self, scope: rsgi.Scope, protocol: Any) -> dict[str, Any]:
        """Read the request; of a body larger than the app takes only that it is too large."""
        length = scope.headers.get("content-length") or ""
        body = bytearray()
        too_large = length.isdigit() and int(length) > self._most
        if not too_large:
            async for part in protocol:
                body += part
                if len(body) > self._most:
                    too_large = True
                    break
        size = max(int(length or 0), self._most + 1) if too_large else len(body)
        return _environ(scope, b"" if too_large else bytes(body), size)

    def _answer(self, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
        begun: list[tuple[int, Headers]] = []

        def start(status: str, headers: Headers, _failure: Any = None) -> Callable[[bytes], object]:
            begun[:] = [(int(status.partition(" ")[0]), [(name.lower(), value) for name, value in headers])]
            return lambda _data: None

        answer = self._app.wsgi_app(environ, start)
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return (*begun[0], body)


def _environ(scope: rsgi.Scope, body: bytes, size: int) -> dict[str, Any]:
    """Say the request as WSGI (PEP 3333) says it."""
    host, _colon, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        _add_header(environ, name, value)
    if size:
        environ["CONTENT_LENGTH"] = str(size)
    return environ


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    if "_" in name or name in {"content-length", "transfer-encoding"}:
        return  # x_forwarded_for must not pass for x-forwarded-for; the length is what was read
    key = "CONTENT_TYPE" if name == "content-type" else "HTTP_" + name.upper().replace("-", "_")
    between = "; " if name == "cookie" else ","
    environ[key] = f"{environ[key]}{between}{value}" if key in environ and name != "host" else value
