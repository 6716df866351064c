"""How much open streams cost, how soon all hear of a vote, and what is left for pages meanwhile."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask
from sqlalchemy import select

from portal.accounts.models import Guest
from portal.accounts.roles import Role
from portal.bench import listeners, report, visits
from portal.bench.measure import Say
from portal.bench.processes import Server, drive, portal_server
from portal.bench.visits import Ask, Visitor
from portal.config import ConfigurationError
from portal.db import db
from portal.ideas import lists
from portal.ideas.models import Idea, Vote

CLIENTS = 2  # processes that hold the streams
SHOWN = 20  # ideas on a page
CHECKED_OFTEN = 6.0  # seconds in which everybody who is signed in is looked at a few times
QUIET = 1.0  # seconds between votes
NEXT_TO_NOTHING = 0.05  # of a core
PATIENCE = 180.0  # seconds


@dataclass(slots=True)
class Found:
    """What so many streams cost."""

    streams: int
    signed_in: int
    opened_in: float
    memory: float  # MB with them, more than without
    idle: float  # share of a core while nothing happens, more than without
    waits: list[float] = field(default_factory=list)  # seconds from the vote until all have heard
    pages: dict[str, float] = field(default_factory=dict)  # answers a second
    cpu: dict[str, float] = field(default_factory=dict)  # ms of an answer


def measure(app: Flask, instance: Path, streams: int, votes: int, seconds: float, say: Say) -> Found:
    """Open so many streams of pages that all show the same idea, and vote for it."""
    settings = {"INSTANCE": str(instance), "LIMITS": False, "WORKER": "inside", "STREAMS": streams}
    with app.app_context():
        members = visits.sign_in(Role.MEMBER, streams // 2)
        ideas = [row.id for row in lists.list_ideas(Guest(), lists.Filters(), limit=SHOWN).rows]
        idea = db.session.get_one(Idea, ideas[0])
        idea_id, board_id = idea.id, idea.board_id
        voted = set(db.session.scalars(select(Vote.voter_id).where(Vote.idea_id == idea_id)))
        voters = [member for member in members if member.user_id not in voted]
    topics = ",".join([f"idea-{number}" for number in ideas] + ["boards", f"board-{board_id}"])
    path = f"/live?on={topics}&age=1"
    half = streams // 2
    asks = [Ask(path)] * (streams - half) + [Ask(path, members[number % len(members)]) for number in range(half)]
    page = [Ask("/"), Ask("/", members[0])]
    with portal_server(settings, 1, 8) as server:
        _ask(server, Ask("/", members[0]))
        found = Found(streams, half, 0.0, 0.0, 0.0)
        _wait_until_idle(server)
        _pages(server, page, seconds, "without", found)
        before, idle = server.memory(), _idle(server)
        begin = time.perf_counter()
        with _listening(server, asks) as clients:
            found.opened_in = time.perf_counter() - begin
            say(f"{streams:,} streams are open")
            time.sleep(QUIET * 3)
            found.memory = server.memory() - before
            found.idle = _idle(server) - idle
            _pages(server, page, seconds, "with", found)
            for voter in voters[:votes]:
                time.sleep(QUIET)
                found.waits.append(_vote(server, clients, idea_id, voter))
    return found


def lines(all_found: Sequence[Found]) -> Iterator[str]:
    """Yield the figures as Markdown."""
    yield from report.table(
        ("Streams", "of members", "kB each", "opened in s", "idle, more of a core", "vote seen by all, s", "at worst"),
        [
            (
                f"{one.streams:,}", f"{one.signed_in:,}", f"{one.memory * 1024 / max(one.streams, 1):.1f}",
                f"{one.opened_in:.1f}", f"{one.idle:.1%}", f"{median(one.waits):.2f}", f"{max(one.waits):.2f}",
            )
            for one in all_found
        ],
    )  # fmt: skip
    yield ""
    yield from report.table(
        ("Streams", "Page", "per second without", "with", "server CPU ms without", "with"),
        [
            (f"{one.streams:,}", name, f"{one.pages[f'{name} without']:,.0f}", f"{one.pages[f'{name} with']:,.0f}",
             f"{one.cpu[f'{name} without']:.2f}", f"{one.cpu[f'{name} with']:.2f}")
            for one in all_found for name in ("Board, guest", "Board, signed in")
        ],
    )  # fmt: skip


@contextmanager
def _listening(server: Server, asks: Sequence[Ask]) -> Iterator[list[subprocess.Popen[str]]]:
    with ExitStack() as running:
        clients = []
        for number in range(CLIENTS):
            plan = {"port": server.port, "requests": [ask.raw() for ask in asks[number::CLIENTS]]}
            client = subprocess.Popen(  # noqa: S603 - this Python, with our own file
                [sys.executable, "-I", listeners.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            running.callback(_end, client)
            assert client.stdin is not None
            client.stdin.write(json.dumps(plan) + "\n")
            client.stdin.flush()
            clients.append(client)
        for client in clients:
            _said(client)
        yield clients


def _end(client: subprocess.Popen[str]) -> None:
    assert client.stdin is not None and client.stdout is not None
    client.stdin.close()
    client.wait()
    client.stdout.close()


def _said(client: subprocess.Popen[str]) -> str:
    assert client.stdout is not None
    line = client.stdout.readline().strip()
    if not line:
        raise ConfigurationError("A client that holds streams ended early.")
    return line


def _vote(server: Server, clients: Sequence[subprocess.Popen[str]], idea_id: int, voter: Visitor) -> float:
    """Vote; return how long it took until everybody had heard."""
    begin = time.monotonic()
    if _ask(server, Ask(f"/ideas/{idea_id}/vote", voter, "POST", htmx=True)) >= 400:
        raise ConfigurationError("A vote was refused.")
    return max(float(_said(client)) for client in clients) - begin


def _ask(server: Server, ask: Ask) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(ask.method, ask.path, headers={**ask.headers, "Content-Length": "0"})
        return connection.getresponse().status
    finally:
        connection.close()


def _wait_until_idle(server: Server) -> None:
    """Let the worker see to what it finds in a new portal: while it writes, nothing that is kept stays kept."""
    until = time.monotonic() + PATIENCE
    while _idle(server) > NEXT_TO_NOTHING and time.monotonic() < until:
        pass


def _idle(server: Server) -> float:
    used = server.cpu_seconds()
    time.sleep(CHECKED_OFTEN)
    return (server.cpu_seconds() - used) / CHECKED_OFTEN


def _pages(server: Server, asks: Sequence[Ask], seconds: float, when: str, found: Found) -> None:
    for name, ask in zip(("Board, guest", "Board, signed in"), asks, strict=True):
        figures: dict[str, Any] = drive(server, [ask.raw()], clients=8, seconds=seconds, once=False)
        found.pages[f"{name} {when}"] = figures["per_second"]
        found.cpu[f"{name} {when}"] = figures["cpu_ms"]
