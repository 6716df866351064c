"""What an address asks the search: one line as people type it, and the parameters of older addresses as parts of it."""

from __future__ import annotations

from collections.abc import Mapping

from portal.search.asking import FIELDS, LONGEST_VALUE, MOST_LETTERS, Operator, read
from portal.search.meaning import span
from portal.text import clean_line


def typed(asked: Mapping[str, str]) -> str:
    """Return the line that the address stands for; what is no search stays in it as it was typed."""
    line = clean_line((asked.get("q") or "")[: 4 * MOST_LETTERS])[:MOST_LETTERS].strip()
    more = [one for name in FIELDS if (one := _operator(name, asked.get(name)))]
    new = [one for one in more if one not in read(line).operators]
    return " ".join([line, *map(str, new)]).strip() if new else line


def _operator(name: str, value: str | None) -> Operator | None:
    value = clean_line((value or "")[: 2 * LONGEST_VALUE]).replace('"', " ").strip()[:LONGEST_VALUE].strip()
    if name == "before" and len(value) == 10 and (day := span(value)):
        value = day[1].date().isoformat()  # a form once asked for the last day
    return Operator(name, value) if value else None
