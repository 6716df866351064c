"""Who may know of which board, and of what on it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts.models import Guest
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board
from portal.boards.queries import board_lines, list_boards
from portal.db import db
from portal.ideas import lists
from portal.ideas.models import Idea
from portal.ideas.queries import ideas_visible_to, is_out_for
from portal.ideas.workflow import Publication, Status
from portal.notifications.queries import count_unread
from portal.options import decide
from portal.search import index
from portal.search.asking import read
from portal.search.queries import similar_ideas
from portal.search.results import search_ideas
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_place, make_rules, make_user
from tests.support import queries

pytestmark = pytest.mark.usefixtures("app")

BOARDS = ("public", "members", "private", "staff", "one-way", "private one-way")


@pytest.fixture
def boards() -> dict[str, Board]:
    return {
        "public": make_board("Public"),
        "members": make_board("Members", Audience.MEMBERS),
        "private": make_board("Private", Audience.PRIVATE),
        "staff": make_board("Staff", Audience.STAFF),
        "one-way": make_board("One way", one_way=True),
        "private one-way": make_board("Private one way", Audience.PRIVATE, one_way=True),
    }


def people(boards: dict[str, Board]) -> dict[str, Any]:
    """One person of each kind that is told apart."""
    listed, pm, observer = make_user(), make_user(), make_user()
    for board in boards.values():
        make_place(board, listed, Role.MEMBER)
    for name in ("private one-way", "staff", "public"):
        make_place(boards[name], pm, Role.PM)
    make_place(boards["staff"], observer, Role.OBSERVER)
    return {
        "visitor": Guest(),
        "waiting": make_user(approved_at=None),
        "member": make_user(),
        "listed": listed,
        "pm of some": pm,
        "observer of one": observer,
        "observer": make_user(Role.OBSERVER),
        "moderator": make_user(Role.MODERATOR),
        "PM": make_user(Role.PM),
        "admin": make_user(Role.ADMIN),
        "owner": make_user(Role.OWNER),
    }


EVERYTHING = set(BOARDS)
OPEN, TEAM = {"public", "one-way"}, {"public", "members", "staff", "one-way"}
KNOWN = {
    "visitor": OPEN,
    "waiting": OPEN,
    "member": OPEN | {"members"},
    "listed": EVERYTHING - {"staff"},
    "pm of some": OPEN | {"members", "private one-way", "staff"},
    "observer of one": OPEN | {"members", "staff"},
    "observer": TEAM,
    "moderator": TEAM,
    "PM": TEAM,
    "admin": EVERYTHING,
    "owner": EVERYTHING,
}
READ = {
    **{who: known - {"one-way", "private one-way"} for who, known in KNOWN.items()},
    **{who: KNOWN[who] for who in ("observer", "moderator", "PM", "admin", "owner")},
    "pm of some": {"public", "members", "private one-way", "staff"},
}


def test_who_knows_of_which_board(boards):
    known = {
        who: {name for name, board in boards.items() if board in list_boards(person)}
        for who, person in people(boards).items()
    }

    assert known == KNOWN


def test_who_reads_what_others_wrote_there(boards):
    ideas = {name: make_idea(f"Idea on {name}", board=board) for name, board in boards.items()}

    read = {
        who: {name for name, idea in ideas.items() if idea in db.session.scalars(ideas_visible_to(person)).all()}
        for who, person in people(boards).items()
    }

    assert read == READ


def test_lists_search_suggestions_and_figures_keep_to_it(boards):
    for name, board in boards.items():
        make_idea(f"Pergola seats for {name.replace(' ', '-')} guests", board=board)
    viewers, slugs = people(boards), {name: board.slug for name, board in boards.items()}
    index.rebuild()

    for who, person in viewers.items():
        db.session.add(person) if who != "visitor" else None  # the index lets go of all that was read
        expected = {slugs[name] for name in READ[who]}
        listed = {row.board_slug for row in lists.list_ideas(person, lists.Filters(status="all")).rows}
        results = search_ideas(person, read("pergola seats"))
        alike = {idea.row.board_slug for idea in similar_ideas(person, "Pergola seats for guests", limit=10)}
        counted = {line.slug for line in board_lines(person) if line.ideas is not None}

        assert listed == expected, who
        assert {found.row.board_slug for found in results.found} == expected, who
        assert results.total == len(expected), who
        assert {
            option.asked.values("board")[0]
            for facet in results.facets
            if facet.name == "board"
            for option in facet.options
        } == (expected if len(expected) > 1 else set()), who
        assert alike == expected, who
        assert counted == expected, who


def test_on_a_one_way_board_members_have_their_own_ideas_whole(boards):
    author, other = make_user(), make_user()
    idea = make_idea("Mine alone", author=author, board=boards["one-way"])
    held = make_idea("Mine, and held", author=author, board=boards["one-way"], publication=Publication.HELD)
    make_comment(idea, author=make_user(Role.PM), body="Tell us more.")

    def seen_by(person: Any) -> set[int]:
        return {idea.id for idea in db.session.scalars(ideas_visible_to(person))}

    assert seen_by(author) == {idea.id, held.id}
    assert seen_by(other) == seen_by(Guest()) == set()
    assert {row.id for row in lists.list_ideas(author, lists.Filters()).rows} == {idea.id}
    assert count_unread(author) == 0


def test_ideas_of_people_who_left_are_nobodys_own(boards):
    idea = make_idea("Of somebody who left", board=boards["one-way"])
    with transaction():
        idea.author_id = None

    assert db.session.scalars(select(Idea).where(is_out_for(make_user()))).all() == []
    assert db.session.scalars(select(Idea).where(is_out_for(make_user(Role.OBSERVER)))).all() == [idea]


def test_a_closed_portal_shows_visitors_and_those_who_wait_nothing(boards):
    make_idea("Anything", board=boards["public"])
    with transaction():
        decide("reading", "members")

    for person in (Guest(), make_user(approved_at=None)):
        assert list_boards(person) == []
        assert db.session.scalars(ideas_visible_to(person)).all() == []
    assert len(list_boards(make_user())) == 3


def test_held_and_hidden_ideas_are_for_those_who_sort_that_board(boards):
    ideas = [
        make_idea("Held here", board=boards["public"], publication=Publication.HELD),
        make_idea("Held there", board=boards["members"], publication=Publication.HELD),
    ]
    pm_of_some = people(boards)["pm of some"]

    assert db.session.scalars(ideas_visible_to(pm_of_some)).all() == ideas[:1]


def test_the_front_page_counts_and_names_only_what_its_reader_knows(boards, browse):
    for name, board in boards.items():
        idea = make_idea(f"On {name}", board=board, status=Status.SHIPPED)
        with transaction():
            idea.tags = [_tag(f"tag-{name.replace(' ', '-')}")]
    member = make_user()

    for browser, known in ((browse(), {"public"}), (browse(member), {"public", "members"})):
        page = browser.get("/").text
        assert f"{len(known)} idea" in page
        assert f'All ideas <span class="num">{len(known)}</span>' in page
        assert {name for name in BOARDS if f"tag-{name.replace(' ', '-')}" in page} == known
        assert "One way <span" not in page


def test_who_knows_the_same_boards_shares_what_is_kept_and_nobody_else(boards, browse):
    idea = make_idea("Shipped in private", board=boards["private"], status=Status.SHIPPED)
    with transaction():
        idea.tags = [_tag("quiet-word")]
    listed, other = make_user(), make_user()
    make_place(boards["private"], listed)

    pages = [browse(person).get("/").text for person in (listed, other, None, listed)]

    assert ["quiet-word" in page for page in pages] == [True, False, False, True]


def test_narrowing_a_board_holds_for_the_next_reader_at_once(boards, browse):
    make_idea("Seen a moment ago", board=boards["public"])
    guest, member = browse(), browse(make_user())
    before = [browser.get("/").text.count("Seen a moment ago") for browser in (guest, member)]
    with transaction():
        boards["public"].audience = Audience.PRIVATE

    after = [browser.get("/").text for browser in (guest, member)]

    assert all(before)
    assert not any("Seen a moment ago" in page or "Public" in page for page in after)


def test_ranks_on_boards_cost_others_no_statement(browse):
    make_rules()
    make_idea(board=make_board())
    without, with_place = make_user(), make_user()
    make_place(make_board(), with_place)
    counted = []
    for person in (without, with_place):
        browser = browse(person)
        browser.get("/")
        with queries() as asked:
            browser.get("/")
        counted.append([statement for statement in asked if "FROM board_members" in statement.split("WHERE")[0]])

    assert (len(counted[0]), len(counted[1])) == (0, 1)


def _tag(name: str) -> Any:
    from portal.ideas.models import Tag

    tag = Tag(name=name)
    db.session.add(tag)
    return tag
