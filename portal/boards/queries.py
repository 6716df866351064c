"""Reading boards, each time from what the viewer may know of."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.accounts.roles import ADMINS, STAFF, STAFF_READERS, Role
from portal.boards.models import Audience, Board, BoardMember
from portal.db import db


@dataclass(frozen=True, slots=True)
class BoardLine:
    """A board as the lists of one viewer show it."""

    id: int
    slug: str
    name: str
    audience: Audience
    one_way: bool
    ideas: int | None  # None where how many there are is not theirs to know

    @property
    def is_open(self) -> bool:
        """Whether the viewer reads there what everybody wrote."""
        return self.ideas is not None


def is_known_to(viewer: Person) -> ColumnElement[bool]:
    """Say which boards this viewer may know of: the one rule that every read of boards and of ideas starts from."""
    known: ColumnElement[bool] = Board.audience.in_(audiences_of(viewer))
    if not _has_places(viewer):
        return known
    listed = (Board.audience == Audience.PRIVATE) & Board.id.in_(places_of(viewer))
    on_team = (Board.audience == Audience.STAFF) & Board.id.in_(places_of(viewer, STAFF_READERS))
    return known | listed | on_team


def keeps_apart(viewer: Person) -> ColumnElement[bool]:
    """Say which boards show this viewer only what they wrote themselves: one-way ones, but for the team."""
    if viewer.reads_as_staff:
        return sa.false()
    apart: ColumnElement[bool] = Board.one_way.is_(True)
    if not _has_places(viewer):
        return apart
    return apart & Board.id.not_in(places_of(viewer, STAFF_READERS))


def is_worked_on_by(viewer: Person, roles: Collection[Role] = STAFF_READERS) -> ColumnElement[bool]:
    """Say on which boards one of these roles is the viewer's: in the portal, or there."""
    if viewer.standing in roles:
        return is_known_to(viewer)
    return is_known_to(viewer) & Board.id.in_(places_of(viewer, roles)) if _has_places(viewer) else sa.false()


def boards_visible_to(viewer: Person) -> Select[Board]:
    """Every read of boards starts here."""
    return select(Board).where(is_known_to(viewer))


def audiences_of(viewer: Person) -> list[Audience]:
    """Return the kinds of board that this viewer may know of, whatever single boards they are listed on."""
    if viewer.standing in ADMINS:
        return list(Audience)
    if viewer.standing in STAFF_READERS:
        return [Audience.PUBLIC, Audience.MEMBERS, Audience.STAFF]
    if viewer.standing is not None:
        return [Audience.PUBLIC, Audience.MEMBERS]
    return [] if viewer.reading == "members" else [Audience.PUBLIC]


def kind_of_reader(viewer: Person) -> tuple[Any, ...]:
    """Return what says which boards a viewer reads, and how: who shares it may share what is kept of them."""
    apart = viewer.id if _has_places(viewer) else None
    return (*audiences_of(viewer), viewer.reads_as_staff, apart)


def places_of(viewer: Person, roles: Collection[Role] | None = None) -> Select[int]:
    """Select the boards that list the viewer, or give them one of these roles."""
    mine = select(BoardMember.board_id).where(BoardMember.user_id == viewer.id)
    return mine if roles is None else mine.where(BoardMember.role.in_(list(roles)))


def list_boards(viewer: Person, session: Session | None = None) -> list[Board]:
    """Return the boards in the order the admins gave them."""
    return list((session or db.session).scalars(boards_visible_to(viewer).order_by(Board.position, Board.id)))


def board_lines(viewer: Person, session: Session | None = None) -> list[BoardLine]:
    """Return the boards in order, each with the number of ideas that the viewer may know."""
    shown = sa.case((keeps_apart(viewer), sa.null()), else_=Board.ideas)
    columns = (Board.id, Board.slug, Board.name, Board.audience, Board.one_way, shown)
    rows = (session or db.session).execute(
        select(*columns).where(is_known_to(viewer)).order_by(Board.position, Board.id)
    )
    return [BoardLine(*row) for row in rows]


def list_worked_on(viewer: Person, roles: Collection[Role] = STAFF_READERS) -> list[Board]:
    """Return the boards on which one of these roles is the viewer's."""
    return list(db.session.scalars(*_worked_on(viewer, frozenset(roles))))


def find_board(slug: str, viewer: Person) -> Board | None:
    """Return the board with this address, if the viewer may know of it."""
    return db.session.scalar(boards_visible_to(viewer).where(Board.slug == slug))


def get_board(board_id: int, viewer: Person) -> Board | None:
    """Return the board with this number, if the viewer may know of it."""
    return db.session.scalar(boards_visible_to(viewer).where(Board.id == board_id))


def team_of(board: Board) -> list[User]:
    """Return everybody who can own an idea on this board, by name: the team, as far as it knows of the board."""
    return list(db.session.scalars(*_team_of(board.audience is Audience.PRIVATE, board_id=board.id)))


def people_of(board: Board) -> list[BoardMember]:
    """Return who is listed on a board, by name."""
    listed = select(BoardMember).join(User, User.id == BoardMember.user_id).where(BoardMember.board_id == board.id)
    return list(db.session.scalars(listed.options(joinedload(BoardMember.user)).order_by(User.name_key)))


def find_place(board: Board, user_id: int) -> BoardMember | None:
    """Return somebody's place on a board's list, if they have one."""
    return db.session.get(BoardMember, (board.id, user_id))


def read_places(people: Iterable[User | None]) -> None:
    """Read what these people are on single boards with one statement; with none where nobody is anything."""
    some = {person.id: person for person in people if person is not None and person.has_board_roles}
    if not some:
        return
    found: dict[int, list[BoardMember]] = {user_id: [] for user_id in some}
    for place in db.session.scalars(select(BoardMember).where(BoardMember.user_id.in_(some))):
        found[place.user_id].append(place)
    for user_id, places in found.items():
        set_committed_value(some[user_id], "places", places)


def _has_places(viewer: Person) -> bool:
    return viewer.standing is not None and bool(viewer.has_board_roles)


@built_once
def _worked_on(viewer: Person, roles: frozenset[Role]) -> Select[Board]:
    return select(Board).where(is_worked_on_by(viewer, roles)).order_by(Board.position, Board.id)


@built_once
def _team_of(private: bool, *, board_id: int) -> Select[User]:
    here = select(BoardMember.user_id).where(BoardMember.board_id == board_id)
    portal_wide: ColumnElement[bool] = User.role.in_(ADMINS if private else STAFF)
    if private:
        portal_wide |= User.role.in_(STAFF) & User.id.in_(here)
    people = select(User).where(portal_wide | User.id.in_(here.where(BoardMember.role.in_(STAFF))))
    fit = people.where(User.suspended_at.is_(None), User.approved_at.is_not(None))
    return fit.where(User.leaves_at.is_(None), User.erased_at.is_(None)).order_by(User.name)
