"""Lists of ideas: what stands in them, in which order, and at which address."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import utcnow
from portal.ideas import lists, service
from portal.ideas.lists import Filters, list_ideas
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails, answer_idea, move_idea, set_tags
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user, make_votes
from tests.support import HTMX

pytestmark = pytest.mark.usefixtures("app")


def titles(person: Any, **filters: str) -> list[str]:
    return [row.title for row in list_ideas(person, Filters(**filters)).rows]


def titles_on(page: str) -> list[str]:
    return [html.unescape(title) for title in re.findall(r"<h3[^>]*>\s*<a [^>]*>([^<]+)</a>", page)]


# Sorting


def test_top_is_by_people_behind_it_and_then_the_newest_first():
    few, many, same = make_idea("Few"), make_idea("Many"), make_idea("As few")
    make_votes(many, 3)

    assert titles(make_user()) == [many.title, same.title, few.title]


def test_rising_is_by_votes_that_fade():
    old, fresh = make_idea("Old"), make_idea("Fresh")
    for age, idea, number in ((timedelta(days=60), old, 5), (timedelta(hours=1), fresh, 2)):
        for _ in range(number):
            with transaction():
                service.cast_vote(idea, make_user(), at=utcnow() - age)

    assert titles(make_user(), sort="rising") == ["Fresh", "Old"]
    assert titles(make_user(), sort="top") == ["Old", "Fresh"]


def test_votes_of_the_team_make_nothing_rise():
    idea, other = make_idea("Backed by the team"), make_idea("Backed by nobody")
    before = other.heat

    with transaction():
        service.cast_vote(idea, make_user(Role.PM))

    assert idea.votes == 2
    assert abs(idea.heat - before) < 0.01


def test_new_is_by_the_day_of_publishing():
    make_idea("Yesterday", at=utcnow() - timedelta(days=1))
    make_idea("Last week", at=utcnow() - timedelta(days=7))
    make_idea("Today")

    assert titles(make_user(), sort="new") == ["Today", "Yesterday", "Last week"]


def test_answered_has_what_the_team_answered_the_latest_first():
    pm = make_user(Role.PM)
    first, second, _silent = make_idea("First"), make_idea("Second"), make_idea("Never")
    for idea in (first, second):
        with transaction():
            answer_idea(idea, pm, MoveDetails(answer="We look at it."))

    assert titles(make_user(), sort="answered") == ["Second", "First"]


# Filters


def test_without_a_filter_there_is_what_is_open_or_was_shipped_lately():
    for status in Status:
        make_idea(status.label, status=status)
    make_idea("Shipped long ago", status=Status.SHIPPED, status_since=utcnow() - timedelta(days=61))

    shown = set(titles(make_user()))

    assert shown == {"New", "Under review", "Needs info", "Planned", "In progress", "Shipped"}
    assert set(titles(make_user(), status="all")) == {s.label for s in Status if s is not Status.MERGED} | {
        "Shipped long ago"
    }
    assert titles(make_user(), status="declined") == ["Declined"]


def test_a_board_has_its_own_ideas_only():
    here, there = make_board("Here"), make_board("There")
    make_idea("On this board", board=here)
    make_idea("On that board", board=there)

    assert titles(make_user(), board=here.slug) == ["On this board"]


def test_a_tag_finds_what_carries_it():
    pm, idea, _other = make_user(Role.PM), make_idea("With a tag"), make_idea("Without")
    with transaction():
        set_tags(idea, ["Maps"], pm)

    assert titles(make_user(), tag="maps") == ["With a tag"]


def test_mine_has_all_of_mine_whatever_became_of_them_but_those_i_took_back():
    me = make_user()
    make_idea("Declined one", author=me, status=Status.DECLINED)
    make_idea("Held one", author=me, publication=Publication.HELD)
    make_idea("Removed one", author=me, publication=Publication.REMOVED)
    make_idea("Of somebody else")

    assert set(titles(me, who="mine")) == {"Declined one", "Held one"}
    assert lists.count_mine(me) == 2


def test_i_voted_has_what_i_voted_for_also_through_a_merge():
    pm, mine, main, _other = make_user(Role.PM), make_idea("Merged away"), make_idea("Main"), make_idea("Other")
    [me] = make_votes(mine, 1)
    with transaction():
        move_idea(mine, Status.MERGED, pm, MoveDetails(into=main))

    assert "Main" in titles(me, who="voted")
    assert "Other" not in titles(me, who="voted")


def test_s05_a_list_has_nothing_that_one_may_not_know_of():
    inside, members = make_board("Inside", Audience.STAFF), make_board("Members", Audience.MEMBERS)
    make_idea("Public")
    make_idea("For members", board=members)
    make_idea("For staff", board=inside)
    make_idea("Held", publication=Publication.HELD)
    make_idea("Hidden", publication=Publication.HIDDEN)

    from portal.accounts.models import Guest

    assert titles(Guest()) == ["Public"]
    assert set(titles(make_user())) == {"Public", "For members"}
    assert set(titles(make_user(Role.OBSERVER))) == {"Public", "For members", "For staff"}
    assert set(titles(make_user(Role.PM))) == {"Public", "For members", "For staff"}


# Addresses


def test_what_an_address_asks_for_and_is_not_known_falls_back():
    read = Filters.read({"sort": "votes; DROP TABLE", "status": "invented", "who": "everybody", "tag": "x" * 99})

    assert read == Filters(tag="x" * 30)


def test_each_view_of_a_list_has_an_address_that_shows_it_again(browse):
    pm, me, board = make_user(Role.PM), make_user(), make_board("Maps")
    for number, status in enumerate((Status.NEW, Status.PLANNED, Status.DECLINED)):
        idea = make_idea(f"Idea {number}", board=board, status=status, author=me)
        with transaction():
            set_tags(idea, ["offline"], pm)
    make_idea("Elsewhere", board=make_board("Other"))
    browser = browse(me)
    seen, waiting = {}, ["/"]
    while waiting and len(seen) < 40:
        path = waiting.pop(0)
        page = browser.get(path)
        assert page.status_code == 200, path
        seen[path] = page.text
        links = {
            html.unescape(link)
            for link in re.findall(r'href="((?:/boards/[\w-]+)?/?\?[^"#]*|/boards/[\w-]+|/)"', page.text)
        }
        waiting += [link for link in sorted(links) if link not in seen and link not in waiting]

    assert {"/?sort=new", "/?sort=rising", "/?sort=answered", "/boards/maps"} <= set(seen)
    assert any("who=mine" in path for path in seen)
    assert any("who=voted" in path for path in seen)
    assert any("status=planned" in path for path in seen)
    assert any("tag=offline" in path for path in seen)


def test_a_filter_by_htmx_gives_the_list_that_the_page_holds(browse):
    make_idea("Offline maps", status=Status.PLANNED)
    make_idea("Route names")
    browser = browse(make_user())

    page, part = (browser.get("/?status=planned", headers=headers).text for headers in ({}, HTMX))

    assert "<html" in page
    assert "<html" not in part
    for text in (page, part):
        assert "Offline maps" in text
        assert "Route names" not in text


def test_an_empty_list_says_so_and_leads_on(browse):
    for path in ("/", "/?who=mine", "/?status=planned", "/?tag=nothing", "/?sort=answered"):
        page = browse(make_user()).get(path)
        assert page.status_code == 200
        assert 'class="empty' in page.text, path


def test_guests_asking_for_their_own_get_an_empty_list(browse):
    make_idea("Of somebody")

    for who in ("mine", "voted"):
        page = browse().get(f"/?who={who}&status=all")
        assert page.status_code == 200
        assert "Of somebody" not in page.text


def test_a_board_that_is_not_for_the_visitor_is_not_there(browse):
    board = make_board("Inside", Audience.STAFF)

    assert browse().get(f"/boards/{board.slug}").status_code == 404
    assert browse(make_user()).get(f"/boards/{board.slug}").status_code == 404
    assert browse(make_user(Role.PM)).get(f"/boards/{board.slug}").status_code == 200
    assert "Inside" not in browse(make_user()).get("/").text


# Counters


def test_a_board_counts_what_is_published_and_stands_for_itself():
    pm, author, board = make_user(Role.PM), make_user(), make_board()
    held = make_idea(board=board, publication=Publication.HELD)
    first, second = make_idea(board=board), make_idea(board=board, author=author)
    counts = [board.ideas]

    for act in (
        lambda: service.publish_idea(held, pm),
        lambda: service.hide_idea(first, pm, "It names a person."),
        lambda: service.publish_idea(first, pm),
        lambda: move_idea(first, Status.MERGED, pm, MoveDetails(into=held)),
        lambda: service.remove_idea(second, author),
    ):
        with transaction():
            act()
        counts.append(board.ideas)

    assert counts == [2, 3, 2, 3, 2, 1]
    assert board.ideas == sum(idea.is_published and idea.status is not Status.MERGED for idea in all_on(board))


def all_on(board: Any) -> list[Idea]:
    from sqlalchemy import select

    from portal.db import db

    return list(db.session.scalars(select(Idea).where(Idea.board_id == board.id)))
