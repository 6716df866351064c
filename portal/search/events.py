"""What can happen with the searches that people keep."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class MatchesFound(Event, name="search.matches_found"):
    """Ideas came to answer a search that somebody keeps; ``idea_id`` is the first of them."""

    user_id: int
    search_id: int
    idea_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SynonymDecided(Event, name="synonyms.decided"):
    """Two words were said to mean the same, or not to; None: what was decided was taken back."""

    one: str
    other: str
    accepted: bool | None
