"""Quarters of a year, as addresses and people name them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from flask_babel import format_date
from flask_babel import gettext as _

_NAME = re.compile(r"(2\d{3})-q([1-4])", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """Three months, beginning and ending at midnight UTC."""

    year: int
    number: int  # 1 to 4

    @classmethod
    def of(cls, day: date) -> Quarter:
        """Return the quarter that a day is in."""
        return cls(day.year, (day.month - 1) // 3 + 1)

    @classmethod
    def read(cls, name: str) -> Quarter | None:
        """Return the quarter that an address names, such as ``2026-q4``; None for other text."""
        found = _NAME.fullmatch(name)
        return cls(int(found[1]), int(found[2])) if found else None

    @property
    def name(self) -> str:
        """The quarter as addresses name it."""
        return f"{self.year}-q{self.number}"

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, 3 * self.number - 2, 1, tzinfo=UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return self.next.begins

    @property
    def next(self) -> Quarter:
        """The quarter after this one."""
        return Quarter(self.year + 1, 1) if self.number == 4 else Quarter(self.year, self.number + 1)

    @property
    def before(self) -> Quarter:
        """The quarter before this one."""
        return Quarter(self.year - 1, 4) if self.number == 1 else Quarter(self.year, self.number - 1)

    @property
    def label(self) -> str:
        """The quarter as people read it: its months and its year."""
        first, last = self.begins.date(), date(self.year, 3 * self.number, 1)
        return _(
            "%(first)s to %(last)s %(year)s",
            first=format_date(first, "LLLL"),
            last=format_date(last, "LLLL"),
            year=self.year,
        )
