"""What can happen when people are asked whether it helped."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class VerdictAsked(Event, name="verdict.asked"):
    """Everybody behind an idea that came out is asked whether it solves their need."""

    round_id: int


@dataclass(frozen=True, kw_only=True)
class VerdictGiven(Event, name="verdict.given"):
    """Somebody said whether it does, or changed what they had said."""

    round_id: int
    says: str


@dataclass(frozen=True, kw_only=True)
class VerdictEnded(Event, name="verdict.ended"):
    """No more answers are waited for."""

    round_id: int
    end: str
