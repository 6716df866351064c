"""Leaving a board or a rank: what followed from being there goes with it, in the same transaction."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import STAFF_READERS, TRIAGERS
from portal.boards import service as boards
from portal.boards.models import Board
from portal.boards.queries import is_known_to, is_worked_on_by
from portal.db import db, utcnow
from portal.ideas.models import Follow, Idea
from portal.ideas.moves import assign_owner
from portal.ideas.queries import is_within_reach_of
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Kind
from portal.notifications.reach import BoardChoice
from portal.teams import service as teams


def take_off(board: Board, user: User, actor: User) -> None:
    """Take somebody off a board's list, with all that followed from being on it."""
    if boards.give_no_place(board, user, actor):
        forget_what_is_out_of_reach(user)
        hand_back(board, user, actor)
        _leave_teams(user, actor)


def step_down(user: User, actor: User) -> None:
    """Take along what followed from a role that somebody has no longer: what they may not read, and looked after."""
    forget_what_is_out_of_reach(user)
    theirs = select(Board).where(Board.id.in_(select(Idea.board_id).where(Idea.owner_id == user.id)))
    for board in db.session.scalars(theirs).all():
        hand_back(board, user, actor)
    _leave_teams(user, actor)


def forget_what_is_out_of_reach(user: User) -> None:
    """Drop what somebody follows, chose, was told of, and is about to be told of, where they may not look any more."""
    near = select(Idea.id).where(is_within_reach_of(user))
    known = select(Board.id).where(is_known_to(user))
    gone = Notification.idea_id.not_in(near) | Notification.id.in_(_found_elsewhere(user))
    told = select(Notification.id).where(Notification.user_id == user.id, gone)
    unsent = sa.update(Mail).where(Mail.user_id == user.id, Mail.done_at.is_(None), Mail.notification_id.in_(told))
    _run(unsent.values(done_at=utcnow(), suppressed="no longer visible", notification_id=None))
    _run(sa.update(Mail).where(Mail.user_id == user.id, Mail.notification_id.in_(told)).values(notification_id=None))
    _run(sa.delete(Notification).where(Notification.id.in_(told)))
    _run(sa.delete(Follow).where(Follow.user_id == user.id, Follow.idea_id.not_in(near)))
    _run(sa.delete(BoardChoice).where(BoardChoice.user_id == user.id, BoardChoice.board_id.not_in(known)))


def _found_elsewhere(user: User) -> list[int]:
    """Return the lines about what kept searches found where somebody does not work any more: it may be by a label."""
    mine = select(Notification).where(Notification.user_id == user.id, Notification.kind == Kind.MATCHED)
    found = {told.id: set(told.record.data["idea_ids"]) for told in db.session.scalars(mine)}
    on = select(Idea.id).join(Board, Board.id == Idea.board_id).where(is_worked_on_by(user))
    reads = set(db.session.scalars(on.where(Idea.id.in_(set().union(*found.values())))))
    return [number for number, ideas in found.items() if not ideas <= reads]


def hand_back(board: Board, user: User, actor: User) -> None:
    """Leave the ideas that somebody looked after on a board to the others, unless they still work there."""
    if user.is_one_of(TRIAGERS, board.id):
        return
    theirs = select(Idea).where(Idea.board_id == board.id, Idea.owner_id == user.id).order_by(Idea.id)
    for idea in db.session.scalars(theirs).all():
        assign_owner(idea, None, actor)


def _leave_teams(user: User, actor: User) -> None:
    if not user.is_one_of_anywhere(STAFF_READERS):
        teams.leave_all(user, actor)


def _run(statement: sa.Update | sa.Delete) -> None:
    db.session.execute(statement, execution_options={"synchronize_session": False})
