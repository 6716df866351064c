"""Role × address × board: every address that is about something on a board, asked by everybody, on boards of each kind.

The addresses come from the table in ``test_addresses``, which is equal to the URL map; what a new address is about is
said there, and it is tried here without another word. What should come out is worked out here from the product's words
and not from the portal's own rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import url_for

from portal.accounts.models import User
from portal.accounts.roles import ADMINS, STAFF_READERS, TRIAGERS, Role
from portal.boards.models import Audience, Board
from portal.db import db, utcnow
from portal.demand.models import Receipt
from portal.duplicates.service import refuse_pair
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails, move_idea
from portal.ideas.workflow import Publication, Status
from portal.links.models import Kind
from portal.links.service import link_ideas
from portal.organisations.behalf import vote_for
from portal.organisations.honesty import set_aside
from portal.search import index
from portal.talk.models import Note
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_place, make_rules, make_user
from tests.support import Browser
from tests.test_addresses import (
    INVENTED,
    MEMBERS,
    OF_IDEAS,
    PARTICIPANTS,
    TABLE,
    Row,
    everything,
    listed,
    without_numbers,
)

pytestmark = pytest.mark.usefixtures("app")

KINDS: dict[str, tuple[Audience, bool]] = {
    "public": (Audience.PUBLIC, False),
    "members": (Audience.MEMBERS, False),
    "private": (Audience.PRIVATE, False),
    "staff": (Audience.STAFF, False),
    "one-way": (Audience.PUBLIC, True),
    "private one-way": (Audience.PRIVATE, True),
}
PAIRS = {"pair", "refused pair"}
RECEIPTS = {"receipt", "hidden receipt"}
OWN_ONLY = "receipt of one's own"
OWN_NOTE = "note of one's own"
NOTES = {"note", "deleted note", OWN_NOTE}
VOTES = {"idea with a vote for somebody", "idea with a voter", "idea with a vote set aside"}
ABOUT = OF_IDEAS | RECEIPTS | NOTES | VOTES | {OWN_ONLY, "comment", "voter", "board", "tie"}
ON_BOARDS = [row for row in TABLE if row.about in ABOUT and not row.demo]
ELSEWHERE = [row for row in TABLE if row.about == "" and not row.demo]
FINE = {200, 204, 303, 409, 422}


@dataclass
class Somebody:
    """One kind of person: the role that counts, and what they are on boards."""

    name: str
    user: User | None
    role: Role | None
    browser: Browser
    places: dict[str, Role] = field(default_factory=dict)

    def ranks(self, kind: str) -> set[Role | None]:
        """All that this person is on a board."""
        return {self.role, self.places.get(kind, self.role)}

    def knows(self, kind: str) -> bool:
        """Whether they may know of the board, in the product's words."""
        audience, _one_way = KINDS[kind]
        if self.role is None:
            return audience is Audience.PUBLIC
        return bool(
            self.role in ADMINS
            or audience in {Audience.PUBLIC, Audience.MEMBERS}
            or (audience is Audience.PRIVATE and kind in self.places)
            or (audience is Audience.STAFF and self.ranks(kind) & STAFF_READERS)
        )

    def reads(self, kind: str, own: bool, publication: Publication = Publication.PUBLISHED) -> bool:
        """Whether they may know of an idea there."""
        apart = KINDS[kind][1] and not self.ranks(kind) & STAFF_READERS
        seen = publication is Publication.PUBLISHED or own or bool(self.ranks(kind) & TRIAGERS)
        return self.knows(kind) and seen and (not apart or (own and self.role is not None))

    def knows_of(self, row: Row, kind: str, own: bool) -> bool:
        """Whether they may know of what the row is about."""
        if row.about == "board":
            return self.knows(kind)
        if row.about == OWN_ONLY:  # left on the idea of somebody else
            return self.reads(kind, own=False) and (own or not self.may(row, kind, own))
        return self.reads(kind, own, row.publication)

    def may(self, row: Row, kind: str, own: bool) -> bool:
        """Whether they may do what the row is about with something that they may know of."""
        author = row.author_may and own and bool(self.ranks(kind) & PARTICIPANTS)
        if row.about == OWN_NOTE:  # left by somebody else
            return own and bool(self.ranks(kind) & row.may)
        by_role = author or bool((self.ranks(kind) - {None}) & row.may)
        if self.user is None or self.user.is_suspended:
            return by_role or None in row.may
        return by_role or row.may >= MEMBERS  # who waits does what anybody may who is signed in

    def is_refused(self, answer: Any) -> bool:
        """Whether this is the answer to somebody who may not."""
        if self.user is None or self.user.is_suspended:
            return bool(answer.status_code == 303 and answer.location.startswith("/sign-in"))
        return bool(answer.status_code == 403)


class World:
    """Boards of every kind, people of every kind, and things that are made when they are asked for."""

    def __init__(self, browse: Any, app: Any) -> None:
        self.app = app
        make_rules()
        index.rebuild()
        self.boards = {
            kind: make_board(f"Board {kind}", audience, one_way=one_way) for kind, (audience, one_way) in KINDS.items()
        }
        self.elsewhere = make_board("Elsewhere")
        self.author = make_user(name="The Author")
        self.mains = {
            kind: make_idea("The main one", author=self.author, board=board) for kind, board in self.boards.items()
        }
        self.people = list(self._people(browse))
        self.pm = next(person.user for person in self.people if person.name == "PM of the board")

    def _people(self, browse: Any) -> Iterator[Somebody]:
        yield Somebody("visitor", None, None, browse())
        waiting = make_user(name="Who Waits", approved_at=None)
        yield Somebody("waiting", waiting, None, browse(waiting))
        suspended = make_user(Role.ADMIN, name="Who Was Shut Out")
        browser = browse(suspended)
        with transaction(wake=False):
            suspended.suspended_at = utcnow()
        yield Somebody("suspended", suspended, None, browser)
        for role in Role:
            person = make_user(role)
            yield Somebody(role.value, person, role, browse(person))
        for name, rank in (("member of the board", Role.MEMBER), ("observer of the board", Role.OBSERVER),
                           ("moderator of the board", Role.MODERATOR), ("PM of the board", Role.PM)):  # fmt: skip
            person = make_user(name=name.title())
            for board in self.boards.values():
                make_place(board, person, rank)
            yield Somebody(name, person, Role.MEMBER, browse(person), dict.fromkeys(KINDS, rank))
        other = make_user(name="Pm Elsewhere")
        make_place(self.elsewhere, other, Role.PM)
        yield Somebody("PM of another board", other, Role.MEMBER, browse(other))

    def ask(self, person: Somebody, row: Row, kind: str, url: str) -> Any:
        """Make the request that the row is about."""
        if row.method == "GET":
            with person.browser.get(url) as answer:
                answer.get_data()
                return answer
        assert self.pm is not None
        words = {
            "{staff}": str(self.pm.id), "{main}": str(self.mains[kind].id), "{second}": self._second(row, kind),
            "{soon}": (utcnow() + timedelta(days=3)).date().isoformat(),
            "{other board}": self.boards["public" if kind != "public" else "members"].slug,
        }  # fmt: skip
        return person.browser.post(url, data={name: words.get(value, value) for name, value in row.form.items()})

    def url(self, row: Row, **made: Any) -> str:
        """The address of the row."""
        with self.app.test_request_context():
            return url_for(row.endpoint, **row.args, **made)

    def make(self, row: Row, kind: str, author: User) -> dict[str, Any]:
        """What the row is about, on a board of this kind, by this author."""
        board = self.boards[kind]
        if row.about == "board":
            return {"slug": board.slug}
        if row.about == "voter":
            return {"idea_id": self._idea(row, board, author).id, "user_id": author.id}
        if row.about == "merged idea":
            return {"idea_id": self._merged(kind, author).id}
        if row.about == "joined ideas":
            return {"idea_id": self.mains[kind].id, "with": self._merged(kind, author).id}
        if row.about in RECEIPTS | {OWN_ONLY}:
            return self._receipt(row, board, author)
        idea = self._idea(row, board, author)
        if row.about in VOTES:
            self._vote(row, idea)
        if row.about in NOTES:
            with transaction(wake=False):
                deleted_at = utcnow() if row.about == "deleted note" else None
                note = Note(idea_id=idea.id, author_id=author.id, body="Ask Tom.", deleted_at=deleted_at)
                db.session.add(note)
            return {"idea_id": idea.id, "note_id": note.id}
        if row.about == "refused pair":
            with transaction(wake=False):
                refuse_pair(idea, self.mains[kind], author)
        if row.about == "tie":
            with transaction(wake=False):
                made = link_ideas(idea, self.mains[kind], Kind.RELATES, author)
            return {"idea_id": idea.id, "link_id": made.id}
        if row.about in PAIRS:
            return {"idea_id": idea.id, "other_id": self.mains[kind].id}
        return {"comment_id": make_comment(idea, author=author).id} if row.about == "comment" else {"idea_id": idea.id}

    def invented(self, row: Row) -> dict[str, Any]:
        """Something of the same kind that was never there."""
        if row.about == "board":
            return {"slug": "never-there"}
        if row.about in PAIRS:
            return {"idea_id": INVENTED, "other_id": INVENTED + 1}
        if row.about == "tie":
            return {"idea_id": INVENTED, "link_id": INVENTED}
        if row.about in NOTES:
            return {"idea_id": INVENTED, "note_id": INVENTED}
        number = "comment_id" if row.about == "comment" else "idea_id"
        return {number: INVENTED} | ({"user_id": self.author.id} if row.about in RECEIPTS | {"voter"} else {})

    def _idea(self, row: Row, board: Board, author: User) -> Idea:
        return make_idea(author=author, board=board, publication=row.publication, status=row.status)

    def _receipt(self, row: Row, board: Board, left_by: User) -> dict[str, int]:
        idea = self._idea(row, board, self.author)
        hidden_at = utcnow() if row.about == "hidden receipt" else None
        with transaction(wake=False):
            db.session.add(Receipt(idea_id=idea.id, user_id=left_by.id, typed="Sleep outside", hidden_at=hidden_at))
        return {"idea_id": idea.id} | ({} if row.about == OWN_ONLY else {"user_id": left_by.id})

    def _vote(self, row: Row, idea: Idea) -> None:
        assert self.pm is not None
        with transaction(wake=False):
            if row.about == "idea with a vote for somebody":
                vote_for(idea, self.pm, self.author, "At the fair in May")
            if row.about == "idea with a vote set aside":
                set_aside(idea, [self.author.id], self.pm, "All at once")

    def _second(self, row: Row, kind: str) -> str:
        """Who or what else the row is about: a voter, or another idea."""
        if row.about not in VOTES:
            return str(self.mains[kind].id)
        assert self.pm is not None
        return str(self.pm.id if row.about == "idea with a vote for somebody" else self.author.id)

    def _merged(self, kind: str, author: User) -> Idea:
        idea = make_idea(author=author, board=self.boards[kind])
        with transaction(wake=False):  # from a time before members were kept apart
            self.boards[kind].one_way = False
            move_idea(idea, Status.MERGED, None, MoveDetails(into=self.mains[kind]))
            self.boards[kind].one_way = KINDS[kind][1]
        return idea


@pytest.fixture
def world(app, browse) -> World:
    return World(browse, app)


def asked(world: World, kind: str) -> Iterator[tuple[Row, Somebody, bool]]:
    """Each row, as everybody, about what others made; and as some, about what is their own."""
    for row in ON_BOARDS:
        for person in world.people:
            if person.name in LEFT_OUT[kind]:
                continue
            yield row, person, False
            if person.name in OWNERS and (row.author_may or row.about == OWN_ONLY or row.endpoint in ALSO_OWN):
                yield row, person, True


OWNERS = {"waiting", "member", "observer", "member of the board", "PM of another board"}
ALSO_OWN = {"ideas.show", "ideas.vote", "ideas.voters", "comments.post", "comments.mark_helpful", "triage.desk"}
COMPARED = {"visitor", "member", "PM of another board"}
"""Whose refusals are compared word by word with the answer about what was never there."""
ALIKE = {"champion", "admin"}
"""Nothing on a board tells them from a member and from the owner; what else they may is in ``test_addresses``."""
AS_ON_PUBLIC = {"observer", "moderator", "pm", "observer of the board", "moderator of the board"}
LEFT_OUT: dict[str, set[str]] = dict.fromkeys(KINDS, ALIKE) | {
    "public": {role.value for role in Role},  # in ``test_addresses``, on both databases
    "members": ALIKE | AS_ON_PUBLIC,
}
ON_POSTGRES = {"private one-way"}
"""The strictest boards are tried there and all others on SQLite; the rules, for all kinds of board and on both, are in
``boards/test_visibility``."""


@pytest.mark.parametrize(
    ("database", "kind"),
    [("postgres" if kind in ON_POSTGRES else "sqlite", kind) for kind in KINDS],
    indirect=["database"],
)
def test_s02_s04_on_each_board_everybody_gets_what_is_theirs(world, kind):
    wrong: list[str] = []
    seen, allowed = [], []
    made: dict[Any, dict[str, Any]] = {}
    invented: dict[Any, Any] = {}
    for row, person, own in asked(world, kind):
        key = (id(row), person.name if own else "")
        if key not in made:
            made[key] = world.make(row, kind, person.user if own and person.user else world.author)
    before = everything()
    for row, person, own in asked(world, kind):
        reads = person.knows_of(row, kind, own)
        if reads and person.may(row, kind, own):
            allowed.append((row, person, own))
            continue
        named = made[id(row), person.name if own else ""]
        answer = world.ask(person, row, kind, world.url(row, **named))
        if reads and not person.is_refused(answer):
            wrong.append(f"{row} by {person.name}{' (own)' * own} is not refused: {answer.status_code}")
        if not reads:
            seen.append(answer.status_code)
        if not reads and person.name not in COMPARED and answer.status_code != 404 and not person.is_refused(answer):
            wrong.append(f"{row} by {person.name}{' (own)' * own} is told: {answer.status_code}")
        if not reads and person.name in COMPARED:
            never = (id(row), person.name)
            if never not in invented:
                nothing = world.invented(row)
                told = world.ask(person, row, kind, world.url(row, **nothing))
                invented[never] = without_numbers(told, nothing.get("slug", ""))
            if without_numbers(answer, named.get("slug", "")) != invented[never]:
                codes = f"{answer.status_code} and not {invented[never][0]}"
                wrong.append(f"{row} by {person.name}{' (own)' * own} is told apart: {codes}")
    changed = [name for name, rows in everything().items() if rows != before[name]]
    for row, person, own in allowed:
        things = made[id(row), person.name if own else ""]
        if row.method == "POST":
            things = world.make(row, kind, person.user if own and person.user else world.author)
        answer = world.ask(person, row, kind, world.url(row, **things))
        if answer.status_code not in FINE or (answer.location or "").startswith("/sign-in"):
            wrong.append(f"{row} by {person.name}{' (own)' * own} is not let through: {answer.status_code}")

    assert not wrong, listed(wrong)
    assert changed == []
    assert len(allowed) > 100
    assert kind == "public" or 404 in seen


WHERE_A_RANK_COUNTS = (
    "triage.",
    "duplicates.",
    "search.save",  # and search.saved
    "demand.searched",
    "roadmap.more",
    "decisions.index",
    "changelog.",
    "labels.",
    "bulk.",
    "scores.index",
)


def test_s02_who_waits_is_suspended_or_ranks_on_a_board_gets_no_more_than_that_elsewhere(world):
    people = [person for person in world.people if person.name in RANKED_OR_KEPT_OUT]
    urls = {id(row): world.url(row) for row in ELSEWHERE}
    wrong, through = [], []
    before = everything()
    for row in ELSEWHERE:
        for person in people:
            if gets_through(person, row):
                through.append((row, person))
            elif not person.is_refused(answer := world.ask(person, row, "public", urls[id(row)])):
                wrong.append(f"{row} by {person.name} is not refused: {answer.status_code}")
    changed = [name for name, rows in everything().items() if rows != before[name]]
    for row, person in through:
        if row.method == "GET" and person.is_refused(answer := world.ask(person, row, "public", urls[id(row)])):
            wrong.append(f"{row} by {person.name} is not let through: {answer.status_code}")

    assert not wrong, listed(wrong)
    assert changed == []


RANKED_OR_KEPT_OUT = {"waiting", "suspended", "PM of the board", "member of the board", "PM of another board"}


def gets_through(person: Somebody, row: Row) -> bool:
    """Whether this person gets what the row is about, which is not on a board, by the product's words."""
    on_boards = row.endpoint.startswith(WHERE_A_RANK_COUNTS)
    roles = {person.role} | (set(person.places.values()) if on_boards else set())
    if person.name == "PM of another board" and on_boards:
        roles.add(Role.PM)
    return bool(None in row.may or roles & row.may or (person.name == "waiting" and row.may >= MEMBERS))


ELSEWHERE_BY_BOARD = {
    *("feeds.idea", "feeds.private_idea"),  # only what everybody, or whose feed it is, may see: tests/feeds
    *("verdicts.form", "verdicts.give", "verdicts.words", "verdicts.ask"),  # only who was asked: tests/verdicts
    # only who did it just now: tests/ideas/test_taking_back
    *("triage.undo_move", "triage.undo_answer", "triage.undo_hiding", "triage.undo_publishing"),
    "triage.recipients_of",  # names a move of this idea: tests/triage
}
"""About an idea, and about more than the role and the board of who asks."""


def test_the_matrix_speaks_of_every_address_that_is_about_something_on_a_board(app):
    """Whoever adds an address says what it is about; one with an idea, a comment or a board in it belongs in here."""
    with_objects = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.arguments & {"idea_id", "comment_id", "slug"} and rule.endpoint.split(".")[0] != "sso"
    }

    assert with_objects - {row.endpoint for row in ON_BOARDS} == ELSEWHERE_BY_BOARD
