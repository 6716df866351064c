"""What guests read comes from memory, and is never older than the database."""

from datetime import timedelta

import pytest
import time_machine

from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.ideas import service
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support.browser import HTMX
from tests.support.queries import queries


@pytest.fixture
def guest(browse):
    """Open browsers that hold nothing, not even a token."""

    def open_browser(**cookies):
        browser = browse()
        browser.carries_token = False
        for name, value in cookies.items():
            browser.set_cookie(name, value)
        return browser

    return open_browser


def test_a_second_guest_costs_the_database_nothing(guest):
    idea = make_idea("Show the wind on the ridge")

    for path in ("/", f"/boards/{idea.board.slug}", f"/ideas/{idea.id}"):
        first = guest().get(path)
        with queries() as asked:
            second = guest().get(path)

        assert asked == []
        assert second.text == first.text
        assert second.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]


def test_a_page_is_not_kept_with_a_longer_question_than_a_page_may_be_long(guest):
    make_idea()
    asked_again = []

    for length in (10, 250_000):
        guest().get(f"/?x={'a' * length}")
        with queries() as asked:
            guest().get(f"/?x={'a' * length}")
        asked_again.append(bool(asked))

    assert asked_again == [False, True]


def test_guests_see_a_vote_at_once(guest):
    idea, voter = make_idea("Show the wind on the ridge"), make_user()
    assert "1 person wants this" in guest().get(f"/ideas/{idea.id}").text

    with transaction():
        service.cast_vote(idea, voter)

    assert "2 people want this" in guest().get(f"/ideas/{idea.id}").text


def test_what_is_hidden_is_gone_for_guests_at_once(guest):
    idea, moderator = make_idea("Show the wind on the ridge"), make_user(Role.MODERATOR)
    assert guest().get(f"/ideas/{idea.id}").status_code == 200

    with transaction():
        service.hide_idea(idea, moderator, "It names somebody.")

    assert guest().get(f"/ideas/{idea.id}").status_code == 404
    assert "Show the wind" not in guest().get("/").text


def test_members_and_guests_get_pages_of_their_own(browse, guest):
    make_idea("Show the wind on the ridge")
    member = make_user(name="Robin Hale")

    guests, members, again = guest().get("/").text, browse(member).get("/").text, guest().get("/").text

    assert "Robin Hale" in members
    assert "Robin Hale" not in guests
    assert again == guests


@pytest.mark.parametrize(
    ("cookies", "headers", "shown"),
    [
        ({"theme": "dark"}, {}, 'data-theme="dark"'),
        ({"language": "de"}, {}, 'lang="de"'),
        ({}, {"Accept-Language": "de"}, 'lang="de"'),
        ({}, HTMX, 'id="board-list"'),
    ],
)
def test_theme_language_and_fragments_are_kept_apart(guest, cookies, headers, shown):
    make_idea()
    plain = guest().get("/").text

    for _ in range(2):
        other = guest(**cookies).get("/", headers=headers).text

        assert shown in other
        assert other != plain
    assert guest().get("/").text == plain


def test_time_goes_on_for_guests(guest):
    make_idea("Show the wind on the ridge")
    assert "just now" in guest().get("/").text

    with time_machine.travel(utcnow() + timedelta(minutes=5), tick=False):
        later = guest().get("/").text

    assert "5 minutes ago" in later


def test_members_never_share_a_form_token(browse):
    idea = make_idea("Show the wind on the ridge")
    one, other = browse(make_user()), browse(make_user())

    pages = [browser.get("/") for browser in (one, other, one)]
    answers = [browser.post(f"/ideas/{idea.id}/vote") for browser in (one, other)]

    assert all("\x00" not in page.text for page in pages)
    assert pages[0].text.count('name="csrf_token"') == pages[1].text.count('name="csrf_token"') > 0
    assert [answer.status_code for answer in answers] == [303, 303]
    db.session.rollback()
    assert idea.votes == 3
