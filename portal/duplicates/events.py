"""What can happen to proposals; what can happen to pairs is in ``portal.ideas.events``, where more may hear of it."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class DuplicateProposed(Event, name="duplicate.proposed"):
    """A member said that an idea exists already."""

    other_id: int


@dataclass(frozen=True, kw_only=True)
class ProposalSettled(Event, name="duplicate.settled"):
    """The team decided on what a member had proposed."""

    other_id: int
    user_id: int
    verdict: str
