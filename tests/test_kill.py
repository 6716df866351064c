"""The server is killed in the middle of its work, again and again: what it acknowledged is there, each thing once."""

from __future__ import annotations

import http.client
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import Flask
from sqlalchemy import func, select

import portal
from portal import worker
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.comments.models import Comment
from portal.db import db, utcnow
from portal.events import EventRecord, OutboxRow
from portal.ideas import moves, supporters
from portal.ideas.models import Follow, Idea, StatusChange, Vote
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.mails.letter import message_id
from portal.notifications.models import Mail, Notification
from portal.reactions import REACTIONS
from portal.search.index import engine
from portal.search.models import IndexTask
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support.browser import Browser
from tests.support.databases import forget, migrate
from tests.support.mail import MailServer, free_port
from tests.support.nursery import Nursery, nursery

SECRET = "a secret of the tests, and of nobody else"
KILLS = {"sqlite": 6, "postgresql": 4}  # at other moments each time
IDEAS, VOTERS, COMMENTERS = 60, 4, 2
BEHIND, WORKERS_KILLED = 160, 10
LONGEST = 300  # seconds, after which something hangs; a busy machine may take most of it


def test_s59_whatever_is_killed_whenever_what_was_acknowledged_is_there_once(
    empty_database: str, smtp: MailServer, tmp_path: Path
) -> None:
    migrate(empty_database, tmp_path)
    app = make_app(empty_database, smtp, tmp_path)
    with app.app_context():
        community = Community.settle_in(app)
    server, kills = Server(empty_database, smtp, tmp_path), KILLS[sa.make_url(empty_database).get_backend_name()]

    with nursery(server.environment) as server.nursery, acting(community, server):
        for _ in range(kills):
            server.start()
            community.wait_for_more()
            time.sleep(random.uniform(0, 0.4))
            server.kill()
            with app.app_context():
                let_leases_run_out()

    with app.app_context():
        try:
            for _ in range(2):
                let_leases_run_out()
                worker.settle()
            problems = [*lost(community), *half_done(), *untold(), *wrong_mails(smtp), *unfound()]
        finally:
            wait_for_the_dead()
    assert not problems, "\n".join(["", *problems])
    assert len(community.acknowledged) >= 4 * kills, "hardly anything happened between the kills"
    assert {act[0] for act in community.acknowledged} == {"vote", "comment", "move"}


def test_s59_everybody_behind_a_decision_hears_of_it_once_whenever_the_worker_is_killed(
    empty_database: str, smtp: MailServer, tmp_path: Path
) -> None:
    migrate(empty_database, tmp_path)
    app = make_app(empty_database, smtp, tmp_path)
    app.config["FOLD_MINUTES"] = 0
    with app.app_context():
        idea_id, voters = decide_with(BEHIND)

    with nursery(Server(empty_database, smtp, tmp_path).environment) as workers:
        for number in range(WORKERS_KILLED):
            worker_id = workers.start()
            if number < 3:  # while it finds out whom to tell
                time.sleep(random.uniform(0, 0.3))
            else:
                wait_for_mails(smtp, len(smtp.got) + random.randint(1, 8))
                time.sleep(random.uniform(0, 0.03))
            workers.kill(worker_id)
            with app.app_context():
                let_leases_run_out()

    with app.app_context():
        try:
            worker.settle()
            problems = [*untold_voters(idea_id, voters), *wrong_mails(smtp), *repeated_mails(smtp)]
        finally:
            wait_for_the_dead()
    assert not problems, "\n".join(["", *problems])
    assert len(smtp.got) >= BEHIND - WORKERS_KILLED


def decide_with(number: int) -> tuple[int, set[int]]:
    """Decide an idea that so many people voted for, with nobody there who tells them; return it and them."""
    pm_id, idea_id = make_user(Role.PM).id, make_idea(status=Status.UNDER_REVIEW).id
    worker.settle()
    with transaction(wake=False):
        voters = [
            User(email=f"voter{n}@voters.example", name=f"Voter {n}", name_key=f"voter {n}", confirmed_at=utcnow())
            for n in range(number)
        ]
        db.session.add_all(voters)
        db.session.flush()
        db.session.add_all(Follow(idea_id=idea_id, user_id=voter.id, is_voter=True) for voter in voters)
        db.session.add_all(Vote(idea_id=idea_id, voter_id=voter.id) for voter in voters)
        ids = {voter.id for voter in voters}
    with transaction(wake=False):
        idea, pm = db.session.get_one(Idea, idea_id), db.session.get_one(User, pm_id)
        moves.move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="We build it in spring."))
    return idea_id, ids


def wait_for_mails(smtp: MailServer, number: int) -> None:
    """Wait until so many mails have arrived, or nothing comes any more."""
    deadline = time.monotonic() + 20
    while len(smtp.got) < number and time.monotonic() < deadline:
        time.sleep(0.002)


def untold_voters(idea_id: int, voters: set[int]) -> Iterator[str]:
    """Who was told never, or twice, or gets no mail."""
    told = select(Notification.user_id, Notification.kind).where(Notification.idea_id == idea_id)
    heard = Counter(user_id for user_id, kind in db.session.execute(told) if kind == "decided")
    mailed = Counter(db.session.scalars(select(Mail.user_id).where(Mail.kind == "decided")))
    for voter in sorted(voters):
        if (heard[voter], mailed[voter]) != (1, 1):
            yield f"{voter} was told {heard[voter]} times and has {mailed[voter]} mails"
    for row in db.session.scalars(select(OutboxRow).where(OutboxRow.done_at.is_(None))):
        yield f"{row.reaction} to event {row.event_id} was not carried out: {row.error}"


def repeated_mails(smtp: MailServer) -> Iterator[str]:
    """Mails that came twice although their end was known: one at most is under way when a worker dies."""
    arrived = Counter(mail["Message-ID"] for mail in smtp.got)
    twice = {number for number, times in arrived.items() if times > 1}
    tries = {message_id(mail): mail.attempts for mail in db.session.scalars(select(Mail))}
    yield from (f"{number} came twice and was tried once" for number in twice if tries[number] < 2)
    if len(twice) > WORKERS_KILLED:
        yield f"{len(twice)} mails came twice after {WORKERS_KILLED} kills"


# The server


class Server:
    """The production server, with its worker inside, on a port of its own."""

    nursery: Nursery

    def __init__(self, database: str, smtp: MailServer, instance: Path) -> None:
        self.port = free_port()
        self.running: int | None = None
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")} | {
            "PORTAL_DATABASE_URL": database,
            "PORTAL_INSTANCE": str(instance),
            "PORTAL_SECRET_KEY": SECRET,
            "PORTAL_MAIL_URL": smtp.url,
            "PORTAL_LIMITS": "false",
            "PORTAL_FOLD_MINUTES": "0",
            "PORTAL_BASE_URL": f"http://127.0.0.1:{self.port}",
        }

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.running = self.nursery.start(self.port)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException):
                if self.ask("GET", "/healthz")[0] == 200:
                    return
            time.sleep(0.02)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        """End all of its processes at once, in whatever they are doing."""
        if self.running is not None:
            self.nursery.kill(self.running)
            self.running = None

    def ask(self, method: str, path: str, form: Any = None, headers: Any = None) -> tuple[int, str]:
        """Make a request over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            body = urlencode(form) if form is not None else None
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
            connection.request(method, path, body, {**kind, **(headers or {})})
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers.get("Location", "")
        finally:
            connection.close()


def make_app(database: str, smtp: MailServer, instance: Path) -> Flask:
    app = portal.create_app(
        {
            "SQLALCHEMY_DATABASE_URI": database,
            "INSTANCE": str(instance),
            "SECRET_KEY": SECRET,
            "MAIL_URL": smtp.url,
            "WORKER": "off",
            "TESTING": True,
            "LIMITS": False,
        }
    )
    app.test_client_class = Browser
    return app


def let_leases_run_out() -> None:
    """Let the minutes pass that a dead worker's claims last."""
    with db.engine.begin() as connection:
        for table in (OutboxRow.__table__, Mail.__table__):
            connection.execute(sa.update(table).values(locked_until=None, locked_by=None, available_at=utcnow()))


def wait_for_the_dead() -> None:
    """Wait until the database has noticed that whoever spoke to it is gone, and let go of it ourselves."""
    if db.engine.dialect.name == "postgresql":
        others = sa.text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        forget(db)
        for _ in range(200):
            if not db.session.scalar(others):
                break
            time.sleep(0.05)
    forget(db)


# Those who use it


@dataclass
class Person:
    """Somebody signed in, by what their browser sends."""

    id: int
    headers: dict[str, str]


@dataclass
class Community:
    """People who vote, comment and decide as fast as they can, and remember what was acknowledged."""

    voters: list[Person]
    commenters: list[Person]
    pm: Person
    ideas: list[int]
    acknowledged: list[tuple[Any, ...]] = field(default_factory=list)
    tried: list[tuple[Any, ...]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    unexpected: list[str] = field(default_factory=list)
    busy: int = 0

    @classmethod
    def settle_in(cls, app: Flask) -> Community:
        """Bring in people and ideas; nobody gets more mails than a day allows."""
        authors = [make_user() for _ in range(IDEAS // 2)]
        ideas = [make_idea(author=author).id for author in authors for _ in range(2)]
        people = [cls._person(app, make_user(wants_mail=False)) for _ in range(VOTERS + COMMENTERS)]
        pm = cls._person(app, make_user(Role.PM))
        return cls(people[:VOTERS], people[VOTERS:], pm, ideas)

    @staticmethod
    def _person(app: Flask, user: User) -> Person:
        browser = app.test_client()
        browser.sign_in(user)
        name = app.config["SESSION_COOKIE_NAME"]
        token = browser.token()
        cookie = browser.get_cookie(name)
        return Person(user.id, {"Cookie": f"{name}={cookie.value}", "X-CSRFToken": token})

    def acts(self) -> list[Callable[[Server], None]]:
        """What each of them does, each in a thread."""
        return [
            *(lambda server, who=who: self._vote(server, who) for who in self.voters),
            *(lambda server, who=who: self._comment(server, who) for who in self.commenters),
            self._decide,
        ]

    def wait_for_more(self) -> None:
        """Wait until the server has acknowledged some more, a move of an idea among it."""
        before, deadline = len(self.acknowledged), time.monotonic() + 10
        while time.monotonic() < deadline:
            new = self.acknowledged[before:]
            if len(new) >= 8 and any(act[0] == "move" for act in new):
                return
            time.sleep(0.005)

    def _vote(self, server: Server, who: Person) -> None:
        for idea_id in random.sample(self.ideas, len(self.ideas)):
            self._act(server, who, ("vote", idea_id, who.id), f"/ideas/{idea_id}/vote", {}, again=True)

    def _comment(self, server: Server, who: Person) -> None:
        for number in range(10_000):
            words = f"Words {who.id} number {number} of mine"
            idea_id = random.choice(self.ideas)
            self._act(server, who, ("comment", idea_id, words), f"/ideas/{idea_id}/comments", {"body": words})

    def _decide(self, server: Server) -> None:
        for idea_id in self.ideas:
            for source, target, said in (
                ("new", "under_review", {"owner": str(self.pm.id)}),
                ("under_review", "planned", {"answer": "We build it."}),
            ):
                form = {f"{target}-{name}": value for name, value in {"seen": source, **said}.items()}
                path = f"/triage/first-look/{idea_id}/move/{target}"
                if not self._act(server, self.pm, ("move", idea_id, target), path, form):
                    break

    def _act(
        self, server: Server, who: Person, act: tuple[Any, ...], path: str, form: dict[str, str], again: bool = False
    ) -> bool:
        """Ask for something once, or if doing it twice is doing it once until it is acknowledged."""
        self.tried.append(act)
        while not self.stop.is_set():
            try:
                status, place = server.ask("POST", path, form, who.headers)
            except (OSError, http.client.HTTPException) as problem:
                time.sleep(0.02)
                if again or isinstance(problem, ConnectionRefusedError):  # then it was not even heard
                    continue
                return False
            if status == 303 and not place.startswith("/sign-in"):
                self.acknowledged.append(act)
                return True
            if status == 503:  # not now, and nothing was done
                self.busy += 1
                time.sleep(0.05)
                continue
            self.unexpected.append(f"{act}: {status} {place}")
            return False
        return False


@contextmanager
def acting(community: Community, server: Server) -> Iterator[None]:
    """Let all of them act while the block runs; nothing of it outlives the block."""
    threads = [threading.Thread(target=act, args=(server,), daemon=True) for act in community.acts()]
    for thread in threads:
        thread.start()
    alarm = threading.Timer(LONGEST, server.kill)
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
        community.stop.set()
        server.kill()
        for thread in threads:
            thread.join(15)


# What must be true afterwards


def lost(community: Community) -> Iterator[str]:
    """What was acknowledged and is not there, or there more than once."""
    yield from community.unexpected
    votes = set(db.session.execute(select(Vote.idea_id, Vote.voter_id)).all())
    said = Counter(db.session.scalars(select(Comment.body)).all())
    moves = Counter((change.idea_id, change.target.value) for change in db.session.scalars(select(StatusChange)))
    for kind, idea_id, what in community.acknowledged:
        if kind == "vote" and (idea_id, what) not in votes:
            yield f"the vote of {what} for {idea_id} is lost"
        if kind == "comment" and said[what] != 1:
            yield f"{what!r} is there {said[what]} times"
        if kind == "move" and moves[idea_id, what] != 1:
            yield f"the move of {idea_id} to {what} is there {moves[idea_id, what]} times"
    yield from (f"{words!r} is there {times} times" for words, times in said.items() if times > 1)
    yield from (f"the move {move} is there {times} times" for move, times in moves.items() if times > 1)
    asked = {(idea_id, what) for kind, idea_id, what in community.tried if kind == "move"}
    yield from (f"nobody asked for the move {move}" for move in moves if move not in asked)


def half_done() -> Iterator[str]:
    """What is there without what belongs to it."""
    for idea in db.session.scalars(select(Idea)):
        comments = db.session.scalar(select(func.count()).where(Comment.idea_id == idea.id))
        if (idea.votes, idea.comments) != (supporters.count_supporters(idea), comments):
            yield f"the counters of {idea.id} are wrong"
        newest = db.session.scalar(
            select(StatusChange.target).where(StatusChange.idea_id == idea.id).order_by(StatusChange.id.desc()).limit(1)
        )
        if idea.status is not (newest or Status.NEW):
            yield f"{idea.id} stands at {idea.status}, and its last move led to {newest}"
    for board in db.session.scalars(select(Board)):
        if board.ideas != db.session.scalar(select(func.count()).where(Idea.board_id == board.id)):
            yield f"the counter of {board.name} is wrong"
    named = Counter(db.session.scalars(select(EventRecord.name)))
    authors = db.session.scalar(select(func.count()).select_from(Idea))
    for table, name, without in (
        (Vote, "idea.vote_cast", authors),
        (Comment, "comment.posted", 0),
        (StatusChange, "idea.moved", 0),
    ):
        rows = db.session.scalar(select(func.count()).select_from(table)) - without
        if rows != named[name]:
            yield f"{rows} rows of {table.__tablename__}, and {named[name]} events {name}"


def untold() -> Iterator[str]:
    """What had to follow and did not."""
    reactions = {kind.name: len(follows) for kind, follows in REACTIONS.items()}
    rows = Counter(db.session.scalars(select(OutboxRow.event_id)))
    for record in db.session.scalars(select(EventRecord)):
        if rows[record.id] != reactions.get(record.name, 0):
            yield f"{record.name} {record.id} has {rows[record.id]} reactions"
    for row in db.session.scalars(select(OutboxRow).where(OutboxRow.done_at.is_(None))):
        yield f"{row.reaction} to event {row.event_id} was not carried out: {row.error}"
    told = Counter(db.session.execute(select(Notification.user_id, Notification.event_id)).all())
    yield from (f"{whom} was told {times} times" for whom, times in told.items() if times != 1)
    heard_of = {"comment.posted", "idea.moved"}
    for record in db.session.scalars(select(EventRecord).where(EventRecord.name.in_(heard_of))):
        follows = select(Follow.user_id).where(Follow.idea_id == record.idea_id, Follow.user_id != record.actor_id)
        if record.name == "comment.posted":
            follows = follows.where(Follow.is_author)
        for user_id in db.session.scalars(follows.where(Follow.since < record.at)):
            if told[user_id, record.id] != 1:
                yield f"{user_id} was not told of {record.name} {record.id}"


def wrong_mails(smtp: MailServer) -> Iterator[str]:
    """Mails that did not arrive, or too often."""
    arrived = Counter(mail["Message-ID"] for mail in smtp.got)
    yield from (f"{number} arrived {times} times" for number, times in arrived.items() if times > 2)
    told = Counter((mail["To"], mail["Subject"], mail["Message-ID"]) for mail in smtp.got)
    if len({number for _to, _subject, number in told}) != len(told):
        yield "one Message-ID stands on different mails"
    sent = 0
    for mail in db.session.scalars(select(Mail)):
        if mail.done_at is None and mail.error != "unknown whether it arrived":
            yield f"{mail.key} waits: {mail.error}"
        sent += mail.done_at is not None and mail.suppressed is None
    aside = db.session.scalar(select(func.count()).where(Mail.given_up_at.is_not(None))) or 0
    if not sent <= len(arrived) <= sent + aside:
        yield f"{sent} mails were sent and {aside} set aside; {len(arrived)} arrived"


def unfound() -> Iterator[str]:
    """What the search does not find."""
    if db.session.scalar(select(func.count()).select_from(IndexTask)):
        yield "ideas wait to be indexed"
    if not engine().is_healthy():
        yield "the index is damaged"
        return
    for comment in db.session.scalars(select(Comment).order_by(Comment.id.desc()).limit(5)):
        if comment.idea_id not in {hit.id for hit in engine().search(f'"{comment.body}"', limit=10)}:
            yield f"{comment.body!r} is not found"
