"""Reading teams."""

from __future__ import annotations

from flask import abort
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.db import db
from portal.teams.models import Team, TeamMember


def list_teams() -> list[Team]:
    """Return all teams, by name."""
    return list(db.session.scalars(*_all_teams()))


def get_team(team_id: int) -> Team:
    """Return the team, or answer 404."""
    return db.session.get(Team, team_id) or abort(404)


def find_team(team_id: int | None) -> Team | None:
    """Return the team, if there is one with this number."""
    return db.session.get(Team, team_id) if team_id is not None else None


def team_ids_of(person: Person) -> Select[int]:
    """Select the teams that this person is part of, for use inside other queries: none for those without an account."""
    return select(TeamMember.team_id).where(TeamMember.user_id == person.id)


def members_of(team: Team) -> list[TeamMember]:
    """Return who is part of a team, by name."""
    places = select(TeamMember).join(User, User.id == TeamMember.user_id).where(TeamMember.team_id == team.id)
    return list(db.session.scalars(places.options(joinedload(TeamMember.user)).order_by(User.name_key, User.id)))


def all_members() -> dict[int, list[User]]:
    """Return the people of every team, by name, from one statement."""
    rows = select(TeamMember.team_id, User).join(User, User.id == TeamMember.user_id)
    people: dict[int, list[User]] = {}
    for team_id, user in db.session.execute(rows.order_by(User.name_key, User.id)):
        people.setdefault(team_id, []).append(user)
    return people


@built_once
def _all_teams() -> Select[Team]:
    return select(Team).order_by(Team.name, Team.id)
