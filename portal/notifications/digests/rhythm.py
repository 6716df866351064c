"""When a digest is due: an hour by its reader's own clock, each day or on one day of the week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytz

from portal.notifications.hours import moment_at

LOOK_AHEAD = 16  # days; a zone may leave out one of them


@dataclass(frozen=True, slots=True)
class Beat:
    """What somebody chose, where they are."""

    zone: str
    hour: int
    weekday: int | None  # 0 is Monday; None: each day

    @property
    def apart(self) -> timedelta:
        """How long after one digest the next may come, whatever was chosen, or where somebody went, since."""
        return timedelta(hours=12) if self.weekday is None else timedelta(days=4)

    def after(self, moment: datetime) -> datetime:
        """Return the first moment later than this one that the clock and the calendar there allow."""
        first = moment.astimezone(pytz.timezone(self.zone)).date() - timedelta(days=1)
        days = (first + timedelta(days=n) for n in range(LOOK_AHEAD))
        return next(due for day in days if self._has(day) and (due := moment_at(day, self.hour, self.zone)) > moment)

    def is_on(self, moment: datetime) -> bool:
        """Whether this is such a moment: it was one when it was noted, and choice or place may have changed since."""
        return self.after(moment - timedelta(seconds=1)) == moment

    def _has(self, day: date) -> bool:
        return self.weekday is None or day.weekday() == self.weekday
