"""Two web processes and a worker share one index: it is fresh in both, and damage keeps nobody from finding ideas."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

import portal
from portal.db import db
from portal.search.engine import LOOK_AGAIN
from portal.search.index import engine
from portal.search.models import SearchPostings
from portal.search.on_whoosh import WhooshEngine
from tests.factories import make_board, make_idea
from tests.support.databases import forget, migrate
from tests.support.mail import free_port

ROOT = Path(__file__).parent.parent.parent
SECRET = "a secret of the tests, and of nobody else"
PATIENCE = 60  # seconds, on a machine that does much else


@pytest.fixture
def app(empty_database: str, tmp_path: Path) -> Iterator[Flask]:
    """The portal of this process, which only writes ideas; its index is kept where its data are."""
    migrate(empty_database, tmp_path)
    app = portal.create_app(settings(empty_database, tmp_path) | {"TESTING": True})
    with app.app_context():
        yield app
        forget(db)


@pytest.fixture
def processes(app: Flask, empty_database: str, tmp_path: Path) -> Iterator[list[int]]:
    """Two servers and a worker; yields the servers' ports."""
    ports = [free_port(), free_port()]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    environment |= {f"PORTAL_{name}": str(value) for name, value in settings(empty_database, tmp_path).items()}
    environment["PORTAL_DATABASE_URL"] = empty_database
    commands = [["serve", "--port", str(port)] for port in ports] + [["worker"]]
    with (tmp_path / "log").open("wb") as log:
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "portal.cli", *command], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
            for command in commands
        ]
    yield ports
    for process in running:
        process.terminate()
    for process in running:
        process.wait(20)


def test_what_is_written_is_found_by_both_and_a_damaged_index_is_replaced(app, processes):
    make_idea("Export the roadmap to a spreadsheet", board=make_board("Open"))
    for port in processes:
        wait_until_found(port, "spreadsheet", "Export the roadmap")

    make_idea("Remind me of zanzibari holidays")
    for port in processes:
        wait_until_found(port, "zanzibari", "Remind me of")

    damage()
    time.sleep(2 * LOOK_AGAIN)  # until then a process may go on with what it has open
    for port in processes:
        assert "Export the roadmap" in page(port, "spreadsheet"), "the database answers meanwhile"
    until = time.monotonic() + PATIENCE
    while not engine().is_healthy() and time.monotonic() < until:
        time.sleep(0.2)

    assert engine().is_healthy(), "the worker built it anew, and nobody asked it to"
    for port in processes:
        wait_until_found(port, '"remind me of"', "zanzibari holidays")


def settings(database: str, instance: Path) -> dict[str, object]:
    return {
        "SQLALCHEMY_DATABASE_URI": database,
        "INSTANCE": str(instance),
        "SECRET_KEY": SECRET,
        "WORKER": "off",
        "LIMITS": False,
        "SEARCH": "whoosh" if database.startswith("sqlite") else "postgres",
    }


def damage() -> None:
    found = engine()
    if isinstance(found, WhooshEngine):
        for file in found.folder.glob("index-*/*"):
            file.unlink()  # whoever has it open reads on; what is written into a mapped file nobody could tell
            file.write_bytes(b"scribble" * 40)
        (found.folder / "current").write_text("nonsense")
    else:
        with db.engine.begin() as connection:
            connection.execute(sa.delete(SearchPostings))
            connection.execute(sa.text("DELETE FROM search_index"))


def page(port: int, query: str) -> str:
    address = f"http://127.0.0.1:{port}/search?q={urllib.parse.quote(query)}"
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.read().decode()


def wait_until_found(port: int, query: str, title: str) -> None:
    until, problem = time.monotonic() + PATIENCE, ""
    while time.monotonic() < until:
        try:
            if title in page(port, query):
                return
        except OSError as error:
            problem = str(error)
        time.sleep(0.1)
    raise AssertionError(f"{title!r} was not found on {port}: {problem}")
