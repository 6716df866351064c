"""What is kept in memory is as fresh as the database where ideas and boards are named, whoever asks."""

import sqlalchemy as sa

from portal.accounts.models import Guest
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board
from portal.boards.queries import list_boards
from portal.db import db
from portal.ideas import service
from portal.ideas.workflow import Status
from portal.transactions import transaction
from portal.web.kept import kept_while_unchanged
from tests.factories import make_board, make_idea, make_user


def boards():
    """The boards that guests see, by way of what is kept."""
    return [board.name for board in kept_while_unchanged(("test",), lambda session: list_boards(Guest(), session))]


def test_a_request_that_began_earlier_does_not_keep_what_it_saw_for_those_that_come_later(app):
    board = make_board("Secret plans")
    assert boards() == ["Secret plans"]
    board_id = board.id  # this session reads from here on, and sees what was there then

    with db.engine.connect() as another:
        another.execute(sa.update(Board).where(Board.id == board_id).values(audience=Audience.STAFF))
        another.commit()

    assert boards() == []
    db.session.rollback()
    assert boards() == []


def test_what_was_shipped_and_is_hidden_is_gone_from_the_home_page_at_once(browse):
    idea, moderator = make_idea("Name my neighbour", status=Status.SHIPPED), make_user(Role.MODERATOR)
    member = browse(make_user())
    assert "Name my neighbour" in member.get("/").text

    with transaction():
        service.hide_idea(idea, moderator, "It names somebody.")

    assert "Name my neighbour" not in member.get("/").text
