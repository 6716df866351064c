"""Reading when something is expected from the words people wrote: the last day of what they name, where it is plain."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from functools import cache

from babel import Locale

LOCALES = ("en", "de")
BEFORE = frozenset({"by", "until", "in", "on", "end", "of", "expected", "bis", "zum", "ende", "im", "am", "erwartet"})
"""Words that may stand before a date and leave it what it is; any other word makes it too vague for a calendar."""
FAR = 5  # years ahead, beyond which a number is something else

_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
_QUARTER = re.compile(r"q([1-4])(?: (\d{4}))?|(\d{4}) q([1-4])")
_NAMED = re.compile(r"(?:(\d{1,2}) )?([^\W\d]+)(?: (\d{1,2}))?(?: (\d{4}))?")
_YEAR = re.compile(r"\d{4}")


def day_of(words: str, since: date) -> date | None:
    """Return the last day that ``words`` name, such as “June”, “Q3 2026” or “3 May”; None for all that is vaguer.

    What names no year means the first one in which that day is not over at ``since``.
    """
    parts = re.split(r"[\s,./]+", words.casefold().strip(" .,!?~"))
    while parts and parts[0] in BEFORE:
        parts = parts[1:]
    found = next(_read(" ".join(parts), since), None)
    return found if found is not None and since.year - FAR <= found.year <= since.year + FAR else None


def _read(words: str, since: date) -> Iterator[date]:
    if found := _DAY.fullmatch(words):
        yield from _on(int(found[1]), int(found[2]), int(found[3]))
    elif found := _MONTH.fullmatch(words):
        yield from _on(int(found[1]), int(found[2]))
    elif found := _QUARTER.fullmatch(words):
        number, year = int(found[1] or found[4]), found[2] or found[3]
        yield from _in(year, 3 * number, None, since)
    elif _YEAR.fullmatch(words):
        yield from _on(int(words), 12)
    elif (found := _NAMED.fullmatch(words)) and (month := _months().get(found[2])):
        day = found[1] or found[3]
        if not (found[1] and found[3]):
            yield from _in(found[4], month, int(day) if day else None, since)


def _in(year: str | None, month: int, day: int | None, since: date) -> Iterator[date]:
    """Yield that day of the year, or of the first year in which it is not over."""
    for each in [int(year)] if year else range(since.year, since.year + FAR):
        yield from (found for found in _on(each, month, day) if year or found >= since)


def _on(year: int, month: int, day: int | None = None) -> Iterator[date]:
    if 1 <= month <= 12 and 1 <= year <= 9000:
        last = monthrange(year, month)[1]
        if day is None or 1 <= day <= last:
            yield date(year, month, day or last)


@cache
def _months() -> dict[str, int]:
    """Return the names of the months, whole and short, in the languages of the portal."""
    names: dict[str, int] = {}
    for locale in map(Locale.parse, LOCALES):
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in locale.months[context][width].items():
                    names[name.casefold().strip(".")] = number
    return names
