"""What one decision costs where many voted: the request, and what follows until the last mail is out."""

from __future__ import annotations

import contextvars
import http.client
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
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
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.accounts.service import ensure_rules
from portal.bench import community, inside, visits, voters
from portal.bench.mailed import Drained, Taken, mail_sink, watch
from portal.bench.processes import Server, portal_server
from portal.bench.visits import Visitor
from portal.boards.models import Board
from portal.config import ConfigurationError
from portal.db import db, on_sqlite
from portal.ideas import moves, service
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.models import Mail, Notification
from portal.opening import opened
from portal.transactions import transaction

SMALL = 20  # ideas beside those that are decided
ROUNDS = 9


@dataclass(slots=True)
class Told:
    """How what follows from one decision went, but for the mails."""

    request_ms: float = 0.0
    told_in: float = 0.0
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
    told: Told = field(default_factory=Told)
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
            found.drained = _drain(server, taken, decider, ideas[many][-1], minutes, found)
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
    many, told = found.voters[1], found.told
    yield f"- the request, the worker beside it: {told.request_ms:.0f} ms"
    yield f"- {many:,} people told in {told.told_in:.1f} s: {many / (told.told_in or 1):,.0f} a second"
    yield from found.drained.lines()
    if told.pages_ms:
        median = statistics.median(told.pages_ms)
        yield f"- a guest’s page meanwhile: {median:.0f} ms in the median of {len(told.pages_ms)}"


# Building


def _build(few: int, many: int) -> dict[int, list[int]]:
    if sa.inspect(db.engine).get_table_names():
        raise ConfigurationError("The database is not empty. Give an empty one.")
    flask_migrate.upgrade()
    community.build(SMALL, lambda _done, _all: None)
    ensure_rules()
    members = voters.settle_in(many)
    ideas = {size: [_post(number, size) for number in range(ROUNDS + 1)] for size in (few, many)}
    worker.settle()  # nobody follows them yet
    for size, numbers in ideas.items():
        for idea_id in numbers:
            voters.vote(idea_id, members[:size])
    return ideas


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


def _drain(server: Server, taken: Taken, decider: Visitor, idea_id: int, minutes: float, found: Looped) -> Drained:
    people, told, over = found.voters[1], found.told, threading.Event()
    path = f"/ideas/{idea_id}"
    readers = threading.Thread(target=_read_meanwhile, args=(server, path, over, told), daemon=True)

    def begin() -> None:
        began = time.perf_counter()
        _ask(server, "POST", _path(idea_id), decider)
        told.request_ms = (time.perf_counter() - began) * 1000
        readers.start()

    def look(seconds: float) -> None:
        if not told.told_in and _told(idea_id) >= people - 1:
            told.told_in = seconds

    went = watch(server, taken, people, minutes, begin, look)
    over.set()
    readers.join(20)
    return went


def _told(idea_id: int) -> int:
    db.session.remove()
    told = select(sa.func.count()).where(Notification.idea_id == idea_id, Notification.kind == "decided")
    return db.session.scalar(told) or 0


def _read_meanwhile(server: Server, path: str, over: threading.Event, told: Told) -> None:
    while not over.wait(0.2):
        began = time.perf_counter()
        _ask(server, "GET", path, None)
        told.pages_ms.append((time.perf_counter() - began) * 1000)


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
