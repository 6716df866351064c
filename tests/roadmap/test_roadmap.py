"""The roadmap: what stands where by itself, what the team can change, who sees what."""

import re

import pytest
from sqlalchemy import select

from portal.accounts.models import Guest
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.events import EventRecord
from portal.ideas import moves
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.roadmap import queries, service
from portal.roadmap.models import Horizon, Place
from portal.roadmap.service import NotForTheRoadmap, NothingDecided, Spot
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user, make_votes, move_to
from tests.support import queries as statements

pytestmark = pytest.mark.usefixtures("app")

NOW, NEXT, LATER = Horizon


def make_theme(name="Out of signal", actor=None):
    with transaction(wake=False):
        return service.add_theme(name, "Before you leave.", actor or make_user(Role.PM))


def put(idea, spot, actor=None):
    with transaction(wake=False):
        return service.place_idea(idea, spot, actor or make_user(Role.PM))


def seen_by(viewer, **narrowed):
    """What somebody sees: the titles in each column of each row."""
    asked = {"board": None, "tag": "", "by_board": False, "only_voted": False} | narrowed
    rows = queries.roadmap_for(viewer, **asked).rows
    return {
        (row.name, horizon): [item.title for item in items]
        for row in rows
        for horizon, items in row.cells.items()
        if items
    }


def test_what_is_decided_stands_there_by_itself_and_what_is_parked_when_somebody_wants_it():
    pm, theme = make_user(Role.PM), make_theme()
    make_idea("Being built", status=Status.IN_PROGRESS)
    planned = make_idea("Decided", status=Status.PLANNED)
    parked, _other = make_idea("Parked", status=Status.NOT_NOW), make_idea("Also parked", status=Status.NOT_NOW)
    make_idea("New")

    put(planned, Spot(theme.id, NEXT, "June"), pm)
    put(parked, Spot(None, LATER), pm)

    assert seen_by(Guest()) == {
        ("", NOW): ["Being built"],
        ("Out of signal", NEXT): ["Decided"],
        ("", LATER): ["Parked"],
    }
    assert [idea.title for idea in queries.not_on_it(pm)] == ["Also parked"]
    assert planned.expected == "June"


def test_a_place_holds_while_the_status_does_and_the_theme_for_good():
    idea, theme = make_idea("Decided", status=Status.PLANNED), make_theme()

    before = put(idea, Spot(theme.id, LATER))
    put_off = seen_by(Guest())
    move_to(idea, Status.IN_PROGRESS)

    assert before == Spot(None, NEXT)
    assert put_off == {(theme.name, LATER): ["Decided"]}
    assert seen_by(Guest()) == {(theme.name, NOW): ["Decided"]}


def test_taking_off_lasts_and_can_be_taken_back():
    idea = make_idea(status=Status.PLANNED)

    before = put(idea, Spot(None, None))
    move_to(idea, Status.IN_PROGRESS)
    gone = seen_by(Guest())
    move_to(idea, Status.PLANNED)
    put(idea, before)

    assert gone == {}
    assert seen_by(Guest()) == {("", NEXT): [idea.title]}


def test_only_what_is_decided_or_parked_can_be_put_there():
    for status in set(Status) - {Status.PLANNED, Status.IN_PROGRESS, Status.NOT_NOW}:
        with pytest.raises(NotForTheRoadmap):
            put(make_idea(status=status), Spot(None, LATER))
    with pytest.raises(NothingDecided):
        put(make_idea(status=Status.NOT_NOW), Spot(None, NOW))


def test_putting_an_idea_elsewhere_is_written_down_once_and_tells_nobody(settle):
    idea, pm = make_idea(status=Status.PLANNED), make_user(Role.PM)
    make_votes(idea, 2)

    put(idea, Spot(None, NOW, "May"), pm)
    put(idea, Spot(None, NOW, "May"), pm)
    status = idea.status
    settle()

    assert db.session.scalars(select(EventRecord.name)).all().count("roadmap.idea_placed") == 1
    assert set(db.session.scalars(select(Notification.kind))) == {"received", "voted"}
    assert status is Status.PLANNED


@pytest.mark.parametrize("audience", [Audience.MEMBERS, Audience.PRIVATE, Audience.STAFF])
def test_nothing_is_shown_of_boards_that_one_may_not_know(browse, audience):
    secret, listed, pm = make_board("Inside", audience), make_user(), make_user(Role.ADMIN)
    make_place(secret, listed, Role.PM)
    hushed = make_idea("Buy the other company", board=secret, status=Status.PLANNED)
    with transaction(wake=False):
        moves.set_tags(hushed, ["takeover"], pm)
    put(hushed, Spot(make_theme("Growth", pm).id, NEXT), pm)
    make_idea("Known to all", status=Status.PLANNED)
    words = ("Buy the other company", "Growth", "takeover", "Inside")

    for view in ("", "?by=board", "?tag=takeover"):
        guest, reader = browse().get(f"/roadmap{view}").text, browse(listed).get(f"/roadmap{view}").text
        assert [word for word in words if word in guest.replace("tag=takeover", "").replace("<b>takeover", "")] == []
        assert "Buy the other company" in reader
    assert browse().get("/roadmap?board=inside").status_code == 404


def test_on_a_one_way_board_members_see_their_own_only():
    apart = make_board("Letters", one_way=True)
    author, other = make_user(), make_user()
    idea = make_idea(author=author, board=apart, status=Status.PLANNED)

    assert seen_by(author) == {("", NEXT): [idea.title]}
    assert seen_by(other) == seen_by(Guest()) == {}


def test_it_can_be_narrowed_to_a_board_a_tag_and_ones_own_votes():
    here, there, voter, pm = make_board("Here"), make_board("There"), make_user(), make_user(Role.PM)
    mine = make_idea("Mine", board=here, author=voter, status=Status.PLANNED)
    theirs = make_idea("Theirs", board=there, status=Status.PLANNED)
    with transaction(wake=False):
        moves.set_tags(theirs, ["maps"], pm)

    assert seen_by(voter, board=here) == {("", NEXT): ["Mine"]}
    assert seen_by(voter, tag="maps") == {("", NEXT): ["Theirs"]}
    assert seen_by(voter, only_voted=True) == {("", NEXT): [mine.title]}
    assert seen_by(voter, by_board=True) == {("Here", NEXT): ["Mine"], ("There", NEXT): ["Theirs"]}


def test_a_hundred_ideas_cost_no_more_statements_than_one(browse):
    board, themes = make_board(), [make_theme(f"Theme {number}") for number in range(4)]
    ideas = [make_idea(board=board, status=(Status.PLANNED, Status.IN_PROGRESS)[n % 2]) for n in range(30)]
    for number, idea in enumerate(ideas[1:]):
        put(idea, Spot(themes[number % 4].id, (NOW, NEXT, LATER)[number % 3]))
    reader = browse(make_user())

    counted = []
    for shown in (1, 30):
        for idea in ideas[shown:]:
            move_to(idea, Status.NEW)
        reader.get("/roadmap")
        with statements() as asked:
            reader.get("/roadmap")
        counted.append(len(asked))
        for idea in ideas[shown:]:
            move_to(idea, Status.PLANNED)

    assert counted[0] == counted[1] <= 8


# Planning


def ask_to_move(browser, idea, **words):
    shown = browser.get(f"/roadmap/ideas/{idea.id}").text
    seen = re.search(r'name="seen"[^>]*value="([^"]+)"', shown)[1]
    return browser.post(f"/roadmap/ideas/{idea.id}", data={"seen": seen, "theme": "", "expected": "", **words})


def test_another_column_asks_whether_the_status_changes_and_does_only_what_was_said(browse, settle):
    idea, pm = make_idea(status=Status.PLANNED), make_user(Role.PM)
    make_votes(idea, 2)
    browser = browse(pm)

    asked = browser.post(f"/roadmap/ideas/{idea.id}/place", data={"theme": "", "horizon": "now"})
    question = browser.get(asked.location).text
    unsaid = ask_to_move(browser, idea, horizon="now")
    db.session.rollback()
    untouched = idea.status, db.session.get(Place, idea.id)
    placed = ask_to_move(browser, idea, horizon="now", **{"in_progress-also": "stay"})
    db.session.rollback()

    assert "Move it to In progress too. 3 people hear of it." in question
    assert unsaid.status_code == 422
    assert "Say whether its status changes too." in unsaid.text
    assert untouched == (Status.PLANNED, None)
    assert placed.status_code == 303
    assert (idea.status, service.spot_of(idea).horizon) == (Status.PLANNED, NOW)
    settle()
    assert db.session.scalars(select(Notification.kind).where(Notification.kind == "progressed")).all() == []


def test_with_the_status_everybody_behind_it_hears(browse, settle):
    idea, pm = make_idea(status=Status.PLANNED), make_user(Role.PM)
    behind = {idea.author_id, *(voter.id for voter in make_votes(idea, 2))}
    browser = browse(pm)

    answer = ask_to_move(
        browser,
        idea,
        horizon="now",
        expected="June",
        **{"in_progress-also": "move", "in_progress-answer": "We have begun."},
    )
    db.session.rollback()

    assert answer.status_code == 303
    assert (idea.status, idea.expected) == (Status.IN_PROGRESS, "June")
    assert "3 people will hear about it." in browser.get("/roadmap").text
    settle()
    heard = db.session.scalars(select(Notification.user_id).where(Notification.kind == "progressed")).all()
    assert set(heard) == behind


def test_what_a_move_must_say_is_asked_for_and_nothing_happens_without(browse):
    idea, browser = make_idea(status=Status.PLANNED, expected="June"), browse(make_user(Role.PM))

    short = ask_to_move(browser, idea, horizon="later", **{"not_now-also": "move", "not_now-answer": "Not this year."})
    db.session.rollback()
    before = idea.status
    whole = ask_to_move(
        browser,
        idea,
        horizon="later",
        expected="June",
        **{"not_now-also": "move", "not_now-answer": "Not this year.", "not_now-reversal": "A hundred votes."},
    )
    db.session.rollback()

    assert (short.status_code, before) == (422, Status.PLANNED)
    assert "Name a date, or what would change our mind." in short.text
    assert whole.status_code == 303
    assert (idea.status, service.spot_of(idea)) == (Status.NOT_NOW, Spot(None, LATER, ""))


def test_a_step_is_taken_back_by_the_undo_that_comes_with_it(browse):
    idea, pm = make_idea(status=Status.PLANNED, expected="June"), make_user(Role.PM)
    theme, browser = make_theme(), browse(pm)

    browser.post(f"/roadmap/ideas/{idea.id}/place", data={"theme": theme.id, "horizon": "next"})
    undo = re.search(r'action="(/roadmap/ideas/\d+/place\?[^"]+)"', browser.get("/roadmap").text)[1]
    db.session.rollback()
    between = service.spot_of(idea)
    browser.post(undo.replace("&amp;", "&"))
    db.session.rollback()

    assert between == Spot(theme.id, NEXT, "June")
    assert service.spot_of(idea) == Spot(None, NEXT, "June")


def test_whoever_comes_second_sees_how_things_are(browse):
    idea = make_idea(status=Status.PLANNED)
    slow, quick = browse(make_user(Role.PM)), make_user(Role.PM)

    shown = slow.get(f"/roadmap/ideas/{idea.id}").text
    put(idea, Spot(None, LATER), quick)
    seen = re.search(r'name="seen"[^>]*value="([^"]+)"', shown)[1]
    answer = slow.post(f"/roadmap/ideas/{idea.id}", data={"seen": seen, "theme": "", "horizon": "off"})

    assert answer.status_code == 409
    assert "Somebody moved it meanwhile." in answer.text
    db.session.rollback()
    assert service.spot_of(idea).horizon is LATER


def test_themes_can_be_added_ordered_reworded_and_taken_away(browse):
    browser, idea = browse(make_user(Role.PM)), make_idea(status=Status.PLANNED)

    for name in ("Out of signal", "Home safe"):
        browser.post("/roadmap/themes", data={"name": name, "about": ""})
    second = db.session.scalars(select(queries.Theme).order_by(queries.Theme.position)).all()[1]
    put(idea, Spot(second.id, NEXT))
    browser.post(f"/roadmap/themes/{second.id}/order", data={"to": "up"})
    browser.post(f"/roadmap/themes/{second.id}", data={"name": "Safe home", "about": "For as long as you choose."})
    db.session.rollback()
    names = [theme.name for theme in queries.list_themes()]
    browser.post(f"/roadmap/themes/{second.id}", data={"do": "remove"})
    db.session.rollback()

    assert names == ["Safe home", "Out of signal"]
    assert [theme.name for theme in queries.list_themes()] == ["Out of signal"]
    assert seen_by(Guest()) == {("", NEXT): [idea.title]}


def test_members_see_nothing_to_plan_with(browse):
    make_idea(status=Status.PLANNED)

    page = browse(make_user()).get("/roadmap").text

    assert not re.search(r"draggable|data-horizon|/roadmap/themes|/roadmap/more|team-", page)


def test_who_decides_on_one_board_plans_there_only(browse):
    here, there, person = make_board("Here"), make_board("There"), make_user()
    make_place(here, person, Role.PM)
    mine = make_idea(board=here, status=Status.PLANNED)
    theirs = make_idea(board=there, status=Status.PLANNED)
    browser = browse(person)

    answers = [
        browser.post(f"/roadmap/ideas/{idea.id}/place", data={"theme": "", "horizon": "off"}).status_code
        for idea in (mine, theirs)
    ]

    db.session.rollback()
    assert answers == [303, 403]
    assert seen_by(Guest()) == {("", NEXT): [theirs.title]}


def test_a_parked_idea_that_comes_back_leaves_the_roadmap():
    idea, pm = make_idea(status=Status.NOT_NOW), make_user(Role.PM)
    put(idea, Spot(None, LATER), pm)

    with transaction(wake=False):
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(reason="We look again."))

    assert seen_by(Guest()) == {}
