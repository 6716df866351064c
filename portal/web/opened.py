"""Noting which searches led somewhere: links in results end in ``?s=…``, which is taken off before anybody looks.

It stands in front of the kept pages, so that a page that is kept for visitors stays one page, however one came to it.
The log checks later, and in the background, whether there was such a search.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from portal.demand.log import SearchLog
from portal.web.machines import is_machine

PATHS = re.compile(r"/ideas/\d+(?:/vote)?")
MARK = "s="


def init_app(app: Flask) -> None:
    """Stand in front of the app and of the pages kept by ``portal.web.guests``."""
    app.wsgi_app = Opened(app)  # type: ignore[method-assign]  # as Flask documents it


class Opened:
    """Takes the mark of a search off the address, and hands it to the log."""

    def __init__(self, app: Flask) -> None:
        self._flask, self._app = app, app.wsgi_app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer as if the mark were not there. A vote in the results says it in a header."""
        query = environ.get("QUERY_STRING", "")
        if (MARK in query or "HTTP_X_SEARCH" in environ) and PATHS.fullmatch(environ.get("PATH_INFO", "")):
            parts = query.split("&")
            marks = [part.removeprefix(MARK) for part in parts if part.startswith(MARK)]
            environ["QUERY_STRING"] = "&".join(part for part in parts if not part.startswith(MARK))
            marks.append(environ.get("HTTP_X_SEARCH", ""))
            if any(marks) and not is_machine(environ):
                log: SearchLog = self._flask.extensions["search log"]
                log.follow(next(filter(None, marks)))
        return self._app(environ, start_response)
