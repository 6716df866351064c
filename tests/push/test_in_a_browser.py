"""A real browser: it asks on a press, hands over its address, and shows what it is told."""

import json

import pytest
from sqlalchemy import select

from portal.db import db
from portal.push.models import Subscription
from tests.factories import make_user
from tests.support import need, on_one_database
from tests.support.accessibility import assert_accessible
from tests.support.chromium import find_one_with_windows, launch
from tests.support.live import People

GIVES = """
PushManager.prototype.subscribe = async ({ applicationServerKey }) => ({
  toJSON: () => ({ endpoint: `https://push.example/${applicationServerKey.length}`, keys: %s })
});
"""
"""The address would come from a service far away, which no test asks."""
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


def test_a_press_asks_for_permission_and_the_browser_is_in_the_list(open_page, live):
    user = make_user()
    page = open_page(user)
    page.context.grant_permissions(["notifications"], origin=live)
    page.add_init_script(GIVES % json.dumps(KEYS))
    page.goto("/inbox/browsers")
    assert_accessible(page)

    page.get_by_role("button", name="Tell this browser at once").click()

    page.get_by_text("this browser", exact=True).wait_for()
    db.session.rollback()
    row = db.session.scalars(select(Subscription)).one()
    assert (row.user_id, row.endpoint) == (user.id, "https://push.example/65")
    assert_accessible(page)
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Tell this browser at once").wait_for()


def test_a_no_is_taken_and_said_in_words(open_page, live):
    page = open_page(make_user())
    page.add_init_script("Notification.requestPermission = async () => 'denied';")
    page.goto("/inbox/browsers")

    page.get_by_role("button", name="Tell this browser at once").click()

    page.get_by_role("alert").filter(has_text="does not let the portal show you anything").wait_for()
    assert page.url.endswith("/inbox/browsers")


def test_without_scripts_the_page_says_what_is_missing(open_page):
    mine = open_page(make_user(), javascript=False)
    mine.goto("/inbox/browsers")

    assert mine.locator("noscript .hint").is_visible()
    assert not mine.get_by_role("button", name="Tell this browser at once").is_visible()


@pytest.fixture
def open_page_that_shows(app, playwright, live):
    browser = need("a whole Chromium", lambda: launch(playwright, find_one_with_windows()))
    people = People(app, browser, live)
    yield people.open_page
    people.leave()
    browser.close()


@on_one_database
def test_the_worker_shows_what_it_is_told_and_leads_there_and_nowhere_else(open_page_that_shows, live):
    page = open_page_that_shows(make_user())
    page.context.grant_permissions(["notifications"], origin=live)
    page.goto("/inbox/browsers")
    found = []
    devtools = page.context.new_cdp_session(page)
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    devtools.send("ServiceWorker.enable")
    page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)")
    while not found:
        page.wait_for_timeout(20)

    def tell(**message):
        told = {"origin": live, "registrationId": found[0]["registrationId"], "data": json.dumps(message)}
        devtools.send("ServiceWorker.deliverPushMessage", told)

    def shown():
        return page.evaluate(
            "navigator.serviceWorker.ready.then(async (r) => (await r.getNotifications())"
            ".map(({title, body, tag, data}) => ({title, body, tag, url: data.url})))"
        )

    first = {"title": "Show the wells", "body": "An idea you voted for has moved", "tag": "idea-1", "url": "/ideas/1"}
    tell(**first, lang="en")
    page.wait_for_function("navigator.serviceWorker.ready.then(async (r) => (await r.getNotifications()).length === 1)")
    assert shown() == [first]
    tell(**{**first, "body": "Shipped."}, lang="en")
    page.wait_for_function(
        "navigator.serviceWorker.ready.then(async (r) => (await r.getNotifications())[0]?.body === 'Shipped.')"
    )
    assert len(shown()) == 1, "the newer one takes the place of the older"

    worker = page.context.service_workers[0]
    for url, leads_to in (("/ideas/1#comment-2-said", "/ideas/1#comment-2-said"), ("https://elsewhere.example/", "")):
        opened = worker.evaluate(
            """async (url) => {
              const opened = [];
              self.clients.openWindow = async (address) => opened.push(address);
              const [shown] = await self.registration.getNotifications();
              const waits = [];
              const event = new NotificationEvent("notificationclick", { notification: shown });
              Object.defineProperty(event, "notification", { value: { close: () => shown.close(), data: { url } } });
              event.waitUntil = (what) => waits.push(what);
              self.dispatchEvent(event);
              await Promise.all(waits);
              return opened;
            }""",
            url,
        )
        assert opened == [f"{live}{leads_to}"]
        if leads_to:
            tell(**first)
            page.wait_for_function(
                "navigator.serviceWorker.ready.then(async (r) => (await r.getNotifications()).length === 1)"
            )
