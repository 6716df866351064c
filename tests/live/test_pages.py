"""What people in front of open pages see of what others do."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board
from portal.db import db, utcnow
from portal.ideas import moves, service
from portal.ideas.models import Idea
from portal.ideas.promised import Promise
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.promises import clocks
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_user, make_votes
from tests.journeys.steps import told
from tests.support.accessibility import assert_accessible
from tests.support.databases import on_one_database
from tests.support.live import People
from tests.support.serving import serving

pytestmark = on_one_database

MOVED = 0.001  # what a number that grows counts for; a line pushed down counts for fifty times as much
SHIFTED = """() => {
    window.shifted = 0;
    new PerformanceObserver(list => list.getEntries().forEach(one => { window.shifted += one.value; }))
        .observe({type: "layout-shift", buffered: false});
}"""


@pytest.fixture
def come(app: Flask, chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open pages of the production server, which holds streams."""
    with serving(app) as address:
        people = People(app, chromium, address)
        yield people.open_page
        people.leave()


def vote(idea: Idea, voter: User | None = None) -> None:
    with transaction():
        service.cast_vote(db.session.get_one(Idea, idea.id), db.session.merge(voter) if voter else make_user())


def let_the_promised_day_pass(idea: Idea) -> None:
    """Let it be over since a moment, and notice it as the worker does."""
    passed = utcnow() - timedelta(minutes=1)
    with transaction():
        db.session.execute(sa.update(Idea).where(Idea.id == idea.id).values(due_at=passed))
        db.session.execute(sa.update(Promise).where(Promise.idea_id == idea.id).values(due_at=passed))
    assert clocks.note_missed() == 1


def votes_of(page: Any, idea: Idea) -> Any:
    return page.locator(f"[data-live='idea-{idea.id}/votes']").first


def test_who_reads_an_idea_sees_what_others_do_and_is_not_disturbed(come):
    manager, other = make_user(Role.PM), make_user(name="Wren Hollis")
    reader = make_user(timezone="Pacific/Kiritimati")
    late = utcnow().replace(hour=22) - timedelta(days=3)  # the next day, where the reader is
    idea = make_idea("Show springs on the map", author=reader, status=Status.UNDER_REVIEW, at=late)
    make_comment(idea, author=reader, body="The first word.")
    open_page, second = come(reader), come(other)
    open_page.goto(f"/ideas/{idea.id}")
    mine = open_page.get_by_label("Add to the discussion")
    mine.fill("Not finished")
    received = open_page.locator(".trail time").first.inner_text()
    open_page.evaluate(SHIFTED)
    second.goto(f"/ideas/{idea.id}")

    second.locator(".idea__head").get_by_role("button", name="Vote for").click()
    expect(votes_of(open_page, idea)).to_contain_text("2")
    expect(open_page.get_by_role("button", name="2 votes. Vote for")).to_have_attribute("aria-pressed", "true")
    expect(open_page.get_by_role("heading", name="2 people want this")).to_be_visible()
    second.get_by_label("Add to the discussion").fill("The second word.")
    second.get_by_role("button", name="Comment", exact=True).click()
    newer = open_page.get_by_role("link", name="1 new comment")
    expect(newer).to_be_visible()
    expect(open_page.get_by_role("heading", name="2 comments")).to_be_visible()
    with transaction():
        told_idea, pm = db.session.get_one(Idea, idea.id), db.session.merge(manager)
        moves.move_idea(told_idea, Status.PLANNED, pm, MoveDetails(answer="We draw them in spring."))
    expect(open_page.locator(".trail [aria-current]")).to_contain_text("Planned")
    assert open_page.locator(".trail time").first.inner_text() == received
    expect(open_page.locator(f"[data-live='idea-{idea.id}/status']").first).to_have_text("Planned")
    news = open_page.get_by_role("link", name="There is news from the team. Show it")
    expect(news).to_be_visible()

    expect(mine).to_be_focused()
    expect(mine).to_have_value("Not finished")
    assert told(open_page).all_inner_texts() == ["", ""], "others' doings are not announced"
    assert open_page.evaluate("shifted") < MOVED
    assert_accessible(open_page)
    newer.click()
    expect(open_page.get_by_text("The second word.")).to_be_visible()
    expect(open_page.locator(".comment:focus")).to_contain_text("The second word.")
    expect(newer).to_be_hidden()
    news.click()
    expect(open_page.get_by_role("heading", name="Official answer")).to_be_visible()
    let_the_promised_day_pass(idea)
    late = open_page.get_by_role("link", name="The promised day has passed without a word. Show it")
    expect(late).to_be_visible()
    assert open_page.get_by_text("and are late").count() == 0
    late.click()
    expect(open_page.get_by_text("and are late")).to_be_visible()
    expect(late).to_be_hidden()
    expect(open_page.get_by_label("Add to the discussion")).to_have_value("Not finished")


def test_new_ideas_wait_behind_a_button_of_lists_that_they_belong_to(come):
    first = make_idea("Let me print a route")
    make_votes(first, 3)
    guest, narrowed = come(), come(width=390)
    guest.goto("/")
    narrowed.goto("/?status=planned")
    rows = guest.locator(".idea-row h3")
    guest.evaluate(SHIFTED)

    make_idea("Let me fold a route")
    expect(guest.get_by_role("link", name="1 new idea", exact=True)).to_be_visible()
    make_idea("Let me carry a route")
    newer = guest.get_by_role("link", name="2 new ideas", exact=True)
    expect(newer).to_be_visible()

    assert rows.all_inner_texts() == ["Let me print a route"]
    assert guest.evaluate("shifted") < MOVED
    assert_accessible(guest)
    newer.click()
    expect(rows).to_have_text(["Let me carry a route", "Let me fold a route", "Let me print a route"])
    expect(guest.get_by_role("link", name="Let me carry a route", exact=True)).to_be_focused()
    assert narrowed.get_by_role("link", name="new idea").count() == 0


def test_news_arrive_in_the_bell_the_title_and_behind_a_button_of_the_inbox(come, settle):
    manager, author = make_user(Role.PM), make_user()
    idea = make_idea("Warn of ice", author=author, status=Status.UNDER_REVIEW)
    page = come(author)
    settle()
    page.goto("/inbox")
    before = page.locator(".news-row").count()

    with transaction():
        moves.move_idea(db.session.merge(idea), Status.PLANNED, db.session.merge(manager), MoveDetails(answer="Yes."))
    settle()

    newer = page.get_by_role("link", name="1 new", exact=True)
    expect(newer).to_be_visible()
    expect(page.locator("#bell .pip")).not_to_be_empty()
    unread = page.locator("#bell .pip").inner_text()
    assert page.title().startswith(f"Inbox ({unread})")
    assert page.locator(".news-row").count() == before
    newer.click()
    expect(page.get_by_text("Warn of ice").first).to_be_visible()
    expect(page.locator(".news-row .shift")).to_contain_text("Planned")


def test_s20_a_board_made_private_tells_open_pages_nothing_more_nor_does_one_of_somebody_demoted(come):
    board, other = make_board("Quiet corner"), make_board("Market place")
    hidden, shown = make_idea("Hidden wish", board=board), make_idea("Open wish", board=other)
    moderator = make_user(Role.MODERATOR)
    pages = come(), come(make_user()), come(moderator)
    for page in pages:
        page.goto("/")
        expect(votes_of(page, hidden)).to_contain_text("1")
    vote(hidden)
    for page in pages:
        expect(votes_of(page, hidden)).to_contain_text("2")

    with transaction():
        db.session.scalars(select(Board).where(Board.id == board.id)).one().audience = Audience.PRIVATE
        db.session.get_one(User, moderator.id).role = Role.MEMBER
    vote(hidden)
    make_idea("Another hidden wish", board=db.session.merge(board))
    vote(shown)

    for page in pages:
        expect(votes_of(page, shown)).to_contain_text("2")
        expect(votes_of(page, hidden)).to_contain_text("2")
        expect(page.get_by_role("link", name="new idea")).to_be_hidden()


def test_where_there_is_no_stream_a_page_asks_every_half_minute(open_page):
    idea = make_idea("Count the sheep")
    page = open_page()
    page.clock.install()
    page.goto("/")

    vote(idea)
    page.clock.run_for(31_000)

    expect(votes_of(page, idea)).to_contain_text("2")


def test_a_page_whose_server_was_away_asks_now_and_then_until_it_can_listen_again(come):
    idea, page = make_idea("Count the sheep"), come()
    answers: list[tuple[str, int]] = []
    page.on("response", lambda answer: answers.append((urlsplit(answer.url).path, answer.status)))
    page.clock.install()
    stream = re.compile(r"/live\?")
    page.route(stream, lambda route: route.fulfill(status=502))  # a proxy, while the portal starts anew
    page.goto("/")
    with page.expect_response(stream):
        page.clock.run_for(1_000)
    page.unroute(stream)

    for _half_minute in range(40):
        page.clock.run_for(30_000)
        page.wait_for_timeout(100)
        if ("/live", 200) in answers:
            break
    vote(idea)

    expect(votes_of(page, idea)).to_contain_text("2")
    assert 6 <= sum(path == "/live/poll" for path, _status in answers) <= 10
