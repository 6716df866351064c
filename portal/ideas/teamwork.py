"""Ideas and the teams that look after them."""

from __future__ import annotations

import sqlalchemy as sa

from portal.accounts.models import Person, User
from portal.db import db
from portal.events import emit
from portal.ideas.events import TeamAssigned
from portal.ideas.models import Idea
from portal.ideas.service import lock
from portal.teams.models import Team
from portal.teams.queries import team_ids_of


def assign_team(idea: Idea, team: Team | None, actor: User) -> None:
    """Let a team look after the idea, or none; its owner stays as they are."""
    lock(idea)
    team_id = team.id if team else None
    if idea.team_id != team_id:
        idea.team_id = team_id
        emit(TeamAssigned(actor_id=actor.id, idea_id=idea.id, team_id=team_id, called=team.name if team else ""))


def belongs_to_team_of(person: Person) -> sa.ColumnElement[bool]:
    """Say which ideas belong to a team that this person is part of."""
    return Idea.team_id.in_(team_ids_of(person))


def count_per_team() -> dict[int, int]:
    """Count the ideas that each team looks after; for those who run the portal, who know of every board."""
    rows = sa.select(Idea.team_id, sa.func.count()).where(Idea.team_id.is_not(None)).group_by(Idea.team_id)
    return {team_id: number for team_id, number in db.session.execute(rows) if team_id is not None}


def leave_to_owners(team: Team) -> None:
    """Let the ideas of a team that is about to go belong to none; their owners stay, and nothing is said of it."""
    db.session.execute(sa.update(Idea).where(Idea.team_id == team.id).values(team_id=None))
