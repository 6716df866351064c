"""Lists in a letter: under headings, no longer than mail programs show, and what is left out is counted."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import ngettext

from portal.notifications.mails.letter import Entry, Section

EACH = 20  # under one heading
IN_ALL = 25  # where Gmail cuts a mail off, the link that stops it would be gone too


def shares(numbers: Sequence[int], each: int = EACH, in_all: int = IN_ALL) -> list[int]:
    """Return how many are named of so many under each heading: as many under one as under another, while there are."""
    shown = [0] * len(numbers)
    for _turn in range(each):
        for place, number in enumerate(numbers):
            if shown[place] < min(number, each) and sum(shown) < in_all:
                shown[place] += 1
    return shown


def section(heading: str, entries: list[Entry], number: int) -> Section:
    """Return a section that names some of so many, and says how many more there are."""
    more = number - len(entries)
    return Section(heading, entries, ngettext("and %(num)d more", "and %(num)d more", more) if more > 0 else "")
