"""What goes over a stream: fragments as server-sent events, made once for each language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flask import Flask
from flask_babel import force_locale

from portal.live import fragments
from portal.live.changes import Change
from portal.web.session import forget_viewer

HELLO, REFETCH = "hello", "refetch"


@contextmanager
def as_for_guests(app: Flask) -> Iterator[None]:
    """Make fragments as a visitor would get them, outside any request."""
    with app.test_request_context("/live", base_url=app.config["BASE_URL"]):
        forget_viewer()
        yield


def of_change(change: Change, locale: str) -> str:
    """Return the fragments that show a change, as whoever may see it gets them."""
    with force_locale(locale):
        return fragments.render(change, locale)


def badge(unread: int, newest: Sequence[int], locale: str) -> str:
    """Return the fragments that say how many news somebody has not read."""
    with force_locale(locale):
        return fragments.badge(unread, newest, locale)


def event(data: str, number: int | None = None, kind: str = "") -> bytes:
    """Return one server-sent event."""
    lines = [f"id: {number}"] if number is not None else []
    lines += [f"event: {kind}"] if kind else []
    lines += [f"data: {line}" for line in data.splitlines() or [""]]
    return ("\n".join(lines) + "\n\n").encode()
