"""How long the pages of triage take inside the process, and each of their statements in the database."""

from __future__ import annotations

import contextvars
import statistics
import time
from collections.abc import Iterator, Sequence

from flask import Flask
from werkzeug.test import Client

from portal.accounts.roles import Role
from portal.bench import inside, visits
from portal.bench.visits import Ask, Visitor, Work
from portal.triage.queues import FIND, QUEUES, SNOOZED

ROUNDS = 7
FILTER = "status:open votes:>20"


def figures(app: Flask) -> dict[str, tuple[float, float, int]]:
    """Return for each page of triage its milliseconds of processor time, median and least, and its statements.

    A busy machine makes waiting long and hardly touches the time of the processor; SQLite works in it too.
    """
    with app.app_context():
        visitor = visits.sign_in(Role.PM, 1)[0]
    return {name: _measured(app, path, visitor) for name, path in _pages()}


def _pages() -> Sequence[tuple[str, str]]:
    queues = [*QUEUES, SNOOZED]
    return [*((name, f"/triage/{name}") for name in queues), (f"a filter, {FILTER}", f"/triage/{FIND}?q={FILTER}")]


def lines(found: dict[int, dict[str, tuple[float, float, int]]]) -> Iterator[str]:
    """Yield a table of all sizes, with the ratio of the largest to the smallest by the least time."""
    sizes = sorted(found)
    heads = [f"{size:,} ideas, CPU ms (least)" for size in sizes]
    yield "| Page of triage | " + " | ".join([*heads, "statements", "ratio"]) + " |"
    yield "| --- |" + " ---: |" * (len(sizes) + 2)
    for name in found[sizes[0]]:
        row = [found[size][name] for size in sizes]
        cells = [f"{median:.1f} ({least:.1f})" for median, least, _statements in row]
        yield f"| {name} | " + " | ".join([*cells, str(row[-1][2]), f"{row[-1][1] / row[0][1]:.2f}"]) + " |"


def _measured(app: Flask, path: str, visitor: Visitor) -> tuple[float, float, int]:
    ask = Ask(path, visitor)
    seen = inside.look(app, Work(path, [ask]))
    times = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        _answer(app, ask)
        times.append((time.thread_time() - began) * 1000)
    return statistics.median(times), min(times), seen.statements


def _answer(app: Flask, ask: Ask) -> None:
    answer = contextvars.Context().run(Client(app, use_cookies=False).open, ask.path, headers=ask.headers)
    if answer.status_code != 200:
        raise RuntimeError(f"{ask.path} answered {answer.status}")
