"""Queues that people make of filters, the pickers at the desk, and who else is there."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy import select

from portal.accounts.models import AuthSession
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.ideas.workflow import Publication, Status
from portal.search.models import SavedSearch
from portal.transactions import transaction
from portal.triage import queues
from tests.factories import make_board, make_idea, make_place, make_user, make_votes
from tests.support import HTMX, either_way, on_one_database

pytestmark = pytest.mark.usefixtures("app")


def found(name, viewer, query=""):
    queue = queues.queue_named(name, viewer, query)
    return [row.idea.title for row in queues.page_of(queue, viewer, None).rows]


def test_whatever_a_search_finds_is_a_queue_by_votes(settle):
    maps = make_board("Maps")
    make_votes(make_idea("Draw springs", board=maps), 1)
    make_votes(make_idea("Draw huts", board=maps, status=Status.PLANNED), 3)
    make_idea("Draw huts in private", board=make_board("Inner", Audience.PRIVATE))
    make_idea("Draw huts badly", board=maps, publication=Publication.HELD)
    make_idea("Wash boots", board=make_board("Boots"))
    settle()
    pm = make_user(Role.PM)

    assert found("find", pm, "board:maps") == ["Draw huts", "Draw springs"]
    assert found("find", pm, "draw -huts") == ["Draw springs"]
    assert found("find", pm, "votes:>2 draw") == ["Draw huts"]
    assert found("find", pm, "board:inner") == []
    assert found("find", pm) == []


@on_one_database
def test_a_filter_is_kept_shared_renamed_and_deleted(browse):
    pm, other, champion = make_user(Role.PM, name="Ines"), make_user(Role.MODERATOR), make_user(Role.CHAMPION)
    make_idea("Draw springs")
    browser = browse(pm)

    shown = browser.get("/triage/find?q=status:new")
    saved = browser.post("/triage/save", data={"q": "status:new", "name": "Young", "shared": "1"})
    db.session.rollback()
    kept = db.session.scalars(select(SavedSearch)).one()
    address = f"/triage/saved-{kept.id}"

    assert "Draw springs" in shown.text
    assert 'action="/triage/save"' in shown.text
    assert saved.location == address
    assert "Shared by Ines." in browse(other).get(address).text
    assert browse(champion).get(address).status_code == 403
    assert browse(other).post(f"/triage/saved/{kept.id}", data={"name": "Mine"}).status_code == 404
    browser.post(f"/triage/saved/{kept.id}", data={"name": "Fresh"})
    assert "Fresh" in browser.get("/triage/first-look").text
    assert browse(other).get(address).status_code == 404, "it is shared no more"
    again = browser.post(f"/triage/saved/{kept.id}/delete", follow_redirects=True)
    undo = re.search(r'action="(/triage/save\?[^"]*)"', again.text)
    assert browser.get(address).status_code == 404
    browser.post(undo[1].replace("&amp;", "&"))
    db.session.rollback()
    assert db.session.execute(select(SavedSearch.name, SavedSearch.query, SavedSearch.shared)).all() == [
        ("Fresh", "status:new", False)
    ]


@on_one_database
def test_what_cannot_be_kept_is_said(browse):
    browser = browse(make_user(Role.PM))

    answer = browser.post("/triage/save", data={"q": "board:nowhere", "name": "X"}, follow_redirects=True)

    assert "You know no board “nowhere”." in answer.text
    assert 'value="board:nowhere"' in answer.text


@on_one_database
def test_pages_of_a_saved_queue_follow_each_other(browse, monkeypatch):
    monkeypatch.setattr(queues.page_of, "__defaults__", (None, 2))
    for number in range(3):
        make_votes(make_idea(f"Wish number {number}"), number)
    browser = browse(make_user(Role.PM))

    first = browser.get("/triage/find?q=status:new")
    older = re.search(r'href="(/triage/find\?[^"]*page=[^"]+)"', first.text)[1].replace("&amp;", "&")

    assert ["Wish number 0" in page.text for page in (first, browser.get(older))] == [False, True]


def test_an_idea_waits_for_the_team_that_it_was_given_to():
    from portal.teams.models import Team, TeamMember

    pm, other = make_user(Role.PM), make_user(Role.PM)
    with transaction():
        team = Team(name="Map makers")
        db.session.add(team)
        db.session.flush()
        db.session.add(TeamMember(team_id=team.id, user_id=pm.id))
    make_idea("Theirs", team_id=team.id)
    make_idea("Theirs, and out", team_id=team.id, status=Status.SHIPPED, due_at=None)

    assert (found("team", pm), found("team", other)) == (["Theirs"], [])


@either_way
def test_a_tag_is_put_on_and_taken_off_alone(browse, headers):
    pm, idea = make_user(Role.PM), make_idea()
    browser, address = browse(pm), f"/triage/first-look/{idea.id}/tags"

    for data, tags in (
        ({"add": "Huts", "toggle": ""}, ["huts"]),
        ({"toggle": "maps"}, ["huts", "maps"]),
        ({"toggle": "huts", "add": "typed and not meant"}, ["maps"]),
    ):
        browser.post(address, data=data, headers=headers)
        db.session.rollback()
        assert [tag.name for tag in idea.tags] == tags


@on_one_database
def test_colleagues_see_who_else_is_there_and_nobody_learns_of_what_they_may_not_see(browse):
    inner = make_board("Inner", Audience.PRIVATE)
    ines, jo = make_user(Role.PM, name="Ines"), make_user(Role.PM, name="Jo")
    for_one, idea, secret = make_user(Role.PM, name="Olga"), make_idea(), make_idea(board=inner)
    make_place(inner, for_one, Role.PM)

    def here(user, one):
        return browse(user).post(f"/triage/first-look/{one.id}/here", headers=HTMX)

    assert "Ines" not in here(ines, idea).text
    assert "Ines is here too, since" in here(jo, idea).text
    assert "Jo is here too" in browse(ines).get(f"/triage/first-look/{idea.id}").text
    assert here(for_one, secret).status_code == 200
    assert here(ines, secret).status_code == 404
    assert here(make_user(), idea).status_code == 403
    with time_machine.travel(utcnow() + timedelta(seconds=80), tick=False):
        assert "is here too" not in here(jo, idea).text
    here(ines, make_idea())
    assert "Ines" not in here(jo, idea).text


@on_one_database
def test_a_desk_left_open_by_somebody_who_may_no_more_asks_once_more_and_shows_nothing_of_it(browse):
    idea, demoted, gone = make_idea(), make_user(Role.PM), make_user(Role.PM)
    browsers = {person: browse(person) for person in (demoted, gone)}
    asks = (("POST", f"/triage/first-look/{idea.id}/here", "here"), ("GET", "/triage/first-look", "triage-queues"))

    def ask(person):
        return [
            browsers[person].open(path, method=method, headers={**HTMX, "HX-Target": part})
            for method, path, part in asks
        ]

    before = [answer.status_code for person in browsers for answer in ask(person)]
    with transaction():
        db.session.merge(demoted).role = Role.MEMBER
        db.session.execute(sa.delete(AuthSession).where(AuthSession.user_id == gone.id))
    answers = [answer for person in browsers for answer in ask(person)]
    after = [(answer.status_code, answer.text, answer.headers.get("HX-Redirect")) for answer in answers]

    assert before == [200] * 4
    assert after == [(286, "", None), (204, "", None)] * 2
