"""Pages for guests, kept for as long as nothing at all has changed: exactly as fresh as pages made anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from portal import options
from portal.db import Pulse, db, utcnow
from portal.web.limits import Requests

PATHS = re.compile(r"/(?:boards/[\w-]+|ideas/\d+)?")
MOST, LONGEST = 16 * 2**20, 200_000  # bytes of all pages, and of one, with what they were asked by
BESIDE = 2_000  # bytes that headers take
ASKED = (
    "wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "HTTP_ACCEPT_ENCODING",
    "HTTP_ACCEPT_LANGUAGE", "HTTP_COOKIE",
)  # fmt: skip
"""What of a request such a page depends on. One with a session, or from htmx, is not looked up at all."""

Kept = tuple[str, list[tuple[str, str]], bytes]


def init_app(app: Flask) -> None:
    """Stand in front of the app, behind what corrects the address for proxies."""
    with app.app_context():
        pulse = app.extensions["pulse"] = Pulse(db.engine)
    if not app.debug:
        app.wsgi_app = Pages(app, pulse)  # type: ignore[method-assign]


class Pages:
    """The pages of this moment: a commit, or the next minute, ends it."""

    def __init__(self, app: Flask, pulse: Pulse) -> None:
        self._flask, self._app, self._pulse = app, app.wsgi_app, pulse
        self._requests: Requests | None = app.extensions.get("requests") if app.config["LIMITS"] else None
        self._session = f"{app.config['SESSION_COOKIE_NAME']}="
        self._kept: tuple[Any, int, dict[tuple[Any, ...], Kept]] = (None, 0, {})
        self._bytes = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer from memory, or remember what the app answers."""
        if not self._is_for_anybody(environ):
            return self._app(environ, start_response)
        version, minute = self._pulse.feel(), int(utcnow().timestamp() // 60)  # felt before the app reads anything
        if version is None:
            return self._app(environ, start_response)
        kept = self._kept
        if kept[:2] != (version, minute):
            self._kept, self._bytes = (kept := (version, minute, {})), 0
        pages, key = kept[2], tuple(environ.get(name) for name in ASKED)
        if key not in pages or not self._is_open() or self._is_too_much(environ):
            return self._ask(environ, start_response, pages, key)
        status, headers, body = pages[key]
        start_response(status, list(headers))
        return [body]

    def _is_for_anybody(self, environ: dict[str, Any]) -> bool:
        return (
            environ["REQUEST_METHOD"] == "GET"
            and "HTTP_HX_REQUEST" not in environ
            and self._session not in environ.get("HTTP_COOKIE", "")
            and PATHS.fullmatch(environ.get("PATH_INFO", "")) is not None
        )

    def _is_open(self) -> bool:
        """Whether visitors may read at all, as far as is known without asking; when in doubt the app answers."""
        return options.known(self._flask, "reading") == "public"

    def _is_too_much(self, environ: dict[str, Any]) -> bool:
        requests = self._requests  # the app says in words that it was too much
        return requests is not None and requests.wait(environ.get("REMOTE_ADDR", ""))[0] > 0

    def _ask(
        self, environ: dict[str, Any], start_response: Callable[..., Any], pages: dict[Any, Kept], key: Any
    ) -> list[bytes]:
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def begin(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            begun.append((status, headers))
            return start_response(status, headers, exc_info)

        answer = self._app(environ, begin)
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        status, headers = begun[-1]
        names = {name.lower(): value for name, value in headers}
        shared = names.get("cache-control") == "no-cache" and "set-cookie" not in names
        size = len(body) + sum(len(asked or "") for asked in key)
        if status.startswith("200") and shared and size <= LONGEST and self._bytes < MOST:
            pages[key] = (status, headers, body)
            self._bytes += size + BESIDE
        return [body]
