"""How long the whole search page takes inside the process: facets, passages and counts included."""

from __future__ import annotations

import contextvars
import statistics
import time
from collections.abc import Iterator, Sequence
from urllib.parse import quote_plus

from flask import Flask
from sqlalchemy import select
from werkzeug.test import Client

from portal.accounts.roles import Role
from portal.bench import visits
from portal.bench.community import TAGS
from portal.bench.report import table
from portal.bench.visits import Ask
from portal.boards.models import Board
from portal.db import db
from portal.demand.log import search_log
from portal.ideas.models import Idea

ROUNDS = 3
WORDS = ("offline", "map", "route", "hut", "watch", "battery", "photo", "snow")
KINDS = {
    "one word": "{}",
    "two words": "{} map",
    "a phrase": '"the {}"',
    "a word and a status": "{} status:planned",
    "a word, a board and a year": "{} board:{board} year:{year}",
    "all but a word": "{} -path",
    "limits alone": "status:planned tag:{tag}",
    "misspelt": "{}x",
}


def lines(app: Flask) -> Iterator[str]:
    """Yield a table of how long each kind of search takes a signed-in member, median and 95th percentile."""
    with app.app_context():
        visitor = visits.sign_in(Role.MEMBER, 1)[0]
        board = db.session.scalars(select(Board.slug).order_by(Board.id)).first()
        newest = db.session.scalars(select(Idea.published_at).order_by(Idea.id.desc()).limit(1)).one()
    named = {"board": board, "year": newest.year, "tag": TAGS[0]}
    rows = []
    for kind, pattern in KINDS.items():
        asks = [Ask(f"/search?q={quote_plus(pattern.format(word, **named))}", visitor) for word in WORDS]
        rows.append((kind, *_spread(app, asks)))
    with app.app_context():
        search_log().write_down(everything=True)  # nothing is left to a thread when the folder is gone
    yield from table(("Search page, signed in", "median ms", "95 % ms", "CPU ms"), rows)


def _spread(app: Flask, asks: Sequence[Ask]) -> tuple[str, str, str]:
    for ask in asks:
        _answer(app, ask)
    times, work = [], []
    for ask in [*asks] * ROUNDS:
        began, worked = time.perf_counter(), time.thread_time()
        _answer(app, ask)
        times.append((time.perf_counter() - began) * 1000)
        work.append((time.thread_time() - worked) * 1000)
    times.sort()
    shown = statistics.median(times), times[int(len(times) * 0.95)], statistics.median(work)
    return f"{shown[0]:.1f}", f"{shown[1]:.1f}", f"{shown[2]:.1f}"


def _answer(app: Flask, ask: Ask) -> None:
    answer = contextvars.Context().run(Client(app, use_cookies=False).open, ask.path, headers=ask.headers)
    if answer.status_code != 200:
        raise RuntimeError(f"{ask.path} answered {answer.status}")
