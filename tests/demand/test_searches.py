"""What people looked for, as the team sees it: grouped, counted, set aside, and gone after 90 days."""

from __future__ import annotations

import csv
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.demand import groups, service
from portal.demand.groups import Filters
from portal.demand.models import NotedSearch, Reach, Searcher, SetAside, Verdict
from portal.demand.wording import group_of, is_slip
from portal.transactions import transaction
from tests.factories import make_board, make_place, make_user

pytestmark = pytest.mark.usefixtures("app")

_keys = count()
EVERY = Filters(least=1)


def searched(words: str, times: int = 1, *, found: int = 0, opened: bool = False, age: float = 1, **fields) -> None:
    """Let people look for something, some days ago."""
    at = utcnow() - timedelta(days=age)
    row = {"words": words, "stems": group_of(words), "found": found, "opened": opened, "at": at, "day": at.date()}
    row |= {"by": Searcher.VISITOR, "reach": Reach.OPEN} | fields
    with transaction(wake=False):
        db.session.add_all(NotedSearch(key=f"key{next(_keys)}", **row) for _ in range(times))


def told(viewer, filters=EVERY):
    found = groups.list_groups(viewer, filters)
    groups.tell(found, viewer, filters)
    return found


def test_searches_for_the_same_thing_are_one_group_and_what_led_nowhere_comes_first():
    pm = make_user(Role.PM)
    searched("dark mode", 4, found=3, opened=True)
    searched("mode dark", 1, found=3)
    searched("offline maps", 3, found=0)
    searched("map offline", 1, found=0, age=40)
    searched("offlnie maps", 1, found=0)

    maps, dark = told(pm)

    assert (maps.words, maps.others, maps.times, maps.nothing, maps.unopened) == (
        "offline maps",
        ["map offline", "offlnie maps"],
        5,
        5,
        0,
    )
    assert (maps.recent, sum(maps.days[-2:])) == (4, 4)  # one was longer ago than the trend
    assert (dark.words, dark.times, dark.nothing, dark.unopened) == ("dark mode", 5, 0, 1)


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("offline", "offlnie", True),
        ("offline", "ofline", True),
        ("offline", "offliine", True),
        ("offline", "offlane", True),
        ("appl", "apl", True),
        ("tent", "test", False),
        ("bus", "bu", False),
        ("night", "light", False),
        ("import", "export", False),
        ("offline", "online", False),
    ],
)
def test_a_slip_is_one_letter_in_a_word_that_begins_alike(one, other, slip):
    assert is_slip(one, other) is slip


def test_a_word_that_is_looked_for_about_as_often_is_no_slip():
    searched("desert", 3)
    searched("dessert", 2)

    assert {group.words for group in told(make_user(Role.PM))} == {"desert", "dessert"}


def test_what_was_answered_comes_back_with_new_searches_and_noise_stays_away():
    pm = make_user(Role.PM)
    for words in ("offline maps", "asdf qwer"):
        searched(words, 3)
    searched("offlnie maps", 1)
    with transaction():
        service.set_aside(told(pm)[0].keys, Verdict.ANSWERED, pm)
        service.set_aside([group_of("asdf qwer")], Verdict.NOISE, pm)
    nothing_left = told(pm)
    aside = told(pm, Filters(least=1, aside=True))
    searched("offline maps", 2, age=-0.01)
    searched("asdf qwer", 2, age=-0.01)

    assert nothing_left == []
    assert {(group.words, group.times, group.verdict) for group in aside} == {
        ("offline maps", 4, Verdict.ANSWERED),
        ("asdf qwer", 3, Verdict.NOISE),
    }
    assert [(group.words, group.times) for group in told(pm)] == [("offline maps", 2)]
    with transaction():
        service.bring_back([group_of("asdf qwer")], pm)
    assert {group.words for group in told(pm)} == {"offline maps", "asdf qwer"}


def test_s05_words_are_for_whoever_sees_as_much_as_those_who_typed_them(browse):
    board = make_board(audience=Audience.PRIVATE)
    here, admin, pm = make_user(), make_user(Role.ADMIN), make_user(Role.PM)
    make_place(board, here, Role.MODERATOR)
    for reach in Reach:
        searched(f"quill{reach.value}", 2, reach=reach)

    def seen(person):
        pages = [browse(person).get(f"/admin/searches{kind}?least=1").text for kind in ("", ".csv")]
        shown = [{reach for reach in Reach if f"quill{reach.value}" in page} for page in pages]
        assert shown[0] == shown[1]
        return shown[0]

    assert seen(here) == {Reach.OPEN}
    assert seen(pm) == {Reach.OPEN, Reach.STAFF}
    assert seen(admin) == set(Reach)
    for person in (here, pm):  # one may not decide here, the other not know of it
        browse(person).post("/admin/searches/aside", data={"stems": group_of("quillclosed"), "verdict": "noise"})
    db.session.rollback()
    assert db.session.scalar(select(SetAside)) is None


def test_the_page_leaves_out_machines_the_team_and_what_was_looked_for_once(browse):
    for by in Searcher:
        searched(f"word{by.value}", 2, by=by)
    searched("seldom", 1)
    browser = browse(make_user(Role.OBSERVER))

    usual, all_of_it = browser.get("/admin/searches"), browser.get("/admin/searches?by=machine&by=staff&least=1")

    assert "wordvisitor" in usual.text and "wordmember" in usual.text
    assert all(word not in usual.text for word in ("wordmachine", "wordstaff", "seldom", "Noise"))
    assert "wordmachine" in all_of_it.text and "wordvisitor" not in all_of_it.text


def test_the_table_is_harmless_to_spreadsheets(browse):
    searched("=cmd tents", 2)

    answer = browse(make_user(Role.MODERATOR)).get("/admin/searches.csv")

    rows = list(csv.reader(answer.text.lstrip("\ufeff").splitlines()))
    assert rows[1][:5] == ["'=cmd tents", "", "2", "2", "0"]
    assert answer.headers["Content-Type"].startswith("text/csv")


def test_s05_searches_are_gone_after_90_days():
    pm = make_user(Role.PM)
    searched("older", age=91)
    searched("newer", age=89)
    for words, verdict in (("older", Verdict.ANSWERED), ("junk", Verdict.NOISE)):
        with transaction():
            service.set_aside([words], verdict, pm)
    with transaction():
        for row in db.session.scalars(select(SetAside)):
            row.at = utcnow() - timedelta(days=91)

    with transaction(wake=False):
        assert groups.forget_old_searches() == 2

    assert db.session.scalars(select(NotedSearch.words)).all() == ["newer"]
    assert db.session.scalars(select(SetAside.stems)).all() == ["junk"]
