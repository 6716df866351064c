"""One size of portal: built, served, loaded and looked at."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import flask_migrate
import sqlalchemy as sa
from flask import Flask

from portal.bench import community, inside, visits
from portal.bench.inside import Inside
from portal.bench.processes import Server, drive, hello_server, portal_server
from portal.bench.visits import Work
from portal.cli.progress import progress
from portal.comments.models import Comment
from portal.config import ConfigurationError
from portal.db import db, on_sqlite
from portal.events import OutboxRow
from portal.ideas.models import Idea, Vote
from portal.opening import opened
from portal.search import index

Say = Callable[[str], None]
DRAIN_WITHIN = 20  # seconds for what follows from votes, before the next round
HELLO = "Hello"


@dataclass(frozen=True, slots=True)
class How:
    """How hard the portal is asked."""

    clients: int
    seconds: float
    rounds: int
    processes: int
    threads: int


@dataclass(frozen=True, slots=True)
class Figure:
    """How one kind of request went: medians of the rounds."""

    per_second: float
    of_hello: float
    of_hello_cpu: float
    median_ms: float
    p95_ms: float
    cpu_ms: float
    failed: int


@dataclass(slots=True)
class Sized:
    """All that was found about one portal."""

    ideas: int
    votes: int
    comments: int
    database: str
    built_in: float | None
    indexed_in: float | None
    size: int
    started_in: float = 0.0
    memory: tuple[float, float] = (0.0, 0.0)
    requests: int = 0
    busiest_client: float = 0.0
    figures: dict[str, Figure] = field(default_factory=dict)
    inside: dict[str, Inside] = field(default_factory=dict)


@contextmanager
def folder(keep: Path | None) -> Iterator[Path]:
    """A folder for instances: one that stays, or one that goes."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    made = Path(tempfile.mkdtemp(prefix="portal-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def built(ideas: int, instance: Path) -> Iterator[Flask]:
    """A portal of so many ideas, in SQLite, to be asked inside this process."""
    settings = {"INSTANCE": str(instance), "DATABASE_URL": "", "LIMITS": False, "WORKER": "inside"}
    instance.mkdir(parents=True, exist_ok=True)
    with opened(settings, any_schema=True) as app:
        build(app, ideas, instance)
    with opened(settings) as app:
        yield app


def measure(ideas: int, instance: Path, database: str, how: How | None, say: Say) -> Sized:
    """Build a portal of so many ideas unless it is there, and measure it; without ``how`` only from inside."""
    settings = {"INSTANCE": str(instance), "DATABASE_URL": database, "LIMITS": False, "WORKER": "inside"}
    with opened(settings, any_schema=True) as app:
        found = build(app, ideas, instance)
    with opened(settings) as app:
        works = visits.plan(app)
        if how:
            _load(app, works, settings, how, found, say)
        found.inside = {work.name: inside.look(app, work) for work in works}
    return found


def build(app: Flask, ideas: int, instance: Path) -> Sized:
    """Fill an empty portal with so many ideas, or find that it has them; see that they are indexed."""
    built_in = indexed_in = None
    tables = sa.inspect(db.engine).get_table_names()
    if tables and Idea.__tablename__ not in tables:
        raise ConfigurationError(f"The database is not empty: it has the table {tables[0]}. Give an empty one.")
    if not tables:
        flask_migrate.upgrade()
        begin = time.perf_counter()
        with progress(f"Building {ideas:,} ideas") as at:
            community.build(ideas, at)
        built_in = time.perf_counter() - begin
    there = _count(Idea)
    if there != ideas:
        raise ConfigurationError(f"The database is not empty: it holds {there} ideas. Give an empty one.")
    if not index.engine().is_healthy():
        begin = time.perf_counter()
        with progress("Indexing") as at:
            index.rebuild(at)
        indexed_in = time.perf_counter() - begin
    kind = "SQLite" if on_sqlite() else "PostgreSQL"
    size = sum(file.stat().st_size for file in instance.glob("portal.db*"))
    return Sized(there, _count(Vote), _count(Comment), kind, built_in, indexed_in, size)


def _load(app: Flask, works: list[Work], settings: Mapping[str, Any], how: How, found: Sized, say: Say) -> None:
    rounds: dict[str, list[dict[str, Any]]] = {work.name: [] for work in works}
    raw = {work.name: [ask.raw() for ask in work.asks] for work in works}
    hello: list[dict[str, Any]] = []
    greeting = ["GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"]
    with (
        hello_server(how.processes, how.threads) as yardstick,
        portal_server(settings, how.processes, how.threads) as portal,
    ):
        found.started_in, before = portal.started_in, portal.memory()
        for number in range(how.rounds):
            say(f"Round {number + 1} of {how.rounds}")
            hello.append(drive(yardstick, greeting, clients=how.clients, seconds=how.seconds, once=False))
            for work in works:
                rounds[work.name].append(_ask(portal, work, raw, how))
            _wait_for_what_follows(app)
        found.memory = (before, portal.memory())
    found.figures[HELLO] = _figure(hello, hello)
    found.figures |= {name: _figure(drives, hello) for name, drives in rounds.items()}
    drives = [drive for drives in rounds.values() for drive in drives]
    found.requests = sum(drive["all_answers"] for drive in drives)
    found.busiest_client = max(drive["own_share"] for drive in [*hello, *drives])


def _ask(portal: Server, work: Work, raw: dict[str, list[str]], how: How) -> dict[str, Any]:
    requests = raw[work.name]
    figures = drive(portal, requests, clients=how.clients, seconds=how.seconds, once=work.once)
    if work.once:
        del requests[: figures["all_answers"]]
    return figures


def _wait_for_what_follows(app: Flask) -> None:
    waiting = sa.select(sa.func.count()).select_from(OutboxRow).where(OutboxRow.done_at.is_(None))
    until = time.monotonic() + DRAIN_WITHIN
    with app.app_context():
        while time.monotonic() < until and db.session.scalar(waiting):
            db.session.rollback()
            time.sleep(0.2)


def _figure(drives: list[dict[str, Any]], hello: list[dict[str, Any]]) -> Figure:
    def middle(name: str) -> float:
        return median(drive[name] for drive in drives)

    of_hello = median(drive["per_second"] / greeted["per_second"] for drive, greeted in zip(drives, hello, strict=True))
    by_cpu = median(greeted["cpu_ms"] for greeted in hello) / max(middle("cpu_ms"), 0.001)
    failed = sum(
        number for drive in drives for status, number in drive["statuses"].items() if not status.startswith("2")
    )
    waits = middle("median_ms"), middle("p95_ms")
    return Figure(middle("per_second"), of_hello, by_cpu, *waits, middle("cpu_ms"), failed)


def _count(table: type[Any]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
