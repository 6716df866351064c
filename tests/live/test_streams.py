"""What open streams hear, of what they hear nothing, and when they end: at the production server."""

import http.client
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import AuthSession, User
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board, BoardMember
from portal.comments import service as comments
from portal.db import db, utcnow
from portal.events import emit
from portal.ideas import service
from portal.ideas.events import VoteCast
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication
from portal.live import rights
from portal.live.slow import SlowReaders
from portal.notifications.models import Notification
from portal.options import decide
from portal.talk import service as talk
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user
from tests.support.serving import serving

PATIENCE = 60  # seconds, on a machine that has other things to do


class Listener:
    """A browser's end of a stream."""

    def __init__(self, app: Flask, address: str, on: str, user: User | None = None, **headers: str) -> None:
        if user is not None:
            browser = app.test_client()
            browser.sign_in(user)
            name = app.config["SESSION_COOKIE_NAME"]
            headers["Cookie"] = f"{name}={browser.get_cookie(name).value}"
        self.connection = http.client.HTTPConnection("127.0.0.1", urlsplit(address).port, timeout=PATIENCE)
        self.connection.request("GET", f"/live?on={on}", headers=headers)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def next(self) -> dict[str, str]:
        """Return the next event; an empty one when the stream has ended."""
        event: dict[str, str] = {}
        until = time.monotonic() + PATIENCE
        while line := self.answer.readline().decode():
            assert time.monotonic() < until, "nothing came but signs of life"
            name, _colon, value = line.rstrip("\n").partition(": ")
            if name and not line.startswith(":"):
                event[name] = "\n".join(filter(None, [event.get(name, ""), value]))
            elif event.keys() - {"retry"}:
                return event
            else:
                event = {}
        return {}

    def hello(self) -> "Listener":
        """Wait until the stream follows."""
        assert self.status == 200
        assert self.next()["event"] == "hello"
        return self

    def hears(self) -> str:
        """Return what is heard next."""
        return self.next()["data"]

    def has_ended(self) -> bool:
        """Wait for the end; whether nothing came before it."""
        return self.next() == {}

    def leave(self) -> None:
        self.connection.close()
        self.answer.close()


@pytest.fixture
def listen(app: Flask) -> Iterator[Callable[..., Listener]]:
    """Open streams at an address, and close them at the end."""
    listeners: list[Listener] = []

    def open_stream(address: str, on: str, user: User | None = None, **headers: str) -> Listener:
        listeners.append(Listener(app, address, on, user, **headers))
        return listeners[-1]

    yield open_stream
    for listener in listeners:
        listener.leave()


def vote(idea: Idea) -> None:
    with transaction():
        service.cast_vote(db.session.get_one(Idea, idea.id), make_user())


def ideas_in(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"idea-(\d+)/", text)}


def test_an_open_page_hears_at_once_what_changed_of_what_it_shows_and_of_nothing_else(app, listen):
    shown, other = make_idea(), make_idea()
    reader = make_user()
    with serving(app) as address:
        guest, member = (listen(address, f"idea-{shown.id}", user).hello() for user in (None, reader))
        vote(other)
        vote(shown)
        first, second = guest.next(), member.next()

    assert ideas_in(first["data"]) == {shown.id}
    assert ">2<" in first["data"]
    assert first == second
    assert int(first["id"]) > 0
    assert guest.has_ended()


ENDINGS: dict[str, Callable[[User], None]] = {
    "signed out": lambda user: sessions_of(user, sa.delete(AuthSession)),
    "run out": lambda user: sessions_of(user, sa.update(AuthSession).values(expires_at=utcnow())),
    "suspended": lambda user: become(user, suspended_at=utcnow()),
    "another role": lambda user: become(user, role=Role.OBSERVER),
    "waiting": lambda user: become(user, approved_at=None),
    "leaving": lambda user: become(user, leaves_at=utcnow() + timedelta(days=7)),
    "off a board": lambda user: forget_places(user),
}


def sessions_of(user: User, change: sa.Delete | sa.Update) -> None:
    with transaction():
        db.session.execute(change.where(AuthSession.user_id == user.id))


def become(user: User, **fields: object) -> None:
    with transaction():
        db.session.execute(sa.update(User).where(User.id == user.id).values(**fields))


def forget_places(user: User) -> None:
    with transaction():
        db.session.execute(sa.delete(BoardMember).where(BoardMember.user_id == user.id))


def test_a_stream_ends_with_the_right_to_it(app, listen):
    board, others = make_board(audience=Audience.PRIVATE), make_user()
    people = {why: make_user() for why in ENDINGS}
    for person in (*people.values(), others):
        make_place(board, person)
    idea = make_idea()
    with serving(app) as address:
        streams = {why: listen(address, "boards", person).hello() for why, person in people.items()}
        guest, stays = listen(address, f"idea-{idea.id}").hello(), listen(address, f"idea-{idea.id}", others).hello()
        for why, person in people.items():
            ENDINGS[why](person)
        ended = {why: stream.has_ended() for why, stream in streams.items()}
        vote(idea)
        still = ideas_in(guest.hears()) | ideas_in(stays.hears())
        with transaction():
            decide("reading", "members")
        closed = (guest.has_ended(), stays.has_ended(), listen(address, "boards").status)
        back = listen(address, "boards", others)

    assert ended == dict.fromkeys(ENDINGS, True)
    assert still == {idea.id}
    assert closed == (True, True, 204)
    assert back.status == 200


def test_a_session_runs_out_when_nobody_uses_it(app, browse):
    used, unused = make_user(), make_user()
    for person in (used, unused):
        browse(person)
    sessions_of(unused, sa.update(AuthSession).values(seen_at=utcnow() - timedelta(hours=13)))
    sessions = {row.user_id: row.token_hash for row in db.session.scalars(sa.select(AuthSession))}

    assert rights.run_out(list(sessions.values())) == {sessions[unused.id]}
    assert set(rights.marks(list(sessions.values()))) == set(sessions.values())


def test_what_one_may_not_see_any_more_is_not_heard_of_from_that_moment(app, listen):
    board, open_board = make_board(), make_board()
    idea, public = make_idea(board=board), make_idea(board=open_board)
    insider, member, admin = make_user(), make_user(), make_user(Role.ADMIN)
    make_place(board, insider)
    topics = f"idea-{idea.id},idea-{public.id}"
    with serving(app) as address:
        inside, outside, guest = (listen(address, topics, user).hello() for user in (insider, member, None))
        above = listen(address, topics, admin).hello()
        vote(idea)
        before = [ideas_in(stream.hears()) for stream in (inside, outside, guest, above)]
        with transaction():
            db.session.execute(sa.update(Board).where(Board.id == board.id).values(audience=Audience.PRIVATE))
        vote(idea)
        within = [ideas_in(stream.hears()) for stream in (inside, above)]
        vote(public)
        after = [ideas_in(stream.hears()) for stream in (outside, guest)]
        with transaction():
            db.session.execute(sa.update(Idea).where(Idea.id == public.id).values(publication=Publication.HIDDEN))
        with transaction():
            emit(VoteCast(idea_id=public.id))
        assert [ideas_in(above.hears()) for _vote in range(2)] == [{public.id}] * 2  # admins see what is hidden
        with transaction():
            db.session.execute(sa.update(Idea).where(Idea.id == public.id).values(publication=Publication.PUBLISHED))
        with transaction():
            comments.post_comment(db.session.get_one(Idea, public.id), insider, "I can see this.")
        last = [stream.hears() for stream in (outside, guest)]

    assert before == [{idea.id}] * 4
    assert within == [{idea.id}] * 2
    assert after == [{public.id}] * 2
    assert all("comments" in heard for heard in last)


def test_the_teams_own_matters_are_heard_of_by_those_who_work_on_the_board_alone(app, listen):
    board, elsewhere = make_board(), make_board()
    idea = make_idea(board=board)
    on_team, other_team, member = make_user(), make_user(), make_user()
    make_place(board, on_team, Role.MODERATOR)
    make_place(elsewhere, other_team, Role.MODERATOR)
    heard_of: list[str] = []
    with serving(app) as address:
        everybody = [listen(address, f"idea-{idea.id},triage", user).hello() for user in (other_team, member, None)]
        desk = listen(address, "triage", on_team).hello()
        with transaction():
            talk.write_note(db.session.get_one(Idea, idea.id), db.session.get_one(User, on_team.id), "Who owns this?")
        vote(idea)
        heard_of = [stream.hears() for stream in everybody]
        become(on_team, role=Role.MEMBER, has_board_roles=False)
        while desk.next():
            pass

    assert all(ideas_in(heard) == {idea.id} and "votes" in heard for heard in heard_of)


def test_after_an_interruption_comes_what_was_missed(app, listen):
    idea, other = make_idea(), make_idea()
    with serving(app) as address:
        stream = listen(address, f"idea-{idea.id}").hello()
        vote(idea)
        number = stream.next()["id"]
    assert stream.has_ended()

    vote(idea)
    vote(other)
    with serving(app) as address:
        again = listen(address, f"idea-{idea.id}", **{"Last-Event-ID": number})
        first, second = again.next(), again.next()
        strange = listen(address, f"idea-{idea.id}&after=999999999").next()
        fresh = listen(address, f"idea-{idea.id},idea-{other.id}&age=200")
        hello, missed = fresh.next(), fresh.hears() + fresh.hears()

    assert first["event"] == hello["event"] == "hello"
    assert ideas_in(second["data"]) == {idea.id}
    assert ">3<" in second["data"]
    assert strange["event"] == "refetch"
    assert ideas_in(missed) == {idea.id, other.id}


class Visitor:
    """Somebody who presses buttons at a server."""

    def __init__(self, app: Flask, user: User) -> None:
        browser = app.test_client()
        browser.sign_in(user)
        name = app.config["SESSION_COOKIE_NAME"]
        self.cookies = {name: browser.get_cookie(name).value}

    def press(self, address: str, path: str) -> int:
        """Post an empty form of a page that was just opened."""
        page = self._ask(address, "GET", "/inbox", {})
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
        for name, value in page.getheaders():
            if name.lower() == "set-cookie":
                cookie, _equals, said = value.partition(";")[0].partition("=")
                self.cookies[cookie] = said
        return self._ask(address, "POST", path, {"X-CSRFToken": token[1], "Content-Length": "0"}).status

    def _ask(self, address: str, method: str, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(address).port, timeout=PATIENCE)
        cookies = "; ".join(f"{name}={said}" for name, said in self.cookies.items())
        connection.request(method, path, headers={"Cookie": cookies, "Connection": "close", **headers})
        return connection.getresponse()


def test_two_servers_on_one_database_tell_each_others_pages_by_the_same_rights(app, listen):
    board = make_board(audience=Audience.PRIVATE)
    open_idea, secret = make_idea(), make_idea(board=board)
    insider, outsider, voter = make_user(), make_user(), make_user()
    for person in (insider, voter):
        make_place(board, person)
    with transaction():
        number = emit(VoteCast(idea_id=open_idea.id))
        about = {"event_id": number, "idea_id": open_idea.id, "kind": "voted", "reason": "author"}
        db.session.add(Notification(user_id=insider.id, **about))
    topics = f"idea-{open_idea.id},idea-{secret.id}"
    with serving(app) as here, serving(app) as there:
        inside, outside = listen(there, topics, insider).hello(), listen(there, topics, outsider).hello()
        presses = Visitor(app, voter)
        answers = [presses.press(here, f"/ideas/{idea.id}/vote") for idea in (secret, open_idea)]
        assert answers == [303, 303]
        heard = [ideas_in(inside.hears()) for _vote in range(2)]
        first_outside = ideas_in(outside.hears())
        assert Visitor(app, insider).press(here, "/inbox/read") == 303
        unread = inside.hears()

    assert heard == [{secret.id}, {open_idea.id}]
    assert first_outside == {open_idea.id}
    assert 'aria-label="Inbox"' in unread


def test_nobody_takes_more_streams_than_three(app, listen):
    person, idea = make_user(), make_idea()
    with serving(app, PORTAL_LIMITS="true") as address:
        three = [listen(address, f"idea-{idea.id}", person).hello() for _stream in range(3)]
        refused = listen(address, "boards", person).status
        another = listen(address, "boards", make_user()).status
        foreign = listen(address, "boards", **{"Sec-Fetch-Site": "cross-site"}).status
        three[0].leave()
        until = time.monotonic() + PATIENCE
        while (freed := listen(address, "boards", person).status) == 204 and time.monotonic() < until:
            time.sleep(0.1)

    assert (refused, another, foreign, freed) == (204, 200, 204, 200)


def test_a_flood_of_votes_for_one_idea_becomes_two_messages_a_second(app, listen):
    idea = make_idea()
    voters = [make_user() for _voter in range(40)]
    heard = []
    with serving(app) as address:
        stream = listen(address, f"idea-{idea.id}").hello()
        began = time.monotonic()
        for voter in voters:
            with transaction():
                service.cast_vote(db.session.get_one(Idea, idea.id), voter)
        while not heard or ">41<" not in heard[-1]:
            heard.append(stream.hears())
        seconds = time.monotonic() - began

    assert len(heard) <= 2 * seconds + 2


@contextmanager
def a_connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection between which much waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.socket()
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1_400)  # as from afar, where the system takes less
        near.connect(server.getsockname())
        far, _peer = server.accept()
        with near, far:
            near.setblocking(False)
            try:
                while True:
                    near.send(b"x" * 65_536)
            except BlockingIOError:
                pass
            yield near, far


def test_who_does_not_read_is_cut_off_and_nobody_else():
    with a_connection() as (near, far), a_connection() as (other_near, _other_far):
        host, port = near.getpeername()
        slow = SlowReaders()
        slow.look({f"{host}:{port}"})
        near.getpeername()
        slow.look({f"{host}:{port}"})

        with pytest.raises(OSError, match="not connected|endpoint|Broken|reset"):
            near.send(b"more")
        assert other_near.getpeername()
        assert far.recv(1)
