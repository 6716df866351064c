"""What one decision costs where many voted: the request, and what follows until the last mail is out."""

from __future__ import annotations

import contextvars
import http.client
import smtplib
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import flask_migrate
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import select
from werkzeug.test import Client

from portal import worker
from portal.accounts.models import User, name_key
from portal.accounts.roles import Role
from portal.accounts.service import ensure_rules
from portal.bench import community, inside, sink, visits
from portal.bench.processes import Server, portal_server
from portal.bench.visits import Visitor
from portal.boards.models import Board
from portal.config import ConfigurationError
from portal.db import db, on_sqlite, utcnow
from portal.ideas import moves, service
from portal.ideas.models import Follow, Idea, Vote
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.models import Mail, Notification
from portal.opening import opened
from portal.transactions import transaction

SMALL = 20  # ideas beside those that are decided
ROUNDS = 9
BATCH = 1000
LOOK_EVERY = 0.25  # seconds
STALLED = 120  # seconds without one more mail


@dataclass(slots=True)
class Drained:
    """How what follows from one decision went."""

    request_ms: float = 0.0
    told_in: float = 0.0
    mailed_in: float = 0.0
    mails: int = 0
    distinct: int = 0
    memory_before: float = 0.0
    memory_most: float = 0.0
    memory_at: dict[int, float] = field(default_factory=dict)  # by the quarter of the mails that was out
    cpu_seconds: float = 0.0
    pages_ms: list[float] = field(default_factory=list)  # of a page asked for meanwhile


@dataclass(slots=True)
class Looped:
    """All that was found."""

    database: str
    voters: tuple[int, int]
    wall: dict[int, list[float]] = field(default_factory=dict)
    cpu: dict[int, list[float]] = field(default_factory=dict)
    statements: dict[int, int] = field(default_factory=dict)
    follows: dict[str, float] = field(default_factory=dict)  # statements of what follows, by where
    drained: Drained = field(default_factory=Drained)


def measure(few: int, many: int, place: Path, database: str, minutes: float) -> Iterator[str]:
    """Build a portal where ideas have ``few`` or ``many`` voters, decide some of each, and yield what was found."""
    place.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {
        "INSTANCE": str(place),
        "DATABASE_URL": database,
        "LIMITS": False,
        "FOLD_MINUTES": 0,
        "WORKER": "off",
        "MAIL_URL": "",
    }
    with opened(settings, any_schema=True) as app:
        found = Looped("SQLite" if on_sqlite() else "PostgreSQL", (few, many))
        ideas = _build(few, many)
    with opened(settings) as app:
        decider = visits.sign_in(Role.PM, 1)[0]
        _decide_inside(app, decider, ideas, found)
        _forget_what_follows()
    yield from _of_requests(found)
    with mail_sink() as taken:
        settings |= {"WORKER": "inside", "MAIL_URL": f"smtp://127.0.0.1:{taken.port}"}
        with portal_server(settings, 1, 8) as server, opened(settings) as app:
            found.drained = _drain(server, taken, decider, ideas[many][-1], many, minutes)
    yield from _of_what_follows(found)


def _of_requests(found: Looped) -> Iterator[str]:
    few, many = found.voters
    yield f"| {found.database} | {few:,} voters | {many:,} voters | ratio |"
    yield "| --- | ---: | ---: | ---: |"
    for name, times in (("Decision, ms", found.wall), ("Decision, CPU ms", found.cpu)):
        small, large = statistics.median(times[few]), statistics.median(times[many])
        yield f"| {name}, median of {ROUNDS} | {small:.1f} | {large:.1f} | {large / small:.2f} |"
    yield f"| Statements of the request | {found.statements[few]} | {found.statements[many]} | |"
    yield ""


def _of_what_follows(found: Looped) -> Iterator[str]:
    many, went = found.voters[1], found.drained
    rate = went.mails / went.mailed_in if went.mailed_in else 0.0
    yield f"- the request, the worker beside it: {went.request_ms:.0f} ms"
    yield f"- {many:,} people told in {went.told_in:.1f} s: {many / (went.told_in or 1):,.0f} a second"
    yield f"- {went.mails:,} mails ({went.distinct:,} distinct) in {went.mailed_in:.1f} s: {rate:.0f} a second"
    yield f"- memory of the server {went.memory_before:.0f} MB before, {went.memory_most:.0f} MB at most"
    quarters = ", ".join(f"{went.memory_at[quarter]:.0f}" for quarter in sorted(went.memory_at))
    yield f"- memory after each quarter of the mails: {quarters} MB"
    each = went.cpu_seconds * 1000 / max(went.mails, 1)
    yield f"- processor of the server {went.cpu_seconds:.1f} s: {each:.1f} ms a mail"
    if went.pages_ms:
        median = statistics.median(went.pages_ms)
        yield f"- a guest’s page meanwhile: {median:.0f} ms in the median of {len(went.pages_ms)}"


# Building


def _build(few: int, many: int) -> dict[int, list[int]]:
    if sa.inspect(db.engine).get_table_names():
        raise ConfigurationError("The database is not empty. Give an empty one.")
    flask_migrate.upgrade()
    community.build(SMALL, lambda _done, _all: None)
    ensure_rules()
    _settle_in(many)
    ideas = {size: [_post(number, size) for number in range(ROUNDS + 1)] for size in (few, many)}
    worker.settle()  # nobody follows them yet
    voters = list(db.session.scalars(select(User.id).where(User.email.like("voter%")).order_by(User.id)))
    for size, numbers in ideas.items():
        for idea_id in numbers:
            _vote(idea_id, voters[:size])
    return ideas


def _settle_in(number: int) -> None:
    now = utcnow()
    rows = [
        {
            "email": f"voter{n}@voters.example",
            "name": f"Voter {n}",
            "name_key": name_key(f"Voter {n}"),
            "role": Role.MEMBER,
            "confirmed_at": now,
            "approved_at": now,
            "created_at": now,
            "wants_mail": True,
            "shortcuts_on": True,
            "theme": "",
        }
        for n in range(number)
    ]
    with transaction(wake=False):
        for start in range(0, number, BATCH):
            db.session.execute(sa.insert(User), rows[start : start + BATCH])


def _post(number: int, size: int) -> int:
    pm = db.session.scalars(select(User).where(User.role == Role.PM).order_by(User.id)).first()
    author = db.session.scalars(select(User).where(User.email.like("voter%")).order_by(User.id)).first()
    board = db.session.scalars(select(Board).order_by(Board.id)).first()
    if pm is None or author is None or board is None:
        raise ConfigurationError("The small portal lacks people.")
    with transaction(wake=False):
        idea = service.submit_idea(author, board, title=f"Idea {number} of {size}", need="We do it by hand today.")
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))
    return idea.id


def _vote(idea_id: int, voters: Sequence[int]) -> None:
    now = utcnow()
    there = set(db.session.scalars(select(Vote.voter_id).where(Vote.idea_id == idea_id)))
    new = [voter for voter in voters if voter not in there]
    with transaction(wake=False):
        for start in range(0, len(new), BATCH):
            some = new[start : start + BATCH]
            votes = [{"idea_id": idea_id, "voter_id": voter, "cast_at": now, "note": ""} for voter in some]
            db.session.execute(sa.insert(Vote), votes)
            follows = [{"idea_id": idea_id, "user_id": v, "is_voter": True, "since": now} for v in some]
            db.session.execute(sa.insert(Follow), follows)
        db.session.execute(sa.update(Idea).where(Idea.id == idea_id).values(votes=Idea.votes + len(new)))


# The request


def _decide_inside(app: Flask, decider: Visitor, ideas: Mapping[int, Sequence[int]], found: Looped) -> None:
    """Decide ideas of both sizes in turn, so that the neighbours are the same for both."""
    found.wall, found.cpu = {size: [] for size in ideas}, {size: [] for size in ideas}
    for size in ideas:
        with inside.statements(app) as sent:
            _answer(app, decider, ideas[size][0])
        found.statements[size] = len(sent)
    for number in range(1, ROUNDS):
        for size in ideas:
            wall, cpu = time.perf_counter(), time.thread_time()
            _answer(app, decider, ideas[size][number])
            found.wall[size].append((time.perf_counter() - wall) * 1000)
            found.cpu[size].append((time.thread_time() - cpu) * 1000)


def _form() -> dict[str, str]:
    return {"planned-seen": "under_review", "planned-answer": "We build it in spring, with the first boats."}


def _path(idea_id: int) -> str:
    return f"/triage/answer-due/{idea_id}/move/planned"


def _answer(app: Flask, decider: Visitor, idea_id: int) -> None:
    headers = {"Cookie": decider.cookie, "X-CSRFToken": decider.token, "Sec-Fetch-Site": "same-origin"}
    client = Client(app, use_cookies=False)
    answer = contextvars.Context().run(client.open, _path(idea_id), method="POST", data=_form(), headers=headers)
    if answer.status_code != 303:
        raise RuntimeError(f"{_path(idea_id)} answered {answer.status}")


def _forget_what_follows() -> None:
    """Leave only the last decision to be told of."""
    with transaction(wake=False):
        db.session.execute(sa.text("DELETE FROM outbox"))
        db.session.execute(sa.delete(Mail))


# What follows


@dataclass(slots=True)
class Taken:
    """The mail server, and what it took."""

    port: int

    def count(self) -> tuple[int, int]:
        """How many mails came, and how many of them were different ones."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
            _code, words = client.docmd("NOOP", "COUNT")
        number, distinct = words.split()
        return int(number), int(distinct)


@contextmanager
def mail_sink() -> Iterator[Taken]:
    """A mail server in a process of its own, for as long as the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-I", sink.__file__, str(port)])  # noqa: S603 - this Python, our file
    try:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield Taken(port)
    finally:
        process.terminate()
        process.wait(20)


def _drain(server: Server, taken: Taken, decider: Visitor, idea_id: int, people: int, minutes: float) -> Drained:
    went = Drained(memory_before=server.memory())
    cpu, began = server.cpu_seconds(), time.perf_counter()
    _ask(server, "POST", _path(idea_id), decider)
    went.request_ms = (time.perf_counter() - began) * 1000
    over = threading.Event()
    readers = threading.Thread(target=_read_meanwhile, args=(server, f"/ideas/{idea_id}", over, went), daemon=True)
    readers.start()
    last, last_at = -1, began
    ends = began + minutes * 60
    while went.mails < people and time.perf_counter() < min(ends, last_at + STALLED):
        time.sleep(LOOK_EVERY)
        now = time.perf_counter()
        if not went.told_in and _told(idea_id) >= people - 1:
            went.told_in = now - began
        went.mails, went.distinct = taken.count()
        memory = server.memory()
        went.memory_most = max(went.memory_most, memory)
        went.memory_at.setdefault(4 * went.mails // people, memory)
        if went.mails != last:
            last, last_at = went.mails, now
    went.mailed_in, went.cpu_seconds = last_at - began, server.cpu_seconds() - cpu
    over.set()
    readers.join(20)
    return went


def _told(idea_id: int) -> int:
    db.session.remove()
    told = select(sa.func.count()).where(Notification.idea_id == idea_id, Notification.kind == "decided")
    return db.session.scalar(told) or 0


def _read_meanwhile(server: Server, path: str, over: threading.Event, went: Drained) -> None:
    while not over.wait(0.2):
        began = time.perf_counter()
        _ask(server, "GET", path, None)
        went.pages_ms.append((time.perf_counter() - began) * 1000)


def _ask(server: Server, method: str, path: str, visitor: Visitor | None) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Sec-Fetch-Site": "same-origin"}
    body = None
    if visitor:
        headers |= {"Cookie": visitor.cookie, "X-CSRFToken": visitor.token}
        headers["Content-Type"], body = "application/x-www-form-urlencoded", urlencode(_form())
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status not in {200, 303}:
            raise RuntimeError(f"{path} answered {answer.status}")
    finally:
        connection.close()
