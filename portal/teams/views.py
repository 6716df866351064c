"""Naming teams, and who is part of them."""

from __future__ import annotations

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.models import User
from portal.accounts.queries import find_by_name_or_email
from portal.db import db
from portal.errors import Refusal
from portal.ideas.teamwork import count_per_team, leave_to_owners
from portal.teams import queries, service
from portal.teams.forms import MemberForm, TeamForm
from portal.teams.models import Team
from portal.teams.service import NameTaken, NotOfTheTeam
from portal.transactions import transaction
from portal.web.once import made_once
from portal.web.responses import go_to, page
from portal.web.session import authorize, member

bp = Blueprint("teams", __name__, url_prefix="/admin/teams")


@bp.route("", methods=["GET", "POST"])
def index() -> Response:
    """See the teams, and make another one."""
    authorize("team.manage")
    form = TeamForm()
    if form.validate_on_submit():
        try:
            with transaction():
                about = form.about.data or ""
                team = made_once(Team, lambda: service.make_team(form.name.data, about, member()))
            return go_to(url_for(".team", team_id=team.id), _("The team %(name)s is there.", name=team.name))
        except NameTaken as taken:
            form.name.errors = [taken.message]
    teams, people = queries.list_teams(), queries.all_members()
    status = 422 if form.errors else 200
    return page("teams/index.html", status=status, teams=teams, people=people, ideas=count_per_team(), form=form)


@bp.route("/<int:team_id>", methods=["GET", "POST"])
def team(team_id: int) -> Response:
    """Call a team something else, and see who is part of it."""
    authorize("team.manage")
    found = queries.get_team(team_id)
    form = TeamForm(obj=found)
    if form.validate_on_submit():
        try:
            with transaction():
                service.reword_team(found, form.name.data, form.about.data or "", member())
            return go_to(url_for(".team", team_id=found.id), _("Saved."))
        except NameTaken as taken:
            form.name.errors = [taken.message]
    return _show(found, form, MemberForm(formdata=None))


@bp.post("/<int:team_id>/people")
def add(team_id: int) -> Response:
    """Make a colleague part of a team."""
    authorize("team.manage")
    found, form = queries.get_team(team_id), MemberForm()
    if form.validate_on_submit():
        user = find_by_name_or_email(form.who.data)
        if user is None:
            form.who.errors = [_("Nobody with this name or address has an account.")]
        else:
            try:
                with transaction():
                    service.add_member(found, user, member())
                return go_to(url_for(".team", team_id=found.id), _("%(name)s is part of the team.", name=user.name))
            except NotOfTheTeam as stranger:
                form.who.errors = [stranger.message]
    return _show(found, TeamForm(formdata=None, obj=found), form)


@bp.post("/<int:team_id>/people/<int:user_id>/remove")
def remove(team_id: int, user_id: int) -> Response:
    """Take somebody out of a team."""
    authorize("team.manage")
    found, user = queries.get_team(team_id), db.session.get(User, user_id) or abort(404)
    with transaction():
        service.remove_member(found, user, member())
    return go_to(url_for(".team", team_id=found.id), _("%(name)s is not part of the team any more.", name=user.name))


@bp.post("/<int:team_id>/delete")
def delete(team_id: int) -> Response:
    """Take a team away."""
    authorize("team.manage")
    found = queries.get_team(team_id)
    ideas = count_per_team().get(found.id, 0)
    if ideas and "sure" not in request.form:
        raise Refusal(_("The team looks after ideas. Say that you are sure."))
    with transaction():
        leave_to_owners(found)
        service.remove_team(found, member())
    return go_to(url_for(".index"), _("The team is gone. Its ideas keep their owners."))


def _show(found: Team, form: TeamForm, who: MemberForm) -> Response:
    status = 422 if form.errors or who.errors else 200
    people, ideas = queries.members_of(found), count_per_team().get(found.id, 0)
    return page("teams/team.html", status=status, team=found, form=form, who=who, people=people, ideas=ideas)
