"""Figures that may be a little old, kept in this process so that not every page counts anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy.orm import Session

from portal.db import Pulse, db

Value = TypeVar("Value")


def kept(key: tuple[Any, ...], at_most: timedelta, make: Callable[[], Value]) -> Value:
    """Return what ``make`` returned last for this key, or make it anew when that is older than ``at_most``.

    One thread makes it anew; the others meanwhile go on with what there is, so that nothing is counted twice at a time.
    """
    figures: dict[tuple[Any, ...], tuple[float, Value]] = current_app.extensions.setdefault("kept", {})
    there = figures.get(key)
    if there and time.monotonic() - there[0] <= at_most.total_seconds():
        return there[1]
    busy: Lock = current_app.extensions.setdefault("kept busy", {}).setdefault(key, Lock())
    if not busy.acquire(blocking=there is None) and there:
        return there[1]
    try:
        there = figures.get(key)
        if not there or time.monotonic() - there[0] > at_most.total_seconds():
            there = figures[key] = (time.monotonic(), make())
        return there[1]
    finally:
        busy.release()


def kept_while_unchanged(key: tuple[Any, ...], make: Callable[[Session], Value]) -> Value:
    """Return what ``make`` returned last for this key, or make it anew when anything at all was committed since.

    ``make`` reads in a session of its own: that of the request may have begun before the last commit, and not see it.
    """
    pulse: Pulse = current_app.extensions["pulse"]
    figures: dict[tuple[Any, ...], tuple[Any, Value]] = current_app.extensions.setdefault("kept while unchanged", {})
    version = pulse.feel()
    there = figures.get(key)
    if there and version is not None and there[0] == version:
        return there[1]
    with Session(db.engine) as session:
        value = make(session)
    figures[key] = (version, value)
    return value
