"""What one request does and weighs, looked at from inside: statements, bytes, bytes on the wire."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import Client, TestResponse

from portal.bench.visits import Ask, Work
from portal.db import db


@dataclass(frozen=True, slots=True)
class Inside:
    """How many statements an answer takes, and how many bytes it has plain and as browsers get it."""

    statements: int
    plain: int
    compressed: int


def look(app: Flask, work: Work) -> Inside:
    """Make requests of this kind until all that is kept is kept, then look at one."""
    first, *rest = work.asks if work.once else [work.asks[0]] * 3
    _answer(app, first, "identity")
    plain = _answer(app, rest[0], "identity") if rest else _answer(app, first, "identity")
    with statements(app) as sent:
        small = _answer(app, rest[1] if len(rest) > 1 else first)
    return Inside(len(sent), len(plain.data), len(small.data))


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """Collect the statements sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            sent.append(statement)

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def _answer(app: Flask, ask: Ask, encoding: str = "") -> TestResponse:
    headers = ask.headers | ({"Accept-Encoding": encoding} if encoding else {})
    return contextvars.Context().run(_open, app, ask, headers)


def _open(app: Flask, ask: Ask, headers: dict[str, str]) -> TestResponse:
    return Client(app, use_cookies=False).open(ask.path, method=ask.method, headers=headers)
