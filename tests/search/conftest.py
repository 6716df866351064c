"""Search engines of either kind, each with an index of its own."""

from collections.abc import Callable, Iterator

import pytest

from portal.search.engine import Engine
from portal.search.evaluation import new_postgres_engine
from portal.search.on_postgres import PostgresEngine
from portal.search.on_whoosh import WhooshEngine


@pytest.fixture(scope="module", params=["whoosh", "postgres"])
def engines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Engine]]:
    """Make engines that have no index yet; a test that uses them runs once on each kind."""

    def on_whoosh(**settings: int) -> Engine:
        return WhooshEngine(tmp_path_factory.mktemp("index") / "search", **settings)

    def on_postgres(**settings: int) -> Engine:
        _made.append(new_postgres_engine(server.url(), **settings))
        return _made[-1]

    if request.param == "whoosh":
        yield on_whoosh
        return
    server = request.getfixturevalue("postgres")
    yield on_postgres
    _made.clear()


@pytest.fixture(autouse=True)
def no_connection_outlives_its_test() -> Iterator[None]:
    """Let engines that tests of a module share connect anew in each of them."""
    yield
    for engine in _made:
        engine.database.dispose()


_made: list[PostgresEngine] = []


@pytest.fixture
def new_engine(engines: Callable[..., Engine]) -> Iterator[Callable[..., Engine]]:
    """Make engines for this test alone; their connections end with it, for a server has only so many."""
    made: list[Engine] = []

    def make(**settings: int) -> Engine:
        made.append(engines(**settings))
        return made[-1]

    yield make
    for engine in made:
        if isinstance(engine, PostgresEngine):
            engine.database.dispose()
