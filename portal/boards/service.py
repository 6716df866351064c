"""What can be done with boards."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from portal.boards.models import Board
from portal.db import db


def ensure_board() -> Board:
    """Return the first board; a portal without any gets one for product ideas."""
    board = db.session.scalar(select(Board).order_by(Board.position, Board.id).limit(1))
    if board is None:
        board = Board(slug="ideas", name=str(_("Product ideas")))
        db.session.add(board)
        db.session.flush()
    return board
