"""How soon what somebody posts is found by another server process, from one browser to the other."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from portal.accounts.roles import Role
from portal.bench import visits
from portal.bench.measure import build
from portal.bench.processes import portal_server
from portal.bench.visits import Ask, Visitor
from portal.config import ConfigurationError
from portal.opening import opened

IDEAS = 1_000
POSTS = 10
PATIENCE = 60.0  # seconds


def measure_freshness(instance: Path, database: str, engine: str) -> Sequence[float]:
    """Post ideas to one server, search on another one, and return how many seconds each took to be found."""
    settings = {"INSTANCE": str(instance), "DATABASE_URL": database, "LIMITS": False, "SEARCH": engine}
    with opened(settings | {"WORKER": "inside"}, any_schema=True) as app:
        build(app, IDEAS, instance)
        with app.app_context():
            (author,) = visits.sign_in(Role.PM, 1)
    with (
        portal_server(settings | {"WORKER": "inside"}, 1, 4) as posted_to,
        portal_server(settings | {"WORKER": "off"}, 1, 4) as searched,
    ):
        return [_until_found(author, posted_to.port, searched.port, number) for number in range(POSTS)]


def told(seconds: Sequence[float]) -> str:
    """Say the median and the longest."""
    return f"{statistics.median(seconds):.2f} s, at most {max(seconds):.2f} s"


def _until_found(author: Visitor, post_to: int, search_on: int, number: int) -> float:
    word = f"unheardof{number}x"
    fields = {
        "title": f"A thing called {word}, please",
        "need": "Nobody has ever heard of it.",
        "proposal": "",
        "board": "",
        "checked": "1",
    }
    _ask(post_to, Ask("/ideas", author, "POST"), urlencode(fields))
    began = time.perf_counter()
    while f"{word}," not in _ask(search_on, Ask(f"/search?q={word}")):
        if time.perf_counter() - began > PATIENCE:
            raise ConfigurationError(f"An idea that was posted was not found within {PATIENCE:.0f} seconds.")
        time.sleep(0.02)
    return time.perf_counter() - began


def _ask(port: int, ask: Ask, form: str = "") -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = ask.headers | {"Accept-Encoding": "identity"}
    if form:
        headers |= {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request(ask.method, ask.path, form or None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status >= 400 or (form and answer.status != 303):
            raise ConfigurationError(f"The portal answered {ask.path} with {answer.status}.")
        return text
    finally:
        connection.close()
