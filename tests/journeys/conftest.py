"""What journeys share: people who come with scripts and without, and one database unless a journey asks for both."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask

from portal import worker
from tests.support.databases import Database


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database in which nothing has happened yet: SQLite, or what ``@on_both_databases`` asks for."""
    kind = getattr(request, "param", "sqlite")
    database: Database = request.getfixturevalue(f"{kind}_database")
    database.renew()
    return database


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def scripts(request: pytest.FixtureRequest) -> bool:
    """Whether browsers run scripts: a test that uses this runs once with them and once without."""
    return bool(request.param)


@pytest.fixture
def come(open_page: Callable[..., Any], scripts: bool) -> Callable[..., Any]:
    """Open pages of people who come with scripts, and in a second run without: ``come(user, width=390)``."""
    return partial(open_page, javascript=scripts)


@pytest.fixture
def settle(app: Flask) -> Callable[[], None]:
    """Work off what follows as a worker does, with a session of its own: what the test holds stays in its hands."""

    def work() -> None:
        with app.app_context():
            worker.settle()

    return work
