"""What can happen to promises, and to the days on which they are counted."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class PromiseRenewed(Event, name="promise.renewed"):
    """Another day was named for the team's next word; ``due_on`` is a date where the board is."""

    due_on: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PromiseMissed(Event, name="promise.missed"):
    """The day came without the word that was promised."""

    promise_id: int


@dataclass(frozen=True, kw_only=True)
class WorkingDaysDecided(Event, name="calendar.decided"):
    """The working days and clocks of a board, or of all, were decided anew."""

    board_id: int  # 0: of all
