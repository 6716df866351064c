"""The timeline: everything that happened, the public part for everybody and the whole for the team."""

from __future__ import annotations

import pytest

from portal.accounts.roles import Role
from portal.boards.models import Audience, Board
from portal.db import db
from portal.events import Event
from portal.ideas import moves, service
from portal.ideas.steps import MoveDetails
from portal.ideas.teamwork import assign_team
from portal.ideas.workflow import Status
from portal.labels.service import set_labels
from portal.links.models import Kind
from portal.links.service import link_ideas
from portal.teams.service import make_team
from portal.timeline import telling
from portal.timeline.queries import public_timeline, whole_timeline
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user
from tests.support.browser import timeless
from tests.support.queries import queries as count_queries

pytestmark = pytest.mark.usefixtures("app")


def make_story(anna: str = "Anna Fell", petra: str = "Petra Moor", team_name: str = "Maps"):
    """An idea to which everything happened that happens to ideas, with who did it."""
    author, pm = make_user(name=anna), make_user(Role.ADMIN, name=petra)
    idea = make_idea("Mark the wells", author=author)
    other, secret = make_idea("Know where to drink"), make_board(f"Zzinside{author.id}", Audience.PRIVATE)
    hidden = make_idea("Zzsecret", board=secret)
    with transaction(wake=False):
        team = make_team(team_name, "", pm)
        moves.assign_owner(idea, pm, pm)
        assign_team(idea, team, pm)
        moves.set_tags(idea, ["water", "maps"], pm)
        moves.set_tags(idea, ["water", "safety"], pm)
        set_labels(idea, ["zzprivate"], pm)
        link_ideas(idea, other, Kind.RELATES, pm)
        link_ideas(idea, hidden, Kind.PART_OF, pm)
        service.edit_idea(idea, author, title="Mark all the wells", need=idea.need, proposal="")
        service.hide_idea(idea, pm, "zzreason of a moderator")
        service.publish_idea(idea, pm)
        home = idea.board
        moves.change_board(idea, secret, pm)
        moves.change_board(idea, home, pm)
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))
        moves.answer_idea(idea, pm, MoveDetails(answer="We looked at it."))
    return idea, pm, author


def said(happenings):
    return [f"{each.who} {each.sentence}{' ' + each.other.title if each.other else ''}" for each in happenings]


def test_the_team_reads_everything_in_the_order_in_which_it_happened():
    idea, pm, _author = make_story()

    told = said(whole_timeline(idea, pm))
    inside = db.session.scalars(db.select(Board.name).where(Board.audience == Audience.PRIVATE)).one()

    assert told == [
        "Anna Fell posted this",
        "Petra Moor took it over",
        "Petra Moor gave it to the team Maps",
        "Petra Moor tagged it: + maps, + water",
        "Petra Moor changed the tags: + safety, − maps",
        "Petra Moor labelled it for the team: zzprivate",
        "Petra Moor said that this relates to Know where to drink",
        "Petra Moor said that this is part of Zzsecret",
        "Anna Fell changed the words",
        "Petra Moor took it out of sight",
        "Petra Moor let it through",
        f"Petra Moor put it from the board {idea.board.name} on {inside}",
        f"Petra Moor put it from the board {inside} on {idea.board.name}",
        "Petra Moor moved this from New to Under review",
        "Petra Moor answered",
    ]


def test_everybody_else_reads_what_is_public_and_no_word_of_the_rest(browse):
    idea, pm, author = make_story()

    told = said(public_timeline(idea, author))

    assert len(told) == 9
    assert "Petra Moor said that this relates to Know where to drink" in told
    for who in (author, make_user(), None):
        page = browse(*([who] if who else [])).get(f"/ideas/{idea.id}/history")
        assert page.status_code == 200
        assert "zz" not in timeless(page.text).lower()  # the token of a form may have it by chance
        assert "Mark the wells" in page.text  # what it said before
    assert said(whole_timeline(idea, author)) == told
    desk = browse(pm).get(f"/triage/first-look/{idea.id}").text
    assert "zzreason of a moderator" in desk and "zzprivate" in desk


def test_a_board_moderator_reads_no_name_of_a_board_or_idea_beyond_theirs():
    idea, _pm, _author = make_story()
    moderator = make_user(Role.MODERATOR)

    told = " ".join(said(whole_timeline(idea, moderator)))

    assert "zzprivate" in told and "put it on another board" in told
    assert "Zzsecret" not in told and "Zzinside" not in told


def test_a_long_story_takes_no_more_statements_than_a_short_one():
    short, pm, _author = make_story()
    long, _pm, _author = make_story("Another Anna", "Another Petra", "Huts")
    with transaction(wake=False):
        for number in range(30):
            moves.set_tags(long, [f"tag{number}"], pm)
            moves.assign_owner(long, None if number % 2 else pm, pm)

    with count_queries() as few:
        whole_timeline(short, pm)
    with count_queries() as many:
        told = whole_timeline(long, pm)

    assert len(told) > 70
    assert len(many) <= len(few)


def test_every_fact_that_is_told_is_a_fact_that_happens():
    known = set()

    def below(kind: type[Event]) -> None:
        for sub in kind.__subclasses__():
            known.add(sub.name)
            below(sub)

    below(Event)
    assert set(telling.PUBLIC) | set(telling.TEAM) | set(telling.WITH_ADDRESSES) <= known
