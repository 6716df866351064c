"""Asking now and then what changed, who may hear of it, and reading on in the journal."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from portal import events
from portal.accounts.models import AuthSession, Guest, User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas import service
from portal.ideas.events import VoteCast
from portal.ideas.models import Idea
from portal.ideas.queries import ideas_visible_to
from portal.ideas.workflow import Publication
from portal.live import changes, journal, messages, rights
from portal.live.changes import Change
from portal.live.hub import Hub, Wish
from portal.live.reader import Reader
from portal.notifications.models import Notification
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_place, make_user
from tests.support import queries


def vote(idea: Idea) -> None:
    with transaction():
        service.cast_vote(db.session.get_one(Idea, idea.id), make_user())


def test_who_asks_now_and_then_gets_what_changed_since(app, browse):
    shown, secret = make_idea(), make_idea(board=make_board(audience=Audience.STAFF))
    asked = f"/live/poll?on=idea-{shown.id},idea-{secret.id}"
    member = browse(make_user())
    with app.app_context():
        began = changes.newest()

    vote(shown)
    vote(secret)
    answer = member.get(f"{asked}&after={began}")
    number = answer.headers["X-Live"]
    later = member.get(f"{asked}&after={number}")
    vote(secret)
    unseen = member.get(f"{asked}&after={number}")

    assert (answer.status_code, later.status_code) == (200, 200)
    assert f"idea-{shown.id}/votes" in answer.text
    assert f"idea-{secret.id}" not in answer.text + later.text + unseen.text
    assert f"idea-{shown.id}" not in later.text
    assert int(number) > began
    assert member.get(f"{asked}&after={10**9}").status_code == 205


def test_while_nothing_changes_asking_costs_nothing_and_keeps_no_session_alive(app, browse):
    reader = make_user()
    browser = browse(reader)
    with transaction():
        db.session.execute(sa.update(AuthSession).values(seen_at=utcnow() - journal.OLDEST * 2))
    seen = sa.select(AuthSession.seen_at).where(AuthSession.user_id == reader.id)
    before = db.session.scalar(seen)
    db.session.rollback()

    first = browser.get("/live/poll?on=boards&after=0")
    tag = first.headers["ETag"]
    with queries() as asked:
        same = browser.get("/live/poll?on=boards&after=0", headers={"If-None-Match": tag})
    other_page = browser.get("/live/poll?on=boards&age=1", headers={"If-None-Match": tag})
    somebody = browse().get("/live/poll?on=boards&after=0", headers={"If-None-Match": tag})
    make_idea()
    after = browser.get("/live/poll?on=boards&after=0", headers={"If-None-Match": tag})

    assert (same.status_code, asked) == (304, [])
    assert [answer.status_code for answer in (first, other_page, somebody, after)] == [200] * 4
    assert db.session.scalar(seen) == before


def test_without_the_production_server_there_are_no_streams(browse):
    assert browse().get("/live?on=boards").status_code == 204
    assert browse().get("/live/poll?on=boards", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 204


def test_who_may_hear_is_who_may_see_asked_one_by_one(app):
    ranks = [make_user(role) for role in Role]
    waiting, leaving = make_user(approved_at=None), make_user(leaves_at=utcnow())
    boards = [make_board(audience=audience, one_way=one_way) for audience in Audience for one_way in (False, True)]
    listed = {board.id: [make_user(), make_user()] for board in boards}
    for board in boards:
        make_place(board, listed[board.id][0])
        make_place(board, listed[board.id][1], Role.MODERATOR)
    author = make_user()
    ideas = [make_idea(board=board, author=author) for board in boards]
    ideas += [make_idea(board=boards[0], author=author, publication=kind) for kind in Publication]
    people = [*ranks, waiting, author, *(person for some in listed.values() for person in some)]
    ids = {person.id for person in (*people, leaving)}
    said = [Change(1, idea.id, idea.board_id, frozenset({changes.VOTES})) for idea in ideas]
    db.session.rollback()

    public = {change.idea_id for change in rights.open_to_all(said)}
    allowed = {change.idea_id: rights.who_may_hear(change, ids) for change in said}
    on_team = {change.idea_id: rights.who_may_hear(change, ids, team=True) for change in said}

    def sees(person: Any, idea_id: int) -> bool:
        return db.session.scalar(ideas_visible_to(person).where(Idea.id == idea_id)) is not None

    everybody = [db.session.get_one(User, person.id) for person in people]
    for idea_id, hearing in allowed.items():
        assert hearing == {person.id for person in everybody if sees(person, idea_id)}
        assert (idea_id in public) == sees(Guest(), idea_id)
        board_id = db.session.get_one(Idea, idea_id).board_id
        assert on_team[idea_id] == {
            person.id for person in everybody if person.id in hearing and person.reads_as_staff_on(board_id)
        }


@pytest.mark.parametrize("database", ["postgres"], indirect=True)  # SQLite has one writer at a time
def test_rows_that_appear_out_of_order_are_read_once_and_nobody_who_was_away_misses_them(app):
    make_idea()
    follower = journal.Follower(*journal.FACTS)
    follower.start()
    began = follower.newest
    db.session.rollback()

    row = {"name": "idea.vote_cast", "at": utcnow(), "data": {}}
    with db.engine.connect() as slow, db.engine.connect() as quick:
        late = slow.scalar(sa.insert(EventRecord).values(row).returning(EventRecord.id))
        early = quick.scalar(sa.insert(EventRecord).values(row).returning(EventRecord.id))
        quick.commit()
        first = [fact.id for rows in follower.read() for fact in rows]
        safe = follower.safe
        db.session.rollback()
        slow.commit()
    second = [fact.id for rows in follower.read() for fact in rows]
    third = [fact.id for rows in follower.read() for fact in rows]

    assert began < late < early
    assert (first, second, third) == ([early], [late], [])
    assert safe < late
    assert follower.safe == early


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_who_asks_now_and_then_misses_nothing_that_appears_out_of_order(app):
    make_idea()
    row = {"name": "idea.vote_cast", "at": utcnow(), "data": {}}
    with db.engine.connect() as slow, db.engine.connect() as quick:
        late = slow.scalar(sa.insert(EventRecord).values(row).returning(EventRecord.id))
        early = quick.scalar(sa.insert(EventRecord).values(row).returning(EventRecord.id))
        quick.commit()
        before = journal.settled()
        db.session.rollback()
        slow.commit()

    assert before == late - 1
    assert journal.settled() == early


def test_who_asks_for_very_much_gets_the_page_anew(app, browse):
    began = changes.newest()
    ideas = [make_idea() for _number in range(61)]
    asked = "/live/poll?on=boards&after="

    assert browse(make_user()).get(f"{asked}{began}").status_code == 205
    assert f"idea{ideas[-1].id}" in browse(make_user()).get(f"{asked}{changes.newest() - 1}").text


class Ear:
    """The server's end of a stream."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.heard, self.problem = b"", problem

    async def send_bytes(self, data: bytes) -> None:
        if self.problem is not None:
            raise self.problem
        self.heard += data


@pytest.fixture
def open_page(app) -> Callable[..., tuple[Reader, Ear]]:
    """Open a stream in a hub whose reader looks when a test says so."""

    def opened(*topics: str, after: int | None = None, user: User | None = None) -> tuple[Reader, Ear]:
        hub, ear = Hub(app, 100), Ear()
        reader = Reader(app, hub)
        hub.post = lambda batch: [hub._write(one, data) for data, ones in batch for one in ones]  # type: ignore[assignment]
        reader._slow.look = lambda _peers: None
        user_id = user.id if user else None
        wish = Wish(frozenset(topics), "en", "127.0.0.1", user_id, rules=rights.house_rules(), after=after)
        hub.open(wish, ear, "127.0.0.1:1")
        return reader, ear

    return opened


def look(app: Flask, server: Reader) -> None:
    with messages.as_for_guests(app):
        server._look()


def test_while_the_database_is_away_nothing_that_was_to_be_told_is_lost(app, open_page, monkeypatch):
    idea = make_idea()
    server, ear = open_page(f"idea-{idea.id}")
    away = OperationalError("SELECT", {}, Exception("away"))

    def refuse(*_arguments: Any) -> None:
        raise away

    with monkeypatch.context() as patch:
        patch.setattr("portal.live.journal.Lately", refuse)
        with pytest.raises(OperationalError):
            look(app, server)
    look(app, server)
    greeted = ear.heard
    vote(idea)
    with monkeypatch.context() as patch:
        patch.setattr(rights, "open_to_all", refuse)
        with pytest.raises(OperationalError):
            look(app, server)
    look(app, server)

    assert b"event: hello" in greeted
    assert f"idea-{idea.id}/votes".encode() in ear.heard


def make_news(reader: User, idea: Idea) -> Notification:
    with transaction():
        number = events.emit(VoteCast(idea_id=idea.id))
        news = Notification(user_id=reader.id, event_id=number, idea_id=idea.id, kind="voted", reason="author")
        db.session.add(news)
    return news


def look_again(app: Flask, server: Reader) -> str:
    """Look as if everything had happened a while ago; return what was heard."""
    (stream,) = server.hub.all()
    stream.transport.heard = b""
    server._told.clear()
    server._compared = float("-inf")
    db.session.rollback()  # which the reader's thread need not: its session is its own
    look(app, server)
    return str(stream.transport.heard.decode())


def test_what_is_read_on_one_device_is_not_counted_on_the_others_any_more(app, browse, open_page):
    reader, other = make_user(), make_user()
    first, second = (make_news(reader, make_idea()) for _news in range(2))
    make_news(other, make_idea())
    second_id = second.id
    server, _ear = open_page("boards", user=reader)
    look(app, server)

    before = look_again(app, server)
    browse(reader).post(f"/inbox/{first.id}/read")
    one_less = look_again(app, server)
    browse(other).post("/inbox/read")
    of_others = look_again(app, server)
    with transaction():
        db.session.execute(sa.delete(Notification).where(Notification.id == second_id))
    none = look_again(app, server)
    browse(reader).post("/inbox/read")
    nothing_new = look_again(app, server)

    assert (before, of_others, nothing_new) == ("", "", "")
    assert "Inbox, 1 unread" in one_less
    assert 'aria-label="Inbox"' in none


def test_who_comes_back_is_told_what_is_unread_by_now_in_days_of_their_own_clock(app, open_page):
    reader, idea = make_user(timezone="Pacific/Kiritimati"), make_idea()
    for hour in (9, 11):  # the day ends at ten there
        with transaction():
            db.session.merge(make_news(reader, idea)).at = utcnow().replace(hour=hour, minute=0) - timedelta(days=3)

    server, ear = open_page("boards", after=changes.newest(), user=reader)
    look(app, server)
    look(app, server)

    assert b"Inbox, 2 unread" in ear.heard


def test_many_who_come_back_at_once_are_told_from_one_reading_and_one_writing(app, open_page, monkeypatch):
    idea, quiet = make_idea(), make_idea(board=make_board(audience=Audience.PRIVATE))
    began = changes.newest()
    for _vote in range(3):
        vote(idea)
        vote(quiet)
    server, ear = open_page(f"idea-{idea.id}", f"idea-{quiet.id}", after=began)
    wish = next(iter(server.hub.all())).wish
    for number in range(50):
        server.hub.open(replace(wish, after=began + number % 4), Ear(), "127.0.0.1:2")
    written = []
    write = messages.of_change
    monkeypatch.setattr(messages, "of_change", lambda *what: written.append(what) or write(*what))

    with messages.as_for_guests(app), queries() as asked:
        server._look()

    assert all(f"idea-{idea.id}/votes".encode() in stream.transport.heard for stream in server.hub.all())
    assert not any(f"idea-{quiet.id}/".encode() in stream.transport.heard for stream in server.hub.all())
    assert len(written) <= 2
    assert len(asked) < 30


def test_while_something_waits_to_be_written_what_happens_is_told_of_together(app, open_page):
    idea = make_idea()
    server, ear = open_page(f"idea-{idea.id}")
    look(app, server)
    server.hub._posted += 1
    for _vote in range(2):
        vote(idea)
        held_back = look_again(app, server)
    server.hub._written += 1

    assert held_back == ""
    assert look_again(app, server).count(f"idea-{idea.id}/votes") == 1
    assert b">3<" in ear.heard


def test_one_change_that_cannot_be_written_and_one_stream_that_cannot_be_written_to_stop_no_other(
    app, open_page, monkeypatch
):
    broken, idea = make_idea(), make_idea()
    server, ear = open_page(f"idea-{broken.id}", f"idea-{idea.id}")
    server.hub.open(next(iter(server.hub.all())).wish, Ear(RuntimeError("no")), "127.0.0.1:2")
    look(app, server)
    vote(broken)
    vote(idea)
    write = messages.of_change

    def written(change: Change, locale: str) -> str:
        if change.idea_id == broken.id:
            raise ValueError("no words for it")
        return write(change, locale)

    monkeypatch.setattr(messages, "of_change", written)
    look(app, server)

    assert f"idea-{idea.id}/votes".encode() in ear.heard
    assert len(server.hub.all()) == 1


def test_no_number_is_given_out_before_all_up_to_it_is_told(app, open_page):
    """Who is cut off between two messages goes on with the second."""
    first, second = make_idea(), make_idea()
    began = changes.newest()
    vote(first)
    vote(second)
    server, ear = open_page(f"idea-{first.id}", f"idea-{second.id}", after=began)

    look(app, server)
    greeting = [int(number) for number in re.findall(rb"id: (\d+)", ear.heard)]
    vote(first)
    server._told["idea", first.id] = time.monotonic() + 100  # told of just now
    waiting = changes.newest()
    vote(second)
    look(app, server)
    numbers = [int(number) for number in re.findall(rb"id: (\d+)", ear.heard)]

    facts = [fact.id for fact in journal.since(began) if fact.name == "idea.vote_cast"]
    assert greeting == [facts[0] - 1, *facts[:2]]
    assert numbers[-1] == waiting - 1 < facts[-1]


def test_pages_hear_only_of_facts_that_there_are():
    assert set(changes.KINDS) - set(events._kinds) == set()


def test_several_facts_about_an_idea_are_one_change_of_it_and_of_those_joined_with_it(app):
    idea, main = make_idea(), make_idea()
    make_comment(idea)
    facts = [
        changes.Fact(1, "idea.vote_cast", idea.id, {}),
        changes.Fact(2, "comment.posted", idea.id, {}),
        changes.Fact(3, "idea.merged", idea.id, {"into_id": main.id}),
        changes.Fact(4, "idea.followed", main.id, {}),
        changes.Fact(5, "talk.note_written", main.id, {}),
    ]

    found = {change.idea_id: change for change in changes.gather(facts)}

    assert found[idea.id].kinds >= {"votes", "comments", "status", "merged"}
    assert (found[idea.id].id, found[main.id].id) == (3, 5)
    assert "team" in found[main.id].kinds
    assert "team" not in found[main.id].in_public.kinds
    assert changes.Change(1, 1, 1, frozenset({"team"})).in_public is None
