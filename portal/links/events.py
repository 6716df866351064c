"""What can happen between ideas. Each of two ideas keeps its own record, so that each tells its own story."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class IdeaLinked(Event, name="idea.linked"):
    """An idea was tied to another one; ``outward``: it is the first of the two."""

    other_id: int
    kind: str
    outward: bool


@dataclass(frozen=True, kw_only=True)
class IdeaUnlinked(Event, name="idea.unlinked"):
    """An idea is not tied to another one any more."""

    other_id: int
    kind: str
    outward: bool


@dataclass(frozen=True, kw_only=True)
class NatureSaid(Event, name="idea.nature_said"):
    """The team said whether an idea is a need, a solution or both; empty: as it is written."""

    nature: str


@dataclass(frozen=True, kw_only=True)
class NeedBacked(Event, name="idea.need_backed"):
    """Somebody has the need, and wants another solution."""


@dataclass(frozen=True, kw_only=True)
class NeedUnbacked(Event, name="idea.need_unbacked"):
    """Somebody took that back."""
