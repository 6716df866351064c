"""Pages of lists: each thing once, however many there are and whatever arrives meanwhile; and what a page costs."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts.models import Guest, User
from portal.accounts.roles import Role
from portal.comments import service as comments
from portal.comments.models import Comment
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas import service
from portal.ideas.lists import KINDS, SORTS, Filters, list_ideas
from portal.ideas.models import Idea
from portal.notifications.models import Notification
from portal.search import index
from portal.transactions import transaction
from portal.web.paging import cursor, place
from tests.factories import make_board, make_idea, make_user
from tests.support import HTMX, queries

pytestmark = pytest.mark.usefixtures("app")

SOME = 47


@pytest.fixture
def many() -> list[int]:
    """Ideas of which many share what they are sorted by."""
    return make_ideas(SOME)


def make_ideas(number: int, start: int = 0) -> list[int]:
    author, board = make_user(), make_board()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with transaction():
        made = [
            service.submit_idea(
                author,
                board,
                title=f"Let me do thing {n}",
                need="Today it is by hand.",
                at=at + timedelta(days=n // 10),
            )
            for n in range(start, start + number)
        ]
        for n, idea in enumerate(made):
            idea.votes, idea.heat, idea.answered_at = 1 + n % 3, float(n % 4), at + timedelta(days=n // 20)
    return [idea.id for idea in made]


def test_walking_through_a_list_meets_each_idea_once(app, many):
    for sort, limit in [(sort, limit) for sort in SORTS for limit in (7, 46, 47, 48)] + [("top", 1)]:
        met: list[int] = []
        after: Any = None
        for _ in range(SOME + 1):
            page = list_ideas(Guest(), Filters(sort=sort, status="all"), after, limit)
            met += [row.id for row in page.rows]
            if page.next_place is None:
                break
            with app.test_request_context():
                after = place(cursor(*page.next_place), KINDS[sort])

        assert sorted(met) == sorted(many), (sort, limit)


def test_what_arrives_meanwhile_makes_nobody_miss_or_meet_an_idea_twice(many):
    firsts = {sort: list_ideas(Guest(), Filters(sort=sort, status="all"), None, 20) for sort in SORTS}
    newcomers = set(make_ideas(10, start=100))
    for sort, first in firsts.items():
        met, after = [row.id for row in first.rows], first.next_place
        while after is not None:
            page = list_ideas(Guest(), Filters(sort=sort, status="all"), after, 20)
            met, after = met + [row.id for row in page.rows], page.next_place

        assert len(met) == len(set(met)), sort
        assert set(many) <= set(met), sort
        assert set(met) - set(many) <= newcomers, sort


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_links_lead_from_page_to_page_until_all_were_shown(many, browse, headers):
    browser, path, shown = browse(), "/?sort=new&status=all", []
    for _ in range(5):
        text = browser.get(path, headers=headers).text
        shown += re.findall(r"Let me do thing \d+(?=</a>)", text)
        older = re.search(r'href="(/\?[^"]*after=[^"]+)"', text)
        if not older:
            break
        path = html.unescape(older[1])

    assert len(shown) == len(set(shown)) == SOME


def test_a_cursor_is_a_place_and_nothing_else(app):
    at = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
    with app.test_request_context():
        assert place(cursor(at, 7), (datetime, int)) == (at, 7)
        assert place(cursor(1.5, 7), (float, int)) == (1.5, 7)
        for kinds in ((int, int), (datetime, int, int), (datetime,)):
            assert place(cursor(at, 7), kinds) is None
        assert place(cursor(at, 7)[:-1] + "x", (datetime, int)) is None
        assert place(None, (int,)) is None


def test_the_cursor_of_one_sorting_is_the_first_page_of_another(many, browse):
    older = re.search(r"after=([^&\"]+)", browse().get("/?sort=new&status=all").text)

    answer = browse().get(f"/?sort=top&status=all&after={older[1]}")

    assert answer.status_code == 200
    assert len(re.findall(r"Let me do thing \d+(?=</a>)", answer.text)) == 20


# What a page costs


def asked_by(browser: Any, path: str, headers: Any = None) -> list[str]:
    """The statements that a page asks for, once it is warm."""
    assert browser.get(path, headers=headers).status_code == 200
    db.session.rollback()
    with queries() as asked:
        assert browser.get(path, headers=headers).status_code == 200
    return list(asked)


def assert_same(before: dict[str, list[str]], after: dict[str, list[str]]) -> None:
    for what, statements in before.items():
        assert len(after[what]) == len(statements), f"{what}:\n" + "\n".join(after[what])


@pytest.fixture
def readers(browse, app) -> dict[str, Any]:
    """A guest, a member and a product manager, each with a browser; nothing is kept from the page before."""
    app.before_request(lambda: app.extensions.pop("kept", None) and None)
    return {"guest": browse(), "member": browse(make_user()), "pm": browse(make_user(Role.PM))}


def test_a_list_costs_the_same_however_long_it_is(readers):
    make_ideas(2)
    paths = ("/", "/?sort=new&status=all", "/?who=voted")
    few = {f"{who} {path}": asked_by(browser, path) for who, browser in readers.items() for path in paths}

    make_ideas(30, start=10)

    assert_same(few, {f"{who} {path}": asked_by(browser, path) for who, browser in readers.items() for path in paths})
    assert max(len(asked) for asked in few.values()) <= 20


def test_an_idea_costs_the_same_however_much_is_said(readers):
    idea = make_idea()
    talk(idea, 1)
    path = f"/ideas/{idea.id}?all=1"
    few = {who: asked_by(browser, path) for who, browser in readers.items()}

    talk(idea, 39)

    assert_same(few, {who: asked_by(browser, path) for who, browser in readers.items()})
    assert max(len(asked) for asked in few.values()) <= 20


def talk(idea: Idea, number: int) -> None:
    with transaction():
        for n in range(number):
            author = User(
                email=f"talker{idea.comments}.{n}@example.org",
                name=f"Talker {idea.comments} {n}",
                name_key=f"t{idea.comments}{n}",
            )
            db.session.add(author)
            db.session.flush()
            said = comments.post_comment(idea, author, f"Comment {n}")
            comments.post_comment(idea, author, f"Reply {n}", reply_to=said)
            service.cast_vote(idea, author)


def test_a_search_costs_the_same_however_much_is_found(readers):
    make_ideas(1)
    index.rebuild()
    paths = ("/search?q=thing", "/search?author=member", "/search/similar?title=let+me+do+that+thing")
    few = {f"{who} {path}": asked_by(browser, path) for who, browser in readers.items() for path in paths}

    make_ideas(24, start=1)
    index.rebuild()

    assert_same(few, {f"{who} {path}": asked_by(browser, path) for who, browser in readers.items() for path in paths})
    assert max(len(asked) for asked in few.values()) <= 20


def test_triage_costs_the_same_however_much_waits(readers):
    [idea_id] = make_ideas(1)
    index.rebuild()
    paths = ("/triage/first-look", f"/triage/first-look/{idea_id}")
    few = {path: asked_by(readers["pm"], path) for path in paths}

    make_ideas(40, start=1)
    index.rebuild()

    assert_same(few, {path: asked_by(readers["pm"], path) for path in paths})
    # The queue and the frame take 7, the idea on the desk 30: all that the team knows of it, each kind in one or two.
    assert max(len(asked) for asked in few.values()) <= 37


def test_an_inbox_costs_the_same_however_full_it_is(browse):
    reader = make_user()
    browser = browse(reader)
    tell(reader, 1)
    few = {"inbox": asked_by(browser, "/inbox")}

    tell(reader, 30)

    assert_same(few, {"inbox": asked_by(browser, "/inbox")})
    assert len(few["inbox"]) <= 20


def tell(reader: User, number: int) -> None:
    idea = make_idea(author=reader)
    with transaction():
        for n in range(number):
            author = User(
                email=f"teller{idea.id}.{n}@example.org", name=f"Teller {idea.id} {n}", name_key=f"x{idea.id}.{n}"
            )
            db.session.add(author)
            db.session.flush()
            said = comments.post_comment(idea, author, f"Comment {n}")
            record = db.session.scalars(select(EventRecord).order_by(EventRecord.id.desc()).limit(1)).one()
            db.session.add(
                Notification(
                    user_id=reader.id,
                    event_id=record.id,
                    idea_id=idea.id,
                    kind="commented",
                    reason="author",
                    at=utcnow(),
                )
            )
            assert isinstance(said, Comment)


def test_a_profile_costs_the_same_however_much_somebody_did(readers):
    [idea_id] = make_ideas(1)
    author = db.session.get_one(Idea, idea_id).author
    path = f"/people/{author.id}"
    few = {who: asked_by(browser, path) for who, browser in readers.items()}

    with transaction():
        board = make_board_inside()
        for n in range(25):
            service.submit_idea(author, board, title=f"Another thing {n}", need="Today it is by hand.")

    assert_same(few, {who: asked_by(browser, path) for who, browser in readers.items()})


def make_board_inside() -> Any:
    from portal.boards.models import Board

    board = Board(name="One more", slug="one-more")
    db.session.add(board)
    db.session.flush()
    return board
