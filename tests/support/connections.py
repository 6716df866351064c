"""Connections to databases: none outlives its test, for a later one would pay when it is swept up."""

import os
import sqlite3
from contextlib import suppress
from typing import Any

import psycopg

_opened: list[tuple[str, Any]] = []


def watch_connections() -> None:
    """From now on hold every connection that is opened, so that none can be dropped unseen."""
    begin, connect = psycopg.Connection.__init__, sqlite3.connect

    def begin_watched(self: Any, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        _hold(self)

    def connect_watched(*arguments: Any, **options: Any) -> Any:
        return _hold(connect(*arguments, **options))

    psycopg.Connection.__init__ = begin_watched  # type: ignore[method-assign]
    sqlite3.connect = sqlite3.dbapi2.connect = connect_watched  # type: ignore[attr-defined]


def outlives_tests(connection: Any) -> Any:
    """Except a connection that a peer of the whole run keeps."""
    _opened[:] = [(test, held) for test, held in _opened if held is not connection]
    return connection


def close_what_was_left_open() -> list[str]:
    """Close what is open still, and say during which test each was opened."""
    left = [(test, connection) for test, connection in _opened if _is_open(connection)]
    _opened.clear()
    for _test, connection in left:
        with suppress(sqlite3.ProgrammingError):  # another thread's
            connection.close()
    return [f"{type(connection).__module__}: {test}" for test, connection in left]


def _hold(connection: Any) -> Any:
    _opened.append((os.environ.get("PYTEST_CURRENT_TEST", "before the tests"), connection))
    return connection


def _is_open(connection: Any) -> bool:
    if isinstance(connection, psycopg.Connection):
        return not connection.closed
    try:
        connection.total_changes  # noqa: B018 - asking is the question
    except sqlite3.ProgrammingError:
        return False
    return True
