"""What is sent of a change is what pages show, and is the same for everybody who may see the idea."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.comments import service as comments
from portal.db import db
from portal.ideas import moves
from portal.ideas import service as ideas
from portal.ideas.models import Answer
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.live import journal, messages
from portal.live.changes import (
    ANSWER,
    COMMENTS,
    KINDS,
    MERGED,
    NEW,
    ROADMAP,
    STATUS,
    TEAM,
    TEXT,
    VOTES,
    Change,
    Fact,
    gather,
    newest,
)
from portal.promises import clocks
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_user
from tests.support.databases import on_one_database

EVERYTHING = frozenset({VOTES, STATUS, ANSWER, COMMENTS, NEW, MERGED, ROADMAP, TEAM, TEXT})
PART = re.compile(
    r'<(?P<tag>\w+)(?P<attributes>[^>]*data-live="(?P<name>[^"]+)"[^>]*)>(?P<inside>.*?)</(?P=tag)>', re.DOTALL
)

SHOWN = re.compile(r'<div class="comment__said".*?</p></div></div>|<span class="act" data.*?</span></span>', re.DOTALL)


def sent(app: Flask, idea, kinds=EVERYTHING, locale="en", comments=()):
    """Return what goes out, as the server makes it: by a visitor, outside any request."""
    change = Change(1, idea.id, idea.board_id, frozenset(kinds), frozenset(comments))
    with messages.as_for_guests(app):
        return messages.of_change(change, locale)


def parts(html):
    """Each live part, by name: what stands in it, and what a button says it knows."""
    found = {}
    for part in PART.finditer(html):
        known = re.search(r'data-after="([^"]*)"', part["attributes"])
        found[part["name"]] = known[1] if known else part["inside"]
    return found


@pytest.fixture
def idea():
    manager, author = make_user(Role.PM), make_user()
    idea = make_idea("Show springs", author=author, status=Status.UNDER_REVIEW)
    make_comment(idea, author=author)
    with transaction():
        moves.move_idea(idea, Status.PLANNED, manager, MoveDetails(answer="We draw them in spring."))
    return idea


def test_a_page_that_shows_how_things_stand_has_nothing_to_change(app, browse, idea):
    shown = {}
    for path in (f"/ideas/{idea.id}", "/?sort=new", "/roadmap"):
        shown |= parts(browse().get(path).text)
    told = parts(sent(app, idea))

    for name in ("votes", "status", "trail", "backers", "comments", "talk", "moved", "late", "said", "text"):
        assert shown[f"idea-{idea.id}/{name}"] == told.pop(f"idea-{idea.id}/{name}"), name
    for name in ("boards/new", "roadmap/moved"):
        assert told[name] in shown[name].split(), name
    assert set(told) == {"boards/new", f"board-{idea.board_id}/new", "roadmap/moved", "triage/numbers"}


def test_a_comment_that_was_removed_is_replaced_where_it_shows_and_thanks_are_counted(app, browse, idea):
    removed, helpful = make_comment(idea, body="Buy my maps."), make_comment(idea, body="There is one in Bern.")
    make_comment(idea, body="Please stay with the topic.", reply_to=removed)
    shown = browse(make_user()).get(f"/ideas/{idea.id}").text
    with transaction():
        comments.delete_comment(removed, make_user(Role.MODERATOR))
        comments.mark_helpful(helpful, make_user())
    facts = [Fact(1, "comment.deleted", idea.id, {"comment_id": removed.id}),
             Fact(2, "comment.found_helpful", idea.id, {"comment_id": helpful.id})]  # fmt: skip
    (change,) = gather(facts)

    told = sent(app, idea, change.kinds, comments=change.comments)
    after = browse().get(f"/ideas/{idea.id}").text

    names = [f"idea-{idea.id}/{name}" for name in (f"comment-{removed.id}", f"helpful-{helpful.id}")]
    assert all(f'data-live="{name}"' in shown and f'data-live="{name}"' in told for name in names)
    assert f"comment-{helpful.id}" not in told
    assert [part for part in SHOWN.findall(told) if part not in after] == []
    assert "Comment removed by a moderator" in told
    assert "Buy my maps" not in told


@on_one_database
def test_thanks_taken_back_are_taken_off_other_pages_as_they_came(app, browse, idea):
    comment, thankful = make_comment(idea), [make_user(), make_user()]
    for person in thankful:
        with transaction():
            comments.mark_helpful(comment, person)
    began = newest()
    for person in (thankful[0], thankful[0], thankful[1]):
        with transaction():
            comments.unmark_helpful(comment, person)
    facts = journal.since(began)
    (change,) = gather(facts)

    told = sent(app, idea, change.kinds, comments=change.comments)

    assert len(facts) == 2, "who takes back nothing changes nothing"
    assert parts(told)[f"idea-{idea.id}/helpful-{comment.id}"] == ""
    assert f'data-live="idea-{idea.id}/helpful-{comment.id}"' in browse(thankful[0]).get(f"/ideas/{idea.id}").text


def test_an_edit_is_offered_and_the_words_stay_until_they_are_asked_for(app, browse, idea):
    before = parts(browse().get(f"/ideas/{idea.id}").text)[f"idea-{idea.id}/text"]
    with transaction():
        words = {"title": "Show all springs", "need": idea.need, "proposal": idea.proposal}
        ideas.edit_idea(idea, make_user(Role.MODERATOR), **words)

    told = sent(app, idea, {TEXT})

    assert set(parts(told)) == {f"idea-{idea.id}/text"}
    assert before == ""
    assert parts(told)[f"idea-{idea.id}/text"] == parts(browse().get(f"/ideas/{idea.id}").text)[f"idea-{idea.id}/text"]
    assert "Show all springs" not in told


def test_another_promise_and_an_answer_taken_back_are_news_from_the_team(app, browse, idea):
    name = f"idea-{idea.id}/moved"
    before = parts(browse().get(f"/ideas/{idea.id}").text)[name]
    with transaction():
        idea.due_at += timedelta(days=20)
    renewed = parts(sent(app, idea, KINDS["promise.renewed"]))[name]
    with transaction():
        db.session.execute(sa.delete(Answer).where(Answer.idea_id == idea.id))
    taken_back = parts(sent(app, idea, KINDS["idea.answer_undone"]))[name]

    assert len({before, renewed, taken_back}) == 3


@on_one_database
def test_a_day_that_passes_without_the_promised_word_is_told_once_it_is_noticed(app, browse, idea):
    name, reader = f"idea-{idea.id}/late", browse()
    before = parts(reader.get(f"/ideas/{idea.id}").text)[name]
    in_time = parts(sent(app, idea, KINDS["promise.missed"]))[name]
    began = newest()
    with time_machine.travel(idea.due_at + timedelta(seconds=1)):
        assert clocks.note_missed() == 1
        (change,) = gather(journal.since(began))
        told = parts(sent(app, idea, change.kinds))[name]
        shown = parts(reader.get(f"/ideas/{idea.id}").text)[name]

    assert before == in_time == ""
    assert told == shown == str(int(idea.due_at.timestamp()))


def test_what_goes_out_is_about_nobody_and_in_the_language_that_was_asked_for(app, browse, idea):
    english, german = sent(app, idea), sent(app, idea, locale="de")

    for words in ("csrf", "aria-pressed", "<form", "<a "):
        assert words not in english
    assert set(parts(english)) == set(parts(german))
    assert parts(english)[f"idea-{idea.id}/status"] != parts(german)[f"idea-{idea.id}/status"]


@on_one_database
def test_a_vote_sends_numbers_only(app, idea):
    assert set(parts(sent(app, idea, {VOTES}))) == {f"idea-{idea.id}/votes", f"idea-{idea.id}/backers"}


@on_one_database
@pytest.mark.parametrize(
    ("publication", "lists"),
    [
        (Publication.PUBLISHED, {"boards/new", "board-N/new", "triage/first-look", "triage/first-look-N"}),
        (Publication.HELD, {"triage/held", "triage/held-N"}),
        (Publication.HIDDEN, set()),
    ],
)
def test_lists_hear_of_an_idea_that_belongs_to_them(app, publication, lists):
    idea = make_idea(publication=publication)

    told = parts(sent(app, idea, {NEW}))

    assert told.pop("triage/numbers") == ""
    assert set(told) == {name.replace("N", str(idea.board_id)) for name in lists}
    assert set(told.values()) <= {f"idea{idea.id}"}


@on_one_database
@pytest.mark.parametrize(
    ("query", "listens"),
    [("", True), ("?sort=new", True), ("?status=all", True), ("?status=new", True), ("?status=planned", False),
     ("?sort=answered", False), ("?tag=maps", False), ("?who=voted", False)],
)  # fmt: skip
def test_a_list_listens_for_new_ideas_when_they_would_stand_in_it(browse, query, listens):
    idea = make_idea()
    board = db.session.get_one(Board, idea.board_id)

    anywhere, here = browse().get(f"/{query}").text, browse().get(f"/boards/{board.slug}{query}").text

    assert ("boards/new" in parts(anywhere)) is listens
    assert (f"board-{board.id}/new" in parts(here)) is listens


@on_one_database
def test_without_scripts_the_buttons_do_not_show(browse, idea):
    for path in (f"/ideas/{idea.id}", "/", "/roadmap", "/changelog"):
        buttons = re.findall(r"<a [^>]*data-words[^>]*>", browse().get(path).text)
        assert buttons and all(" hidden " in button for button in buttons), path


@on_one_database
def test_a_desk_asks_for_the_numbers_of_its_queues_alone(browse):
    make_idea()
    team = browse(make_user(Role.MODERATOR))

    page = team.get("/triage/first-look").text
    make_idea()
    numbers = team.get("/triage/first-look", headers={"HX-Request": "true", "HX-Target": "triage-queues"}).text

    assert 'data-live="triage/numbers"' in page and 'hx-trigger="live delay:1s"' in page
    assert numbers.strip().startswith("<nav")
    assert '<span class="num">2</span>' in numbers
    assert "queue-rows" not in numbers
    assert browse(make_user()).get("/triage/first-look", headers={"HX-Target": "triage-queues"}).text == ""
