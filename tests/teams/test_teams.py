"""Teams: who is in them, and which ideas they look after."""

from __future__ import annotations

import pytest

from portal.accounts.roles import Role
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.teamwork import assign_team, belongs_to_team_of
from portal.notifications import leaving
from portal.teams import queries, service
from portal.teams.models import Team
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user
from tests.support import either_way

pytestmark = pytest.mark.usefixtures("app")


def make_team(name: str = "Maps", *members) -> Team:
    boss = make_user(Role.ADMIN)
    with transaction(wake=False):
        team = service.make_team(name, "", boss)
        for user in members:
            service.add_member(team, user, boss)
    return team


def test_an_admin_makes_a_team_and_fills_it_with_those_who_work_here(browse):
    admin, member = make_user(Role.ADMIN), make_user(name="Only Here To Walk")
    ranked = make_user(name="Ranked On One Board")
    make_place(make_board(), ranked, Role.PM)
    browser = browse(admin)

    browser.post("/admin/teams", data={"name": "Maps", "about": "All that is drawn"})
    db.session.rollback()
    team = queries.list_teams()[0]
    again = browser.post("/admin/teams", data={"name": "maps"})
    umlauts = [browser.post("/admin/teams", data={"name": "Überblick"}).status_code for _time in range(2)]
    refused = browser.post(f"/admin/teams/{team.id}/people", data={"who": member.name})
    browser.post(f"/admin/teams/{team.id}/people", data={"who": ranked.name})

    db.session.rollback()
    assert again.status_code == 422 and "has this name already" in again.text
    assert umlauts == [303, 422]
    assert refused.status_code == 422 and "works on no board here" in refused.text and member.name in refused.text
    assert [place.user.name for place in queries.members_of(team)] == [ranked.name]
    assert ranked.name in browser.get("/admin/teams").text


def test_a_team_that_goes_leaves_its_ideas_to_their_owners(browse):
    admin, owner = make_user(Role.ADMIN), make_user(Role.PM)
    team = make_team("Maps", owner)
    idea = make_idea(owner_id=owner.id, team_id=team.id)
    browser = browse(admin)

    unsure = browser.post(f"/admin/teams/{team.id}/delete")
    sure = browser.post(f"/admin/teams/{team.id}/delete", data={"sure": "1"})

    db.session.rollback()
    kept = db.session.get_one(Idea, idea.id)
    assert unsure.status_code == 409 and sure.status_code == 303
    assert (kept.team_id, kept.owner_id, queries.list_teams()) == (None, owner.id, [])


@either_way
def test_an_idea_is_given_to_a_team_on_the_desk_and_back_by_one_undo(browse, headers):
    pm = make_user(Role.PM)
    team, idea = make_team("Maps", pm), make_idea()
    browser = browse(pm)
    address = f"/triage/first-look/{idea.id}/team"

    given = browser.post(address, data={"team": str(team.id)}, headers=headers, follow_redirects=True)
    db.session.rollback()
    looked_after = db.session.get_one(Idea, idea.id).team_id
    browser.post(f"{address}?team=", headers=headers)
    nonsense = browser.post(address, data={"team": "987654"}, headers=headers)

    db.session.rollback()
    assert "The team Maps looks after it." in given.text
    assert looked_after == team.id
    assert db.session.get_one(Idea, idea.id).team_id is None
    assert nonsense.status_code == 400


def test_the_ideas_of_my_teams_are_those_of_every_team_i_am_in():
    me, colleague = make_user(Role.PM), make_user(Role.MODERATOR)
    mine, theirs = make_team("Maps", me, colleague), make_team("Huts", colleague)
    ideas = [make_idea(), make_idea(), make_idea()]
    with transaction(wake=False):
        assign_team(ideas[0], mine, me)
        assign_team(ideas[1], theirs, me)

    found = {who.name: set(db.session.scalars(db.select(Idea.id).where(belongs_to_team_of(who))))
             for who in (me, colleague)}  # fmt: skip

    assert found == {me.name: {ideas[0].id}, colleague.name: {ideas[0].id, ideas[1].id}}


def test_whoever_works_here_no_longer_is_part_of_no_team():
    admin, pm, ranked = make_user(Role.ADMIN), make_user(Role.PM), make_user()
    board = make_board()
    make_place(board, ranked, Role.MODERATOR)
    team = make_team("Maps", pm, ranked)

    with transaction(wake=False):
        leaving.take_off(board, ranked, admin)
        leaving.step_down(pm, admin)
    still = [place.user.id for place in queries.members_of(team)]
    with transaction(wake=False):
        pm.role = Role.MEMBER
        leaving.step_down(pm, admin)

    assert still == [pm.id]  # who is still a product manager stays
    assert queries.members_of(team) == []
