"""Pages that ask whether anything changed: when nothing at all did, the answer costs next to nothing."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from portal.db import Pulse

PATH, TAG = "/live/poll", "portal.live.tag"
ASKED = ("QUERY_STRING", "HTTP_COOKIE", "HTTP_ACCEPT_LANGUAGE")
"""What of a request the answer depends on, beside the database."""


def init_app(app: Flask) -> None:
    """Stand in front of the app."""
    app.wsgi_app = Unchanged(app, app.extensions["pulse"])  # type: ignore[method-assign]


class Unchanged:
    """Answers 304 for as long as nobody committed anything: whoever asks, and what they may, is as it was."""

    def __init__(self, app: Flask, pulse: Pulse) -> None:
        self._app, self._pulse = app.wsgi_app, pulse
        self._key = os.urandom(32)  # other processes count commits otherwise: what they gave does not fit here

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer, or let the app."""
        if environ.get("PATH_INFO") != PATH or environ["REQUEST_METHOD"] != "GET":
            return self._app(environ, start_response)
        version = self._pulse.feel()  # felt before the app reads anything
        if version is None:
            return self._app(environ, start_response)
        asked = "\0".join([str(version), *(environ.get(name, "") for name in ASKED)])
        tag = hmac.new(self._key, asked.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:24]
        if environ.get("HTTP_IF_NONE_MATCH", "").strip() == f'"{tag}"':
            start_response("304 Not Modified", [("ETag", f'"{tag}"'), ("Cache-Control", "private, no-cache")])
            return []
        environ[TAG] = tag
        return self._app(environ, start_response)
