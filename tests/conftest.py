"""The fixtures: peers, the app on both databases, people with browsers."""

import gc
import os
import re
from collections.abc import Callable, Iterable, Iterator
from email.message import EmailMessage
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import settings as examples
from jinja2 import BytecodeCache
from werkzeug.routing import Rule

import portal
from portal import worker
from portal.accounts.models import User
from portal.db import db, on_sqlite
from portal.membership import setting_up
from portal.notifications.mails import sending
from portal.notifications.mails.letter import Letter
from portal.notifications.models import Mail
from portal.options import option
from portal.web import assets
from tests.support import need
from tests.support.browser import Browser
from tests.support.chromium import help_playwright_start, start
from tests.support.connections import close_what_was_left_open, watch_connections
from tests.support.databases import Database, Postgres, SQLite, forget, in_a_hurry, on_one_database
from tests.support.live import People, served
from tests.support.mail import MailServer
from tests.support.mail_clients import problems_of
from tests.support.postgres import PostgreSQL
from tests.support.templates import CompiledTemplates
from tests.support.valkey import Valkey
from tests.support.worlds import Worlds

OURS = ("PORTAL_TEST_", "PORTAL_FAILED_CHECKS", "PORTAL_VENV")


def pytest_configure() -> None:
    """Forget the settings of this shell: the tests say themselves what the portal is to be like."""
    for name in [name for name in os.environ if name.startswith("PORTAL_") and not name.startswith(OURS)]:
        del os.environ[name]
    watch_connections()
    examples.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    examples.load_profile("any machine")  # on top of what is chosen for CI: how busy a machine is proves nothing


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Put people in front of screens on one database, unless their test says on which; the whole story is on both."""
    marks = metafunc.definition.iter_markers("parametrize")
    said = any("database" in mark.args[0] for mark in marks)
    if not said and {"chromium", "database"} <= set(metafunc.fixturenames):
        metafunc.definition.add_marker(on_one_database)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process has half a minute of work left when the others have none."""
    items.sort(key=lambda item: not LONG.search(item.nodeid))


LONG = re.compile(r"^tests/(test_(leaks|matrix|addresses|kill)\.py|journeys/|bench/|cli/test_server|live/)")


def pytest_collection_finish() -> None:
    """Look for garbage between tests only: looking at any moment takes a fifth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1_000)


def pytest_runtest_logfinish() -> None:
    """Sweep up after each fiftieth test, and look no more at what stays: it is what was compiled, and grows."""
    if next(_tests) % 50 == 0:
        gc.collect()
        gc.freeze()


_tests = count(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Fail a test that leaves a connection open: swept up later, it would fail another."""
    try:
        yield
    finally:
        left = close_what_was_left_open()
    assert not left, "left open: " + ", ".join(left)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name the checks that failed before the tests, so that nobody overlooks them above a green line."""
    if failed := os.environ.get("PORTAL_FAILED_CHECKS"):
        terminalreporter.write_line(f"FAILED before the tests: {failed} (shown at the top)", red=True)


# Peers


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A real PostgreSQL server, which commits nothing by itself: what is kept while nothing is committed stays kept."""
    server = need("postgres", partial(PostgreSQL, "autovacuum=off"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A real Valkey server."""
    server = need("valkey", Valkey)
    yield server
    server.stop()


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    """A real mail server that keeps what it is handed."""
    server = need("smtp", MailServer)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    """What drives browsers."""
    help_playwright_start()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Any) -> Iterator[Any]:
    """A real Chromium."""
    browser = need("chromium", lambda: start(playwright))
    yield browser
    browser.close()


# The portal, on both databases


@pytest.fixture(scope="session")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated SQLite database that the tests of this process share."""
    database = SQLite(tmp_path_factory.mktemp("sqlite"))
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgres_database(postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated PostgreSQL database that the tests of this process share."""
    database = Postgres(postgres, tmp_path_factory.mktemp("postgres"))
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database in which nothing has happened yet; a test that uses it runs once on each kind."""
    database: Database = request.getfixturevalue(f"{request.param}_database")
    database.renew()
    return database


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a single table, for tests of migrations and of whole processes."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgres")
    server.execute("CREATE DATABASE empty")
    yield server.url("empty")
    server.execute("DROP DATABASE empty")


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> BytecodeCache:
    """Templates that one test compiled, for the apps of the next ones, in all processes of this run."""
    folder = tmp_path_factory.getbasetemp()
    return CompiledTemplates(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(scope="session", autouse=True)
def compiled_addresses() -> Iterator[None]:
    """Addresses that one test's app compiled, for the apps of the next ones: most of what making an app takes."""
    compiled: dict[tuple[Any, ...], Rule] = {}
    compile_anew = Rule.compile

    def compile_once(rule: Rule) -> None:
        assert rule.map is not None
        where = rule.rule, rule.subdomain, rule.host, rule.map.host_matching, rule.merge_slashes
        key = (*where, repr(rule.defaults), *rule.map.converters.values())
        first = compiled.setdefault(key, rule)
        if first is rule:
            compile_anew(rule)
            return
        rule._parts, rule._trace, rule._converters = first._parts, first._trace, first._converters
        rule.arguments = set(first.arguments)
        rule._build = first._build.__func__.__get__(rule, None)
        rule._build_unknown = first._build_unknown.__func__.__get__(rule, None)

    Rule.compile = compile_once
    yield
    Rule.compile = compile_anew


@pytest.fixture(scope="session", autouse=True)
def joined_styles() -> Iterator[None]:
    """Style sheets and bundles that one test's app made of the same files, for the apps of the next ones."""
    join, bundle = assets._joined, assets._bundle
    joined: dict[tuple[Any, ...], str] = {}

    def join_once(files: Iterable[Path]) -> str:
        found = list(files)
        key = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in found)
        if key not in joined:
            joined[key] = join(found)
        return joined[key]

    assets._joined, assets._bundle = join_once, cache(bundle)
    yield
    assets._joined, assets._bundle = join, bundle


@pytest.fixture(scope="session")
def compiled_statements() -> dict[str, sa.Engine]:
    """The first engine of each kind: what it compiled, the next ones need not, which saves a quarter of all time."""
    return {}


def know_what_was_compiled(engine: sa.Engine, compiled: dict[str, sa.Engine]) -> None:
    """Compile no statement that an engine of the same kind has compiled; its key holds the dialect."""
    first = compiled.setdefault(engine.dialect.name, engine)
    first._compiled_cache.capacity = 3_000
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache


@pytest.fixture
def app(
    request: pytest.FixtureRequest,
    database: Database,
    compiled_templates: BytecodeCache,
    compiled_statements: dict[str, sa.Engine],
    tmp_path: Path,
) -> Iterator[Flask]:
    """The portal, in whose context the test runs; ``@pytest.mark.settings(NAME=value)`` gives it other settings."""
    marks = [mark.kwargs for mark in request.node.iter_markers("settings")]
    mail = request.getfixturevalue("smtp").url if "smtp" in request.fixturenames else "catch:"
    settings = {
        "TESTING": True,
        "SECRET_KEY": "a secret of the tests, and of nobody else",
        "SQLALCHEMY_DATABASE_URI": database.url,
        "INSTANCE": str(tmp_path / "instance"),
        "MAIL_URL": mail,
        "WORKER": "off",
        "LIMITS": False,
        "PASSWORD_COST": "test",
        "FOLD_MINUTES": 0,
    }
    for mark in reversed(marks):
        settings |= mark
    app = portal.create_app(settings)
    app.test_client_class = Browser
    app.jinja_env.bytecode_cache = compiled_templates
    with app.app_context():
        know_what_was_compiled(db.engine, compiled_statements)
        if on_sqlite():
            sa.event.listen(db.engine, "connect", in_a_hurry)
        app.extensions[setting_up.DONE] = True  # only tests of the set-up begin before anybody has an account
        option("name")  # options are read once and kept; no test is about which page came first
        db.session.rollback()
        yield app
        forget(db)


@pytest.fixture(scope="session", autouse=True)
def letters_for_all_mail_programs() -> Iterator[None]:
    """Fail a test in which a mail is written, of whatever kind, that some mail program could not show."""
    compose = sending.compose

    def compose_and_look(letter: Letter, mail: Mail) -> EmailMessage:
        message = compose(letter, mail)
        if problems := problems_of(message.get_body(("html",)).get_content()):
            pytest.fail(f"a mail of kind {mail.kind}: " + "; ".join(problems))  # no ordinary exception: none is caught
        return message

    sending.compose = compose_and_look
    yield
    sending.compose = compose


@pytest.fixture(scope="session")
def kept_worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """What tests of this process made once."""
    return Worlds(tmp_path_factory.mktemp("worlds"))


@pytest.fixture
def once(app: Flask, database: Database, kept_worlds: Worlds) -> Callable[[str, Callable[[], Any]], Any]:
    """Make what is dear once for all tests that ask for it by the same name: ``once("scene", make_scene)``."""
    return partial(kept_worlds.once, app, database)


@pytest.fixture
def browse(app: Flask) -> Callable[..., Browser]:
    """Open browsers: ``browse()`` for a guest, ``browse(user)`` for somebody signed in."""

    def open_browser(user: User | None = None) -> Browser:
        browser = app.test_client()
        assert isinstance(browser, Browser)
        if user:
            browser.sign_in(user)
        return browser

    return open_browser


@pytest.fixture
def settle(app: Flask) -> Callable[[], None]:
    """Work off all that follows from what happened: reactions, mails, the index."""
    return worker.settle


# People in front of screens


@pytest.fixture
def live(app: Flask) -> Iterator[str]:
    """The address of the portal on a port; what a page changes a test sees after ``db.session.rollback()``."""
    with served(app) as address:
        app.config["BASE_URL"] = address
        yield address


@pytest.fixture
def open_page(app: Flask, chromium: Any, live: str) -> Iterator[Callable[..., Any]]:
    """Open pages: ``open_page(user, javascript=False, width=390, scheme="dark")``."""
    people = People(app, chromium, live)
    yield people.open_page
    people.leave()


@pytest.fixture
def page(request: pytest.FixtureRequest, open_page: Callable[..., Any]) -> Any:
    """A guest's page; under ``@with_and_without_javascript`` first with scripts and then without."""
    return open_page(javascript=getattr(request, "param", True))
