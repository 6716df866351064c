"""The portal on a port, and people in front of real browsers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from portal.accounts.models import User

with_and_without_javascript = pytest.mark.parametrize(
    "page", [True, False], ids=["with JavaScript", "without JavaScript"], indirect=True
)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an app from a thread of this process and give its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = False  # so that the end waits for what is being answered still, and for its connection
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class People:
    """Those who sit in front of real browsers, each with cookies of their own."""

    elsewhere: tuple[str, ...] = ()  # where else a journey leads on purpose

    def __init__(self, app: Flask, chromium: Any, address: str) -> None:
        self.app, self.chromium, self.address = app, chromium, address
        self.contexts: list[Any] = []
        self.objections: list[str] = []

    def open_page(
        self, user: User | None = None, javascript: bool = True, width: int = 1280, scheme: str = "light"
    ) -> Any:
        """Give a guest or ``user`` an empty page; paths such as ``/ideas`` lead to the portal."""
        context = self.chromium.new_context(
            base_url=self.address,
            java_script_enabled=javascript,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        self.contexts.append(context)
        self._watch(context)
        if user:
            context.add_cookies([self._cookie_of(user)])
        return context.new_page()

    def leave(self) -> None:
        """Close all pages; none may have failed in a script, broken its policy or asked a stranger for anything."""
        for context in self.contexts:
            context.close()
        assert not self.objections, "\n".join(self.objections)

    def _cookie_of(self, user: User) -> dict[str, Any]:
        browser = self.app.test_client()
        browser.sign_in(user)
        name = self.app.config["SESSION_COOKIE_NAME"]
        return {"name": name, "value": browser.get_cookie(name).value, "url": self.address}

    def _watch(self, context: Any) -> None:
        context.on("request", self._see_request)
        context.on("console", self._see_message)
        context.on("weberror", lambda error: self.objections.append(f"script failed: {error.error}"))

    def _see_request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:", *self.elsewhere)):
            self.objections.append(f"asked for {request.url}")

    def _see_message(self, message: Any) -> None:
        # A status such as 422 is an answer we give on purpose; Chromium files it under errors. So does the library with
        # what was still being asked for when the page was left.
        expected = ("Failed to load resource", "htmx:sendAbort", "htmx:afterRequest")
        if message.type == "error" and not message.text.startswith(expected):
            self.objections.append(f"console: {message.text}")
