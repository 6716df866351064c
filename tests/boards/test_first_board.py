"""A new portal has one board, so that the first member finds where to post."""

import pytest
from sqlalchemy import select

from portal.boards.models import Board
from portal.boards.service import ensure_board
from portal.db import db
from portal.transactions import transaction
from tests.factories import make_board, make_user

pytestmark = pytest.mark.usefixtures("app")


def test_a_portal_without_boards_gets_one_and_only_one():
    for _ in range(2):
        with transaction():
            ensure_board()

    assert [board.slug for board in db.session.scalars(select(Board))] == ["ideas"]


def test_a_portal_with_a_board_keeps_it_as_the_first():
    board = make_board("Planning")

    with transaction():
        assert ensure_board() is board


def test_without_any_board_posting_says_what_is_missing(browse):
    member = make_user()

    answer = browse(member).get("/ideas/new")

    assert answer.status_code == 409
    assert "There is no board for ideas yet" in answer.text
