"""What can happen to teams."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class TeamsChanged(Event, name="team.changed"):
    """A team was made, renamed or taken away."""

    team_id: int
    what: str


@dataclass(frozen=True, kw_only=True)
class TeamJoined(Event, name="team.joined"):
    """Somebody became part of a team."""

    team_id: int
    user_id: int


@dataclass(frozen=True, kw_only=True)
class TeamLeft(Event, name="team.left"):
    """Somebody is not part of a team any more."""

    team_id: int
    user_id: int
