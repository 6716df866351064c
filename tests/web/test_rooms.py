"""The rooms of those who run the portal: found by what they are about, on every page of them."""

import re

import pytest

from portal.accounts.roles import Role
from portal.web.rooms import GROUPS
from tests.factories import make_user
from tests.support import on_one_database

pytestmark = pytest.mark.usefixtures("app")


def rail(text: str) -> str:
    return text.partition('<aside class="rail rooms')[2].partition("</aside>")[0]


@on_one_database
def test_each_room_is_listed_where_it_belongs_and_marked_where_one_is(browse):
    browser = browse(make_user(Role.OWNER))
    labels = [str(room.label) for group in GROUPS for room in group.rooms]

    first = browser.get("/admin").text
    below = browser.get("/admin/workflow/status/planned").text

    cards = first.partition('class="roomcards"')[2].partition("</div>")[0]
    assert re.findall(r"<h2[^>]*>([^<]+)</h2>", cards) == [str(group.label) for group in GROUPS]
    assert re.findall(r'<li><a href="[^"]+">([^<]+)</a><span class="hint">[^<]+\.</span>', cards) == labels
    assert [label for label in labels if f">{label}</a>" not in rail(below)] == []
    assert re.findall(r'aria-current="(\w+)">([^<]+)', rail(below)) == [("true", "Workflow")]
    assert re.findall(r'aria-current="(\w+)">([^<]+)', rail(first)) == [("page", "Overview")]
    assert "Running the portal: Workflow" in below  # what a phone shows instead


@on_one_database
def test_nobody_is_led_to_a_room_they_may_not_enter(browse):
    for role in (Role.OBSERVER, Role.MODERATOR, Role.PM, Role.ADMIN):
        browser = browse(make_user(role))

        links = re.findall(r'href="([^"]+)"', rail(browser.get("/admin/searches").text))

        assert {link: code for link in links if (code := browser.get(link).status_code) != 200} == {}
        assert bool([link for link in links if link == "/admin"]) is (role in {Role.MODERATOR, Role.ADMIN})
