"""Noting searches: which words are kept, what counts as one search, and which of them led somewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import Guest
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.demand.log import TYPING, Noted, SearchLog, new_key, search_log
from portal.demand.models import NotedSearch, Reach, Searcher
from portal.demand.service import note_search
from portal.demand.wording import group_of, kept_words
from portal.search import index
from tests.factories import make_board, make_idea, make_place, make_user
from tests.support import queries

pytestmark = pytest.mark.usefixtures("app")

CHROME = {"User-Agent": "Mozilla/5.0 (X11; Linux) Chrome/140"}


def written() -> list[NotedSearch]:
    """All that is noted, written down."""
    search_log().write_down(everything=True)
    db.session.rollback()
    return list(db.session.scalars(select(NotedSearch).order_by(NotedSearch.id)))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Dark\tMODE ", "dark mode"),
        ('"dark mode" -night status:planned', "dark mode night"),
        ("write to ines@example.org", ""),
        ("https://example.org/secret", ""),
        ("call 0151 / 234-5678", ""),
        ("4111 1111 1111 1111", ""),
        ("route 66 in 2026", "route 66 in 2026"),
        ("a" * 41, ""),
        ("word " * 100, ("word " * 40).strip()),
    ],
)
def test_s05_what_may_name_a_person_is_not_kept(typed, kept):
    assert kept_words(typed) == kept


def test_a_group_is_the_same_words_in_any_order_and_ending():
    assert group_of("offline maps") == group_of("map offline") == group_of("the Maps, offline!")
    assert group_of("of the") == ""


def test_typing_on_counts_once_and_says_nothing_of_who_typed():
    member = make_user()
    for words in ("dark", "dark m", "dark mode", "dark mode"):
        note_search(words, 3 if words == "dark mode" else 9, member)
    note_search("night", 0, Guest())

    rows = [(row.words, row.stems, row.found, row.by, row.reach, row.opened) for row in written()]

    assert rows == [
        ("dark mode", "dark mode", 3, Searcher.MEMBER, Reach.OPEN, False),
        ("night", "night", 0, Searcher.VISITOR, Reach.OPEN, False),
    ]
    assert {column.name for column in NotedSearch.__table__.columns} == {
        *("id", "key", "words", "stems", "found", "opened", "by", "reach", "at", "day")
    }


def test_typing_on_in_another_process_counts_once_whoever_writes_first(app):
    for first, second in (("dark", "dark mode"), ("night sky", "night")):
        there, here = SearchLog(app), SearchLog(app)
        for log, words in ((there, first), (here, second)):
            log.note(Noted(new_key(), words, group_of(words), 1, Searcher.VISITOR, Reach.OPEN, utcnow()))
        there.write_down(everything=True)
        here.write_down(everything=True)

    assert [row.words for row in written()] == ["dark mode", "night sky"]


def test_what_is_still_being_typed_is_not_written_yet(app):
    log = SearchLog(app)
    for words, age in (("older", TYPING), ("newer", timedelta())):
        log.note(Noted(new_key(), words, words, 1, Searcher.VISITOR, Reach.OPEN, utcnow() - age))

    assert log.write_down() == 1
    assert [row.words for row in written()] == ["older"]


def test_following_a_link_in_the_results_is_noted_and_the_kept_page_stays_one(app, browse):
    idea = make_idea("Sleep outside in a tent")
    number = idea.id
    index.rebuild()
    visitor = browse()

    found = visitor.get("/search?q=tent", headers=CHROME).text
    token = found.partition(f'href="/ideas/{number}?s=')[2].partition('"')[0]
    reader = browse()
    reader.carries_token = False
    plain = reader.get(f"/ideas/{number}", headers=CHROME)
    with queries() as asked:
        marked = reader.get(f"/ideas/{number}?s={token}", headers=CHROME)

    assert token and plain.text == marked.text and token not in marked.text
    assert asked == []
    assert [(row.words, row.found, row.opened) for row in written()] == [("tent", 1, True)]


def test_a_link_followed_after_the_search_was_written_down_counts_too():
    token = note_search("tent", 1, Guest())
    assert [row.opened for row in written()] == [False]

    search_log().follow(token)
    search_log().follow("invented.token.here")

    assert [row.opened for row in written()] == [True]


def test_machines_open_nothing_and_are_counted_apart(browse):
    idea = make_idea("Sleep outside in a tent")
    number = idea.id
    index.rebuild()

    browse().get("/search?q=tent", headers={"User-Agent": "Somebot/1.0"})
    token = note_search("tent", 1, make_user())
    browse().get(f"/ideas/{number}?s={token}", headers={"User-Agent": "Somebot/1.0"})

    assert {(row.by, row.opened) for row in written()} == {(Searcher.MACHINE, False), (Searcher.MEMBER, False)}


def test_s05_who_may_see_more_is_noted_as_such_without_saying_what():
    listed = make_user()
    make_place(make_board(audience=Audience.PRIVATE), listed)
    people = (Guest(), make_user(), make_user(Role.PM), make_user(Role.ADMIN), listed, make_user(approved_at=None))

    for number, person in enumerate(people):
        note_search(f"falcon{number}", 0, person)

    assert [(row.by, row.reach) for row in written()] == [
        (Searcher.VISITOR, Reach.OPEN),
        (Searcher.MEMBER, Reach.OPEN),
        (Searcher.STAFF, Reach.STAFF),
        (Searcher.STAFF, Reach.CLOSED),
        (Searcher.MEMBER, Reach.CLOSED),
        (Searcher.VISITOR, Reach.OPEN),
    ]


def test_a_search_never_fails_by_the_log(app, browse, monkeypatch):
    monkeypatch.setattr(SearchLog, "note", lambda *_: 1 / 0)

    assert browse().get("/search?q=tent", headers=CHROME).status_code == 200


def test_what_could_not_be_written_is_written_the_next_time(monkeypatch):
    note_search("tent", 0, Guest())
    with monkeypatch.context() as broken:
        broken.setattr("portal.demand.log._write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            search_log().write_down(everything=True)

    assert [row.words for row in written()] == ["tent"]


def test_a_flood_is_bounded(app, monkeypatch):
    monkeypatch.setattr("portal.demand.log.MOST", 10)
    for number in range(50):
        search_log().follow(note_search(f"flood{number} of words", 0, Guest()))

    assert len(written()) == 10
