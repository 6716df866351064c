"""Working days: when a day begins and ends somewhere, and which day a number of days leads to. Nothing here is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytz

DAY = timedelta(days=1)
WEEKEND = frozenset({5, 6})  # Monday is 0
MOST_FREE = 366  # days that can be free one after the other


@dataclass(frozen=True, slots=True)
class Calendar:
    """On which days people work in one place; promises hold until the end of a day there.

    With ``skips`` a number of days means working days; without, every day counts and only the last one must be worked.
    """

    zone: str = "UTC"
    weekend: frozenset[int] = WEEKEND
    holidays: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()  # month and day
    skips: bool = False

    def is_worked(self, day: date) -> bool:
        """Whether somebody is there on this day."""
        free = day.weekday() in self.weekend or day in self.holidays or (day.month, day.day) in self.yearly
        return not free

    def today(self, now: datetime) -> date:
        """Return which day it is there."""
        return now.astimezone(pytz.timezone(self.zone)).date()

    def due(self, since: datetime, days: int) -> datetime:
        """Return the end of the day that so many days lead to; a day on which nobody works gives way to the next."""
        day = self.today(since)
        if self.skips:
            for _step in range(days):
                day = self._worked_from(day + DAY)
            return self.end_of(day if days else self._worked_from(day))
        return self.end_of(self._worked_from(day + days * DAY))

    def start_of(self, day: date) -> datetime:
        """Return the first moment of a day there, also where the clocks are changed at midnight."""
        zone, midnight = pytz.timezone(self.zone), datetime.combine(day, time(0), UTC)
        offsets = {(midnight + shift).astimezone(zone).utcoffset() or timedelta() for shift in (-DAY, DAY)}
        second = timedelta(seconds=1)
        moments = sorted(midnight - offset for offset in offsets)
        first = (m for m in moments if self.today(m) >= day > self.today(m - second))
        return next(first, moments[0])

    def end_of(self, day: date) -> datetime:
        """Return the last second of a day there."""
        return self.start_of(day + DAY) - timedelta(seconds=1)

    def _worked_from(self, day: date) -> date:
        ahead: Iterable[date] = (day + number * DAY for number in range(MOST_FREE))
        return next((each for each in ahead if self.is_worked(each)), day)
