"""What can be done with teams, and the refusals that raises."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User, name_key
from portal.accounts.roles import STAFF_READERS
from portal.db import count_rows, db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.security.log import note
from portal.teams.events import TeamJoined, TeamLeft, TeamsChanged
from portal.teams.models import Team, TeamMember
from portal.text import clean_line

MOST_TEAMS = 100


class NameTaken(Refusal):
    """Another team is called so."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("Another team has this name already."))


class NotOfTheTeam(Refusal):
    """Only those who work here can be part of a team."""

    status = 422

    def __init__(self, user: User) -> None:
        super().__init__(
            _("%(name)s works on no board here. Teams are for those who do: give them a role first.", name=user.name)
        )


def make_team(name: str, about: str, actor: User) -> Team:
    """Make a team without anybody in it."""
    if (db.session.scalar(sa.select(sa.func.count()).select_from(Team)) or 0) >= MOST_TEAMS:
        raise Refusal(_("A portal has at most %(max)d teams.", max=MOST_TEAMS))
    team = Team(name=_free_name(name, None), about=clean_line(about))
    db.session.add(team)
    db.session.flush()
    _state(team, "made", actor)
    return team


def reword_team(team: Team, name: str, about: str, actor: User) -> None:
    """Call a team something else."""
    team.name, team.about = _free_name(name, team), clean_line(about)
    db.session.flush()
    _state(team, "reworded", actor)


def remove_team(team: Team, actor: User) -> None:
    """Take a team away that looks after no idea any more; the database insists."""
    _state(team, "removed", actor)
    db.session.delete(team)
    db.session.flush()


def add_member(team: Team, user: User, actor: User) -> bool:
    """Make somebody who works here part of the team; return whether they were not yet."""
    if not user.is_one_of_anywhere(STAFF_READERS) or user.is_suspended or user.is_former:
        raise NotOfTheTeam(user)
    if not insert_if_absent(TeamMember, team_id=team.id, user_id=user.id, added_at=utcnow()):
        return False
    emit(TeamJoined(actor_id=actor.id, team_id=team.id, user_id=user.id))
    return True


def remove_member(team: Team, user: User, actor: User | None) -> None:
    """Let somebody be part of the team no more; what they own stays theirs."""
    gone = sa.delete(TeamMember).where(TeamMember.team_id == team.id, TeamMember.user_id == user.id)
    if count_rows(gone):
        emit(TeamLeft(actor_id=actor.id if actor else None, team_id=team.id, user_id=user.id))


def leave_all(user: User, actor: User | None) -> None:
    """Take somebody who works here no longer out of every team."""
    mine = sa.select(Team).join(TeamMember, TeamMember.team_id == Team.id).where(TeamMember.user_id == user.id)
    for team in db.session.scalars(mine.order_by(Team.id)).all():
        remove_member(team, user, actor)


def _state(team: Team, what: str, actor: User) -> None:
    emit(TeamsChanged(actor_id=actor.id, team_id=team.id, what=what))
    note("team.changed", user=None, actor=actor, team=team.id, what=what)


def _free_name(name: str, team: Team | None) -> str:
    wanted = clean_line(name)
    others = sa.select(Team.name).where(Team.id != (team.id if team else 0))
    if name_key(wanted) in map(name_key, db.session.scalars(others)):  # SQLite folds no letter but those of ASCII
        raise NameTaken
    return wanted
