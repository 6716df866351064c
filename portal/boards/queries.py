"""Reading boards, each time from what the viewer may know of."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.accounts.models import Person
from portal.boards.models import Audience, Board
from portal.db import db


def boards_visible_to(viewer: Person) -> Select[Board]:
    """Every read of boards starts here."""
    return select(Board).where(Board.audience.in_(audiences_of(viewer)))


def audiences_of(viewer: Person) -> list[Audience]:
    """Return the kinds of board that this viewer may know of."""
    if viewer.reads_as_staff:
        return list(Audience)
    return [Audience.PUBLIC, Audience.MEMBERS] if viewer.is_signed_in else [Audience.PUBLIC]


def list_boards(viewer: Person, session: Session | None = None) -> list[Board]:
    """Return the boards in the order the admins gave them."""
    return list((session or db.session).scalars(boards_visible_to(viewer).order_by(Board.position, Board.id)))


def find_board(slug: str, viewer: Person) -> Board | None:
    """Return the board with this address, if the viewer may know of it."""
    return db.session.scalar(boards_visible_to(viewer).where(Board.slug == slug))


def visible_board_ids(viewer: Person) -> sa.ScalarSelect[int]:
    """Return the ids of the viewer's boards, for use inside other queries."""
    return select(Board.id).where(Board.audience.in_(audiences_of(viewer))).scalar_subquery()
