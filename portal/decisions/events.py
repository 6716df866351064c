"""What can happen around decisions; that one was made is told by the move that it came with."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class NeedRepeated(Event, name="idea.still_needed"):
    """Somebody said that they still need what was declined."""


@dataclass(frozen=True, kw_only=True)
class NeedTakenBack(Event, name="idea.need_taken_back"):
    """Somebody no longer says so."""


@dataclass(frozen=True, kw_only=True)
class DecisionRevised(Event, name="decision.revised"):
    """The record of a decision was put right; the decision stands."""

    decision_id: int


@dataclass(frozen=True, kw_only=True)
class ReasonsChanged(Event, name="decision.reasons_changed"):
    """The list of reasons was changed."""

    reason_id: int
    what: str
