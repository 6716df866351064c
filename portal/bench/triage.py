"""How long the pages of triage take inside the process, and each of their statements in the database."""

from __future__ import annotations

import contextvars
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle

from flask import Flask
from werkzeug.test import Client

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.bench import inside, visits
from portal.bench.visits import Ask, Visitor, Work
from portal.db import db
from portal.triage.queues import FIND, QUEUES, SNOOZED, ids_of, queue_named

ROUNDS = 9
FILTER = "status:open votes:>20"
Figure = tuple[float, float, int]
"""Milliseconds of processor time, median and least, and statements."""


def figures(apps: Mapping[int, Flask]) -> dict[int, dict[str, Figure]]:
    """Return for portals by their size what each page of triage costs.

    A busy machine makes waiting long and touches the time of the processor less; SQLite works in it too. Every round
    asks all portals one after the other, so that the neighbours are the same for all, and each time for another idea of
    the queue, so that nothing is at hand that a person would have to wait for.
    """
    visitors = {}
    for size, app in apps.items():
        with app.app_context():
            visitors[size] = visits.sign_in(Role.PM, 1)[0]
    found: dict[int, dict[str, Figure]] = {size: {} for size in apps}
    for name, queue, query in _pages():
        asks = {size: _asks(app, visitors[size], queue, query) for size, app in apps.items()}
        for size, figure in _measured(apps, asks).items():
            found[size][name] = figure
    return found


def _pages() -> Sequence[tuple[str, str, str]]:
    return [*((name, name, "") for name in (*QUEUES, SNOOZED)), (f"a filter, {FILTER}", FIND, FILTER)]


def _asks(app: Flask, visitor: Visitor, name: str, query: str) -> list[Ask]:
    """Return requests for the first desks of the queue; for the queue itself where it is empty."""
    with app.app_context():
        person = db.session.get_one(User, visitor.user_id)
        queue = queue_named(name, person, query)
        numbers = ids_of(queue, person, None, ROUNDS) if queue else []
    more = f"?q={query}" if query else ""
    return [Ask(f"/triage/{name}/{number}{more}", visitor) for number in numbers] or [
        Ask(f"/triage/{name}{more}", visitor)
    ]


def lines(found: dict[int, dict[str, Figure]]) -> Iterator[str]:
    """Yield a table of all sizes, with the ratio of the largest to the smallest by the median."""
    sizes = sorted(found)
    heads = [f"{size:,} ideas, CPU ms (least)" for size in sizes]
    yield "| Page of triage | " + " | ".join([*heads, "statements", "ratio"]) + " |"
    yield "| --- |" + " ---: |" * (len(sizes) + 2)
    for name in found[sizes[0]]:
        row = [found[size][name] for size in sizes]
        cells = [f"{median:.1f} ({least:.1f})" for median, least, _statements in row]
        yield f"| {name} | " + " | ".join([*cells, str(row[-1][2]), f"{row[-1][0] / row[0][0]:.2f}"]) + " |"


def _measured(apps: Mapping[int, Flask], asks: Mapping[int, list[Ask]]) -> dict[int, Figure]:
    sent = {size: inside.look(app, Work(asks[size][0].path, asks[size][:1])).statements for size, app in apps.items()}
    times: dict[int, list[float]] = {size: [] for size in apps}
    following = {size: cycle(asks[size]) for size in apps}
    for _ in range(ROUNDS):
        for size, app in apps.items():
            ask = next(following[size])
            began = time.thread_time()
            _answer(app, ask)
            times[size].append((time.thread_time() - began) * 1000)
    return {size: (statistics.median(times[size]), min(times[size]), sent[size]) for size in apps}


def _answer(app: Flask, ask: Ask) -> None:
    answer = contextvars.Context().run(Client(app, use_cookies=False).open, ask.path, headers=ask.headers)
    if answer.status_code != 200:
        raise RuntimeError(f"{ask.path} answered {answer.status}")
