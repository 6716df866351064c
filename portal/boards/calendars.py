"""The working days and the clocks of boards: as admins decided them, for one board or for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import current_app

from portal.options import decide, option
from portal.working_days import WEEKEND, Calendar
from portal.zones import usable

OPTION = "calendars"
ALL = 0  # stands for the portal where a board is meant


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which nobody works: once, or on the same day of every year."""

    month: int
    day: int
    year: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What was decided for one board, or for all; ``as_portal`` takes the working days of all boards."""

    zone: str = ""
    weekend: tuple[int, ...] = tuple(sorted(WEEKEND))
    holidays: tuple[Holiday, ...] = ()
    skips: bool = False
    clocks: Mapping[str, int] = field(default_factory=dict)  # of a board: days, by the status they are about
    as_portal: bool = False

    @property
    def calendar(self) -> Calendar:
        """The working days as they are counted."""
        return Calendar(
            zone=usable(self.zone) or current_app.config["TIMEZONE"],
            weekend=frozenset(self.weekend),
            holidays=frozenset(date(h.year, h.month, h.day) for h in self.holidays if h.year),
            yearly=frozenset((h.month, h.day) for h in self.holidays if not h.year),
            skips=self.skips,
        )


def calendar_of(board_id: int) -> Calendar:
    """Return the working days of a board: its own, or those of the portal."""
    return calendar_among(settings_of(board_id), settings_of(ALL))


def calendar_among(own: Settings | None, portal: Settings) -> Calendar:
    """Return the working days that hold where these were decided for a board, and these for the portal."""
    return portal.calendar if own is None or own.as_portal else own.calendar


def days_for(board_id: int, status: str) -> int | None:
    """Return within how many days this board owes its next word; None: as the workflow says of the status."""
    own = settings_of(board_id)
    found: int | None = own.clocks.get(status) if own is not None else None
    return found


def settings_of(board_id: int) -> Any:
    """Return what was decided for a board, None where nothing was; for the portal there is always something."""
    found = option(OPTION).get(str(board_id))
    if found is None:
        return Settings() if board_id == ALL else None
    return Settings(
        zone=found["zone"],
        weekend=tuple(found["weekend"]),
        holidays=tuple(Holiday(**each) for each in found["holidays"]),
        skips=found["skips"],
        clocks=found["clocks"],
        as_portal=found["as_portal"],
    )


def decide_settings(board_id: int, settings: Settings | None) -> None:
    """Decide for a board or the portal, in the transaction of the caller; None: the board is as the portal again."""
    kept = dict(option(OPTION))
    kept.pop(str(board_id), None)
    if settings is not None:
        kept[str(board_id)] = {
            "zone": settings.zone,
            "weekend": list(settings.weekend),
            "holidays": [{"month": h.month, "day": h.day, "year": h.year, "name": h.name} for h in settings.holidays],
            "skips": settings.skips,
            "clocks": dict(settings.clocks),
            "as_portal": settings.as_portal,
        }
    decide(OPTION, kept)
