"""What can happen to boards and to people's places on them."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class BoardMade(Event, name="board.made"):
    """There is a new board."""

    board_id: int


@dataclass(frozen=True, kw_only=True)
class BoardEdited(Event, name="board.edited"):
    """A board was named, described or opened anew; ``audience`` and ``one_way`` are as they are now."""

    board_id: int
    audience: str
    one_way: bool


@dataclass(frozen=True, kw_only=True)
class BoardRemoved(Event, name="board.removed"):
    """A board on which nothing was ever posted is gone."""

    board_id: int


@dataclass(frozen=True, kw_only=True)
class PlaceGiven(Event, name="board.place_given"):
    """Somebody was put on a board's list, or has another rank there."""

    board_id: int
    user_id: int
    role: str


@dataclass(frozen=True, kw_only=True)
class PlaceTaken(Event, name="board.place_taken"):
    """Somebody was taken off a board's list."""

    board_id: int
    user_id: int
