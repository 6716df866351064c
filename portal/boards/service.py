"""What can be done with boards, and the refusals that raises."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import ADMINS, Role
from portal.boards import policy
from portal.boards.events import BoardEdited, BoardMade, BoardRemoved, PlaceGiven, PlaceTaken
from portal.boards.models import Audience, Board, BoardMember
from portal.db import db
from portal.errors import Refusal
from portal.events import emit
from portal.security.log import note

NAME_MAX, SLUG_MAX, DESCRIPTION_MAX, QUESTION_MAX = 60, 60, 300, 140


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardDetails:
    """What admins decide about a board; without a ``slug`` its address is made of the name."""

    name: str
    slug: str = ""
    description: str = ""
    question: str = ""
    audience: Audience = Audience.PUBLIC
    one_way: bool = False
    team: str | None = None
    position: int = 0


class AddressTaken(Refusal):
    """Another board has this address."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("Another board has this address already."))


class KnowsEveryBoard(Refusal):
    """Admins and owners are on no board's list: they see them all."""

    def __init__(self, user: User) -> None:
        super().__init__(
            _("%(name)s is %(role)s here and works on every board already.", name=user.name, role=user.role.label)
        )


def ensure_board() -> Board:
    """Return the first board; a portal without any gets one for product ideas."""
    board = db.session.scalar(select(Board).order_by(Board.position, Board.id).limit(1))
    if board is None:
        board = Board(slug="ideas", name=str(_("Product ideas")))
        db.session.add(board)
        db.session.flush()
    return board


def make_board(details: BoardDetails, actor: User) -> Board:
    """Open a board."""
    board = Board()
    _write(board, details)
    db.session.add(board)
    db.session.flush()
    emit(BoardMade(actor_id=actor.id, board_id=board.id))
    note("board.made", user=None, actor=actor, board=board.id, audience=board.audience.value, one_way=board.one_way)
    return board


def edit_board(board: Board, details: BoardDetails, actor: User) -> None:
    """Change what a board is called, asks, and who may know of it: whoever may not any more sees nothing of it."""
    db.session.refresh(board, with_for_update=True)
    before = (board.audience, board.one_way)
    _write(board, details)
    db.session.flush()
    emit(BoardEdited(actor_id=actor.id, board_id=board.id, audience=board.audience, one_way=board.one_way))
    if (board.audience, board.one_way) != before:
        audiences = f"{before[0].value} > {board.audience.value}"
        note("board.opened_to", user=None, actor=actor, board=board.id, audience=audiences, one_way=board.one_way)


def remove_board(board: Board, actor: User) -> None:
    """Take a board away that holds no idea; whether it does is for the caller to know, and the database to insist."""
    people = list(db.session.scalars(select(BoardMember).where(BoardMember.board_id == board.id)))
    for place in people:
        give_no_place(board, place.user, actor)
    emit(BoardRemoved(actor_id=actor.id, board_id=board.id))
    note("board.removed", user=None, actor=actor, board=board.id)
    db.session.delete(board)
    db.session.flush()


def give_place(board: Board, user: User, role: Role, actor: User) -> None:
    """Put somebody on the board's list with this rank, or give them another one there."""
    if user.role in ADMINS:
        raise KnowsEveryBoard(user)
    if not policy.may_give_rank(actor, role):
        raise Refusal(_("On a board people are member, champion, observer, moderator or product manager."))
    place = db.session.get(BoardMember, (board.id, user.id), with_for_update=True)
    if place is not None and place.role is role:
        return
    if place is None:
        place = BoardMember(board_id=board.id, user_id=user.id, added_by_id=actor.id)
        db.session.add(place)
    place.role = role
    _note_places(user)
    emit(PlaceGiven(actor_id=actor.id, board_id=board.id, user_id=user.id, role=role))
    note("role.changed", user=user, actor=actor, board=board.id, role=role.value)


def give_no_place(board: Board, user: User, actor: User | None) -> bool:
    """Take somebody off the board's list; return whether they were on it. What followed from it: ``leaving``."""
    place = db.session.get(BoardMember, (board.id, user.id), with_for_update=True)
    if place is None:
        return False
    db.session.delete(place)
    _note_places(user)
    emit(PlaceTaken(actor_id=actor.id if actor else None, board_id=board.id, user_id=user.id))
    note("role.changed", user=user, actor=actor, board=board.id, role=None)
    return True


def narrows(before: Audience, one_way_before: bool, audience: Audience, one_way: bool) -> bool:
    """Whether somebody who reads a board now would not any more."""
    stays = {
        Audience.PUBLIC: {Audience.PUBLIC},
        Audience.MEMBERS: {Audience.PUBLIC, Audience.MEMBERS},
        Audience.STAFF: {Audience.PUBLIC, Audience.MEMBERS, Audience.STAFF},
        Audience.PRIVATE: {Audience.PUBLIC, Audience.MEMBERS, Audience.PRIVATE},
    }
    return audience not in stays[before] or (one_way and not one_way_before)


def address_of(name: str) -> str:
    """Return the address that a name leads to: ``Product ideas`` is at ``product-ideas``."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_MAX].strip("-")


def _write(board: Board, details: BoardDetails) -> None:
    slug = details.slug or address_of(details.name)
    if not slug:
        raise Refusal(_("Give the board an address of letters and digits."))
    taken = select(Board.id).where(Board.slug == slug)
    if db.session.scalar(taken if board.id is None else taken.where(Board.id != board.id)) is not None:
        raise AddressTaken
    for name, value in (asdict(details) | {"slug": slug}).items():
        setattr(board, name, value)


def _note_places(user: User) -> None:
    """Keep the mark of those who are anything on a board, so that nobody else is looked up."""
    db.session.flush()
    places = select(BoardMember.board_id).where(BoardMember.user_id == user.id)
    user.has_board_roles = bool(db.session.scalar(select(sa.exists(places))))
    db.session.flush()
    db.session.expire(user, ["places"])
