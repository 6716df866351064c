"""What can happen to the roadmap."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class IdeaPlaced(Event, name="roadmap.idea_placed"):
    """Somebody put an idea elsewhere on the roadmap, or took it off; its status stayed as it was."""

    theme_id: int | None
    horizon: str  # empty: off the roadmap
    expected: str


@dataclass(frozen=True, kw_only=True)
class ThemesChanged(Event, name="roadmap.themes_changed"):
    """A theme was added, reworded, moved or taken away."""

    theme_id: int
    what: str
