"""Time zones: which there are, by name and place, and in whose a moment is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta

import pytz
from flask_babel import refresh

from portal.db import utcnow

REGIONS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia"),
    *("Atlantic", "Australia", "Europe", "Indian", "Pacific"),
)
ZONES = tuple(name for name in pytz.common_timezones if name == "UTC" or name.partition("/")[0] in REGIONS)
KNOWN = frozenset(ZONES)
"""The names people may choose, as the IANA database has them."""

_reader: ContextVar[str | None] = ContextVar("reader's time zone", default=None)


def usable(name: str | None) -> str | None:
    """Return the name if it is one of a zone we know."""
    return name if name in KNOWN else None


def by_region(now: datetime | None = None) -> dict[str, list[tuple[str, str]]]:
    """Return the zones for a list to choose from: by region, the place first, so that typing finds it."""
    now = now or utcnow()
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name in ZONES:
        region, _slash, place = name.partition("/")
        if not place:
            region, place = "", name
        shown = ", ".join(reversed(place.replace("_", " ").split("/")))
        found[region].append((name, f"{shown} ({offset(name, now)})"))
    return {region: sorted(places, key=lambda place: place[1]) for region, places in found.items()}


def offset(name: str, now: datetime) -> str:
    """Return how far the zone is from UTC at a moment: ``UTC+2``, ``UTC−3:30``."""
    seconds = int((now.astimezone(pytz.timezone(name)).utcoffset() or timedelta()).total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    if not seconds:
        return "UTC"
    return f"UTC{'+' if seconds > 0 else '−'}{hours}{f':{minutes:02}' if minutes else ''}"


@contextmanager
def told_in(zone: str | None) -> Iterator[None]:
    """Tell moments in a reader's zone inside, whoever asks; without one in the portal's."""
    before = _reader.set(usable(zone) or "")
    refresh()
    try:
        yield
    finally:
        _reader.reset(before)
        refresh()


def reader() -> str | None:
    """Return the zone of whom something is written for; None outside, empty for somebody without one."""
    return _reader.get()
