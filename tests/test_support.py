"""The test ground itself: the peers are real, and one test knows nothing of another."""

import smtplib
from datetime import timedelta
from email.message import EmailMessage

import pytest
import redis
import sqlalchemy as sa
import time_machine

from portal.accounts.models import User
from portal.db import db, utcnow
from tests.factories import make_idea, make_rules, make_user
from tests.support import assert_accessible, need, queries, timeless, with_and_without_javascript
from tests.support.accessibility import violations, violations_of_a_page
from tests.support.live import People

PAGE = """<!doctype html><html lang="en">
<head><title>{title}</title><meta name="color-scheme" content="light dark"></head>
<body><main><h1>{title}</h1><p>{text}</p></main></body></html>"""


def test_postgres_is_real_and_has_what_search_may_want(postgres):
    with postgres.connect() as connection:
        extensions = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}

        assert connection.info.server_version >= 150000
        assert {"pg_trgm", "unaccent"} <= extensions


def test_valkey_is_real(valkey):
    with redis.from_url(valkey.url) as client:
        client.set("word", "kept")

        assert client.get("word") == b"kept"
        assert client.info("server")["process_id"] == valkey.process.pid


def test_the_mail_server_keeps_what_it_accepts_and_says_no_when_told_to(smtp):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ideas@example.org", "ann@example.org", "Ünïcode"
    mail.set_content("Read me.")
    smtp.refuse("451 Try again later")

    with smtplib.SMTP("127.0.0.1", smtp.controller.port) as client:
        with pytest.raises(smtplib.SMTPDataError, match="451"):
            client.send_message(mail)
        client.send_message(mail)

    assert [kept["Subject"] for kept in smtp.got] == ["Ünïcode"]


def test_chromium_is_real_and_axe_finds_what_is_wrong(chromium):
    page = chromium.new_page()

    page.set_content(PAGE.format(title="Good", text="All is well."))
    assert_accessible(page)
    page.set_content(PAGE.format(title="Bad", text='<img src="data:,"> <a href="/"></a>'))
    found = " ".join(violations(page))

    assert "image-alt" in found
    assert "link-name" in found
    page.close()


def test_axe_looks_at_both_widths_and_both_schemes(chromium):
    page = chromium.new_page()
    hidden = "<style>.narrow {display: none} @media (width < 500px) {.narrow {display: block}}</style>"
    text = "<p class='narrow' style='color: #999; background: #aaa'>Small</p>"
    dark = "<style>@media (prefers-color-scheme: dark) {main {background: #000; color: #222}}</style>"

    page.set_content(PAGE.format(title="Wide", text=f"{hidden}{text}{dark}Here"))
    found = list(violations_of_a_page(page))

    assert [line.partition(" (")[0] for line in found if "): <p class=" in line] == [
        "390 px, dark: color-contrast",
        "390 px, light: color-contrast",
    ]
    assert any(line.startswith("1280 px, dark: color-contrast") for line in found)
    page.close()


def test_a_missing_peer_is_a_skip_or_an_error_where_it_is_required(monkeypatch):
    def make():
        raise LookupError("nowhere to be found")

    monkeypatch.setenv("PORTAL_TEST_REQUIRE", "")
    with pytest.raises(pytest.skip.Exception, match="valkey cannot be had: nowhere to be found"):
        need("valkey", make)

    monkeypatch.setenv("PORTAL_TEST_REQUIRE", "postgres,valkey")
    with pytest.raises(LookupError):
        need("valkey", make)


def test_everybody_starts_with_what_the_migrations_left(database):
    engine = sa.create_engine(database.url)
    with engine.begin() as connection:
        tables = sa.inspect(engine).get_table_names()
        before = rows(connection, tables)
        add_person(connection)
        first = connection.scalar(sa.text("SELECT max(id) FROM users"))
    engine.dispose()

    database.renew()

    with engine.begin() as connection:
        assert rows(connection, tables) == before
        add_person(connection)
        assert connection.scalar(sa.text("SELECT max(id) FROM users")) == first
    engine.dispose()


def test_the_app_answers_on_this_database(app, browse, database):
    assert app.config["SQLALCHEMY_DATABASE_URI"] == database.url
    assert browse().get("/").status_code == 200


def test_an_empty_database_is_empty_each_time(empty_database):
    engine = sa.create_engine(empty_database)
    with engine.begin() as connection:
        assert sa.inspect(connection).get_table_names() == []
        connection.execute(sa.text("CREATE TABLE leftover (id integer)"))
    engine.dispose()


def test_queries_are_counted_with_those_of_requests(app, browse):
    with queries() as asked:
        db.session.scalar(sa.select(User.id))
    assert len(asked) == 1

    with queries() as asked:
        browse(make_user()).get("/")
    assert any("FROM auth_sessions" in statement or "JOIN auth_sessions" in statement for statement in asked)


@pytest.mark.settings(NAME="Fellside ideas")
def test_a_mark_gives_the_app_other_settings(app):
    assert app.config["NAME"] == "Fellside ideas"


def test_a_signed_in_browser_is_known_and_others_are_not(app, browse):
    user = make_user()

    signed_in, guest = browse(user).get("/"), browse().get("/")

    assert user.name in signed_in.text
    assert user.name not in guest.text


def test_a_browser_carries_the_token_of_a_form_unless_told_not_to(app, browse):
    browser = browse(make_user())

    carried = browser.post("/sign-out")
    browser.carries_token = False
    forgotten = browser.post("/sign-out")

    assert (carried.status_code, forgotten.status_code) == (303, 400)


@with_and_without_javascript
def test_a_page_shows_the_portal(page):
    page.goto("/")

    assert page.locator("main").is_visible()


def test_everybody_has_a_browser_of_their_own(app, open_page):
    user = make_user()

    member, guest = open_page(user, width=390, scheme="dark"), open_page()
    for page in (member, guest):
        page.goto("/")

    assert user.name in member.content()
    assert user.name not in guest.content()
    assert member.viewport_size["width"] == 390
    assert member.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")


def test_nobody_overlooks_what_a_page_must_not_do(app, chromium, live):
    people = People(app, chromium, live)
    page = people.open_page()
    page.goto("/healthz")

    page.evaluate("console.error('It broke.')")
    page.evaluate("setTimeout(() => missing())")
    page.evaluate("document.createElement('img').src = 'http://127.0.0.1:9/stranger.png'")
    page.wait_for_timeout(200)

    with pytest.raises(AssertionError) as found:
        people.leave()
    assert [word for word in ("It broke.", "missing", "stranger.png") if word not in str(found.value)] == []


def rows(connection, tables):
    """How many rows each table holds."""
    return {table: connection.scalar(sa.text(f'SELECT count(*) FROM "{table}"')) for table in tables}


def add_person(connection):
    """Add a row past the portal."""
    connection.execute(sa.insert(User).values(email="ann@example.org", name="Ann", name_key="ann"))


@pytest.mark.parametrize("path", ["/sign-up", "/account", "/ideas/new", "/"])
def test_pages_without_what_passes_are_the_same_a_minute_later(browse, path):
    make_rules()
    make_idea()
    browser = browse(None if path == "/sign-up" else make_user())

    pages = []
    for later in (0, 1, 61, 121):
        with time_machine.travel(utcnow() + timedelta(seconds=later), tick=False):
            pages.append(browser.get(path).text)

    assert len(set(pages)) > 1
    assert len(set(map(timeless, pages))) == 1
