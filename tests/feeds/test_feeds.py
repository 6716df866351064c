"""Feeds: what stands in them, who may read what, and what an address can do."""

import json
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.feeds import service
from portal.feeds.models import FeedAddress
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails, move_idea
from portal.ideas.workflow import Publication, Status
from portal.privacy import service as privacy
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_user
from tests.support.databases import on_one_database

ATOM = "{http://www.w3.org/2005/Atom}"


def titles(answer):
    assert answer.status_code == 200, answer.status
    return [entry.findtext(f"{ATOM}title") for entry in ElementTree.fromstring(answer.data).iter(f"{ATOM}entry")]


def feeds_of(user):
    with transaction(wake=False):
        return f"/feeds/private/{service.token_of(service.make_address(user))}"


def plan(idea):
    pm = make_user(Role.PM)
    with transaction():
        move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))
        move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="We **build** it.", expected="June"))


@on_one_database
def test_a_feed_has_the_newest_ideas_with_their_words_in_both_formats(browse):
    board, hour = make_board("Maps"), timedelta(hours=1)
    make_idea("Show the wells", board=board, at=utcnow() - hour)
    newest = make_idea("Draw <fences> & gates", board=board, need="A & B <i>")

    atom, feed = browse().get("/feeds/ideas.atom"), browse().get("/feeds/ideas.json")

    assert atom.mimetype == "application/atom+xml" and feed.mimetype == "application/feed+json"
    assert titles(atom) == ["Draw <fences> & gates", "Show the wells"]
    entry = next(ElementTree.fromstring(atom.data).iter(f"{ATOM}entry"))
    assert entry.find(f"{ATOM}link").get("href") == f"http://127.0.0.1:8000/ideas/{newest.id}"
    assert entry.findtext(f"{ATOM}content") == newest.need_html
    assert entry.find(f"{ATOM}category").get("term") == "Maps"
    items = json.loads(feed.data)["items"]
    assert [item["title"] for item in items] == titles(atom)
    assert items[0]["id"] == entry.findtext(f"{ATOM}id") and items[0]["content_html"] == newest.need_html


@on_one_database
def test_a_feed_can_be_narrowed_to_a_board_a_status_and_a_search(browse, settle):
    maps, other = make_board("Maps"), make_board("Other")
    make_idea("Show the wells", board=maps)
    plan(make_idea("Draw the fences", board=maps))
    make_idea("Count the sheep", board=other)
    slug = maps.slug
    settle()

    assert titles(browse().get(f"/feeds/ideas.atom?board={slug}")) == ["Draw the fences", "Show the wells"]
    assert titles(browse().get("/feeds/ideas.atom?status=planned")) == ["Draw the fences"]
    assert titles(browse().get("/feeds/search.atom?q=sheep")) == ["Count the sheep"]
    assert titles(browse().get("/feeds/search.atom")) == []
    assert browse().get("/feeds/ideas.atom?board=nowhere").status_code == 404
    assert browse().get("/feeds/everything.atom").status_code == 404
    assert browse().get("/feeds/ideas.rss").status_code == 404


@on_one_database
def test_the_feed_of_an_idea_tells_what_was_said_and_where_it_moved(browse):
    idea = make_idea("Show the wells")
    make_comment(idea, body="They are *dry* in summer.")
    plan(idea)

    found = titles(browse().get(f"/feeds/ideas/{idea.id}.atom"))

    assert found == ["Show the wells: Planned", "Show the wells: Under review", "They are dry in summer."]
    assert titles(browse().get("/feeds/answers.atom")) == ["Show the wells: Planned"]
    assert titles(browse().get("/feeds/roadmap.atom")) == ["Show the wells: Planned"]


def test_who_has_the_feed_already_is_told_only_that_nothing_is_new(browse):
    make_idea("Show the wells")
    had = browse().get("/feeds/ideas.atom")

    again = browse().get("/feeds/ideas.atom", headers={"If-None-Match": had.headers["ETag"]})
    since = browse().get("/feeds/ideas.atom", headers={"If-Modified-Since": had.headers["Last-Modified"]})
    make_idea("Draw the fences")
    changed = browse().get("/feeds/ideas.atom", headers={"If-None-Match": had.headers["ETag"]})

    assert (again.status_code, again.data) == (since.status_code, since.data) == (304, b"")
    assert titles(changed) == ["Draw the fences", "Show the wells"]


def test_s05_a_public_feed_is_the_same_for_everybody_and_has_only_what_visitors_may_see(browse):
    staff = make_user(Role.ADMIN)
    make_idea("Show the wells")
    for audience in (Audience.MEMBERS, Audience.PRIVATE, Audience.STAFF):
        plan(make_idea("Quillhidden", board=make_board(audience=audience), author=staff))
    plan(make_idea("Quillapart", board=make_board(one_way=True)))
    make_idea("Quillheld", publication=Publication.HELD)
    hidden = db.session.scalars(select(Idea.id).where(Idea.title.like("Quill%"))).all()

    for name in ("ideas", "answers", "roadmap", "changelog", "search"):
        for viewer in (None, staff):
            answer = browse(viewer).get(f"/feeds/{name}.atom?q=quillhidden")
            assert answer.status_code == 200 and "<title>Quill" not in answer.text
            assert answer.headers["Cache-Control"] == "public, max-age=300" and "Set-Cookie" not in answer.headers
    assert [browse(staff).get(f"/feeds/ideas/{idea_id}.atom").status_code for idea_id in hidden] == [404] * len(hidden)


def test_s26_a_private_feed_shows_what_its_owner_may_see_at_the_moment_of_reading(browse, settle):
    user, board = make_user(Role.PM), make_board("Quiet", audience=Audience.STAFF)
    idea = make_idea("Show the wells", board=board, author=user)
    plan(idea)
    feeds, idea_id, user_id = feeds_of(user), idea.id, user.id
    settle()

    assert titles(browse().get(f"{feeds}/ideas.atom")) == ["Show the wells"]
    assert titles(browse().get(f"{feeds}/inbox.atom"))[0].endswith(": Show the wells")
    assert browse().get(f"{feeds}/ideas/{idea_id}.json").status_code == 200
    assert "no-cache" in browse().get(f"{feeds}/ideas.atom").headers["Cache-Control"]

    with transaction():
        db.session.get_one(User, user_id).role = Role.MEMBER
    assert titles(browse().get(f"{feeds}/ideas.atom")) == titles(browse().get(f"{feeds}/inbox.atom")) == []
    assert browse().get(f"{feeds}/ideas/{idea_id}.json").status_code == 404


def test_s26_an_address_ends_when_it_is_replaced_given_up_or_its_owner_is_gone(browse):
    user, another = make_user(), make_user()
    me = browse(user)
    first, theirs = feeds_of(user), feeds_of(another)
    assert first in me.get("/feeds").text and first not in browse(another).get("/feeds").text

    me.post("/feeds/address")
    db.session.rollback()
    second = f"/feeds/private/{service.token_of(db.session.get_one(FeedAddress, user.id))}"
    assert [browse().get(f"{each}/inbox.atom").status_code for each in (first, second, theirs)] == [404, 200, 200]

    me.post("/feeds/address/give-up")
    assert browse().get(f"{second}/inbox.atom").status_code == 404
    assert "Make my address" in me.get("/feeds").text

    with transaction():
        another.suspended_at = utcnow()
    assert browse().get(f"{theirs}/inbox.atom").status_code == 404
    third = make_user()
    gone = feeds_of(third)
    with transaction():
        privacy.leave(third)
    assert browse().get(f"{gone}/inbox.atom").status_code == 404


@pytest.mark.parametrize("token", ["1", "1-", "-1-x", "x" * 200, "99999999999-abc", "1-%F0%9F%90%91", "²-abc"])
@on_one_database
def test_what_is_no_address_leads_nowhere(browse, token):
    feeds_of(make_user())

    assert browse().get(f"/feeds/private/{token}/inbox.atom").status_code == 404


@on_one_database
def test_pages_say_where_their_feed_is_and_only_where_everybody_may_read_it(browse):
    staff, quiet = make_user(Role.ADMIN), make_board(audience=Audience.STAFF)
    idea, hidden = make_idea("Show the wells"), make_idea(board=quiet)

    for page in ("/", f"/ideas/{idea.id}", f"/boards/{idea.board.slug}", "/changelog", "/roadmap", "/search?q=wells"):
        html = browse().get(page).text
        address = html.partition('type="application/atom+xml" href="')[2].partition('"')[0].replace("&amp;", "&")
        assert browse().get(address).mimetype == "application/atom+xml", page
    for page in (f"/ideas/{hidden.id}", f"/boards/{quiet.slug}"):
        assert "application/atom+xml" not in browse(staff).get(page).text


@on_one_database
@pytest.mark.parametrize("asked", ["endpoint=x", "written_as=zip", "name=zip", "_anchor=x", "idea_id=x&q=ä"])
def test_what_is_asked_along_with_a_feed_changes_nothing_but_its_own_address(browse, asked):
    make_idea("Show the wells")

    answer = browse().get(f"/feeds/ideas.atom?{asked}")

    assert titles(answer) == ["Show the wells"]
    links = {link.get("rel"): link.get("href") for link in ElementTree.fromstring(answer.data).iter(f"{ATOM}link")}
    assert "/feeds/ideas.atom?" in links["self"] and asked.partition("=")[0] in links["self"]
