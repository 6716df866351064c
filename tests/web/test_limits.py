"""How often one may ask, and what is said when that was too often."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
import redis
import sqlalchemy as sa
import time_machine

import portal
from portal.accounts.roles import Role
from portal.config import ConfigurationError
from portal.db import db, utcnow
from portal.limits import LIMITS
from portal.security.models import SecurityEntry
from portal.web import limits
from tests.factories import make_idea, make_user
from tests.support import HTMX, Browser, need, queries
from tests.support.databases import forget
from tests.support.valkey import Valkey

pytestmark = pytest.mark.usefixtures("app")

LIMITED = pytest.mark.settings(LIMITS=True)


def statuses(browser, times, path="/rules", address="192.0.2.7", **more):
    return [browser.get(path, environ_base={"REMOTE_ADDR": address}, **more).status_code for _ in range(times)]


@LIMITED
@pytest.mark.parametrize("path", ["/rules", "/", "/nothing/here"])
def test_s54_a_visitor_makes_thirty_requests_in_ten_seconds(browse, path):
    with time_machine.travel(utcnow(), tick=False):
        seen = statuses(browse(), 31, path)

    assert 429 not in seen[:30] and seen[30] == 429


@LIMITED
def test_s54_a_visitor_makes_120_requests_a_minute(browse):
    browser, start, seen = browse(), utcnow(), []
    for number in range(6):
        with time_machine.travel(start + timedelta(seconds=11 * number), tick=False):
            seen += statuses(browser, 25)

    assert set(seen[:120]) == {200}
    assert set(seen[120:]) == {429}


@LIMITED
def test_s54_a_member_makes_240_requests_a_minute_from_wherever(browse):
    user = make_user()
    browsers = browse(user), browse(user)
    with time_machine.travel(utcnow(), tick=False):
        seen = statuses(browsers[0], 120) + statuses(browsers[1], 120, address="198.51.100.9")
        over = statuses(browsers[0], 1) + statuses(browsers[1], 1, address="198.51.100.9")
        others = statuses(browse(make_user()), 1)

    assert set(seen) == {200}
    assert over == [429, 429]
    assert others == [200]


@pytest.mark.settings(LIMITS=True, LIMITS_OVERRIDE="requests.network = 40 per minute")
@pytest.mark.parametrize(
    ("near", "far"),
    [("192.0.2.{}", "192.0.3.1"), ("2001:db8:7:{:x}::1", "2001:db8:8::1"), ("::ffff:192.0.2.{}", "192.0.3.1")],
)
def test_s54_a_network_has_a_ceiling_however_many_addresses_it_uses(browse, near, far):
    with time_machine.travel(utcnow(), tick=False):
        seen = [statuses(browse(), 1, address=near.format(number))[0] for number in range(1, 42)]
        elsewhere = statuses(browse(), 1, address=far)

    assert seen == [200] * 40 + [429]
    assert elsewhere == [200]


@LIMITED
def test_s54_one_ipv6_household_is_one_visitor(browse):
    with time_machine.travel(utcnow(), tick=False):
        seen = [statuses(browse(), 1, address=f"2001:db8:1:2::{number:x}")[0] for number in range(1, 32)]

    assert seen == [200] * 30 + [429]


@LIMITED
def test_s54_files_and_questions_about_health_are_not_counted(app, browse):
    with app.test_request_context():
        style = app.jinja_env.globals["asset_url"]("portal.css")
    browser = browse()
    with time_machine.travel(utcnow(), tick=False):
        for path in (style, "/healthz"):
            for _ in range(40):
                with browser.get(path) as answer:
                    assert answer.status_code == 200


@LIMITED
def test_s54_the_answer_is_a_page_in_plain_words_and_says_when_to_come_back(browse):
    browser = browse(make_user(name="Robin Hale"))
    with time_machine.travel(utcnow(), tick=False):
        statuses(browser, 240)
        page = browser.get("/rules", environ_base={"REMOTE_ADDR": "192.0.2.7"})
        part = browser.get("/rules", environ_base={"REMOTE_ADDR": "192.0.2.7"}, headers=HTMX)

    assert (page.status_code, part.status_code) == (429, 429)
    assert "A little slower, please" in page.text and "Try again" in page.text and "You can go on in" in page.text
    assert 0 < int(page.headers["Retry-After"]) <= 61
    assert page.headers["Cache-Control"] == "private, no-store"
    assert "<html" in page.text and "<html" not in part.text and "You can go on in" in part.text


@LIMITED
def test_s54_waiting_as_long_as_was_said_is_enough(browse):
    browser, start = browse(), utcnow()
    with time_machine.travel(start, tick=False):
        statuses(browser, 30)
        wait = int(browser.get("/rules", environ_base={"REMOTE_ADDR": "192.0.2.7"}).headers["Retry-After"])
    with time_machine.travel(start + timedelta(seconds=wait), tick=False):
        assert statuses(browser, 1) == [200]


@LIMITED
def test_s54_saying_no_asks_the_database_nothing(browse):
    make_idea()
    browser = browse(make_user())
    with time_machine.travel(utcnow(), tick=False):
        statuses(browser, 241)
        with queries() as asked:
            assert statuses(browser, 1) == [429]

    assert asked == []


@LIMITED
@pytest.mark.parametrize("role", [None, Role.MEMBER])
def test_s54_counting_asks_the_database_nothing(app, browse, role):
    browser = browse(make_user(role) if role else None)
    statuses(browser, 1, "/rules?warm")

    with queries() as asked:
        statuses(browser, 1, "/rules")
    app.config["LIMITS"], app.before_request_funcs[None] = False, app.before_request_funcs[None][1:]
    with queries() as without:
        statuses(browser, 1, "/rules")

    assert asked == without


@LIMITED
def test_s68_a_reached_limit_is_written_down_once_a_minute_and_not_a_thousand_times(browse):
    user = make_user()
    with time_machine.travel(utcnow(), tick=False):
        statuses(browse(), 50)
        statuses(browse(user), 260)

    db.session.rollback()
    entries = db.session.scalars(sa.select(SecurityEntry).order_by(SecurityEntry.id)).all()
    assert [(entry.kind, entry.data["limit"], entry.user_id, entry.address) for entry in entries] == [
        ("limited", "requests.visitor", None, "192.0.2.7"),
        ("limited", "requests.member", user.id, "192.0.2.7"),
    ]


@pytest.mark.settings(LIMITS=True, LIMITS_OVERRIDE="votes = 2 per minute, requests.visitor = 3 per minute")
def test_s54_every_limit_is_a_setting(browse):
    idea, user = make_idea(), make_user()
    with time_machine.travel(utcnow(), tick=False):
        votes = [browse(user).post(f"/ideas/{idea.id}/vote", headers=HTMX).status_code for _ in range(3)]
        pages = statuses(browse(), 4)

    assert votes == [200, 200, 429]
    assert pages == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("value", "said"),
    [("nothing = 2 per minute", "names 'nothing'"), ("votes = often", "votes = often"), ("votes", "'votes'")],
)
def test_s54_a_limit_that_means_nothing_is_refused_at_the_start(tmp_path, value, said):
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        portal.create_app({"INSTANCE": str(tmp_path), "LIMITS_OVERRIDE": value})


def test_every_limit_is_named_after_itself_and_can_be_read():
    assert all(name == limit.name and limit.default and limit.counts for name, limit in LIMITS.items())


# The shared store


@pytest.fixture
def shared(valkey):
    """A real store in which nothing is counted yet."""
    with redis.Redis(unix_socket_path=str(valkey.socket)) as store:
        store.flushall()
    return f"redis+unix://{valkey.socket}"


@pytest.fixture
def app_counting_in(app):
    """Apps beside the usual one, as processes of the same portal are: each counts in a store."""
    apps = []

    def make(store):
        settings = {"SECRET_KEY", "SQLALCHEMY_DATABASE_URI", "INSTANCE"}
        counting = {"LIMITS": True, "LIMITS_STORAGE": store, "LIMITS_OVERRIDE": "votes = 2 per minute"}
        shared = {name: app.config[name] for name in settings}
        apps.append(portal.create_app({"TESTING": True, "WORKER": "off"} | shared | counting))
        return apps[-1]

    yield make
    for made in apps:
        with made.app_context():
            forget(db)


def ask(app, times, path="/rules"):
    """Ask as one visitor, past the helper that belongs to another app."""
    browser = app.test_client()
    return [browser.get(path, environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code for _ in range(times)]


def test_s54_processes_count_together_in_a_shared_store(app_counting_in, shared):
    with time_machine.travel(utcnow(), tick=True):
        seen = [ask(app_counting_in(shared), 10) for _ in range(4)]

    assert seen[:3] == [[200] * 10] * 3
    assert set(seen[3]) == {429}


def test_s54_limits_hold_per_process_while_the_shared_store_is_away(app_counting_in):
    server = need("valkey", Valkey)
    counting = app_counting_in(f"redis+unix://{server.socket}")
    assert ask(counting, 5) == [200] * 5
    server.stop()

    begun = time.monotonic()
    seen = ask(counting, 31)
    user, idea = make_user(), make_idea()
    browser = Browser(counting, counting.response_class)
    browser.sign_in(user)
    votes = [browser.post(f"/ideas/{idea.id}/vote", headers=HTMX).status_code for _ in range(3)]

    assert seen == [200] * 30 + [429]
    assert votes == [200, 200, 429]
    assert time.monotonic() - begun < 20


def test_s54_a_store_that_returns_is_used_again(app_counting_in, monkeypatch):
    monkeypatch.setattr(limits, "ASK_AGAIN", 0.0)
    server = need("valkey", Valkey)
    counting = app_counting_in(f"redis+unix://{server.socket}")
    requests = counting.extensions["requests"]
    real, failing = limits._hit, [True]

    def hit(counter, rate, key):
        if failing[0] and counter is not requests._own:
            raise ConnectionError
        return real(counter, rate, key)

    monkeypatch.setattr(limits, "_hit", hit)
    assert ask(counting, 31)[-1] == 429
    failing[0] = False

    assert ask(counting, 1) == [200]
    server.stop()
