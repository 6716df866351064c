"""What can happen to acts on many ideas; what they do to each idea is stated there."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class ActCarriedOut(Event, name="bulk.carried_out"):
    """One thing was done with many ideas."""

    act_id: int
    done: int
    left_out: int


@dataclass(frozen=True, kw_only=True)
class ActUndone(Event, name="bulk.undone"):
    """What was done with many ideas was taken back."""

    act_id: int
    undone: int
    kept: int
