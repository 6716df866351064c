"""Who may do what with an idea: by the role in the portal, or on the idea's board."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import ADMINS, DECIDERS, MODERATORS, PARTICIPANTS, STAFF_READERS, TRIAGERS
from portal.boards.models import Board
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.workflow import By, Move


def may_take_part(viewer: Person, thing: Any = None) -> bool:
    """Submit, vote, comment, follow: everybody whose account was let in, but the observers."""
    return viewer.is_one_of(PARTICIPANTS, board_of(thing))


def may_submit(viewer: Person, board: Board | None = None) -> bool:
    """Post ideas on this board, or on any."""
    return viewer.is_one_of_anywhere(PARTICIPANTS) if board is None else may_take_part(viewer, board)


def may_edit(viewer: Person, idea: Idea) -> bool:
    """Authors while the idea is open, moderators and admins always."""
    if viewer.is_one_of(MODERATORS, idea.board_id):
        return True
    return _is_author(viewer, idea) and idea.rule.takes_edits


def may_remove(viewer: Person, idea: Idea) -> bool:
    """Authors, their own; whether it is still possible is the service's question."""
    return _is_author(viewer, idea)


def may_read_triage(viewer: Person, thing: Any = None) -> bool:
    """See what waits for the team: on an idea's or a board's own, or at all."""
    return viewer.works_here if thing is None else viewer.is_one_of(STAFF_READERS, board_of(thing))


def may_triage(viewer: Person, thing: Any) -> bool:
    """Owner, tags, board, questions, merges."""
    return viewer.is_one_of(TRIAGERS, board_of(thing))


def may_hold(viewer: Person, thing: Any) -> bool:
    """Publish what is held; bring back what is hidden."""
    return viewer.is_one_of(MODERATORS, board_of(thing))


def may_hide(viewer: Person, thing: Any) -> bool:
    """Take out of sight; product managers may hide but not restore."""
    return viewer.is_one_of(TRIAGERS, board_of(thing))


def may_answer(viewer: Person, thing: Any) -> bool:
    """Give the team's public word without a move."""
    return viewer.is_one_of(TRIAGERS, board_of(thing))


def may_make(viewer: Person, move_of_idea: tuple[Move, Idea]) -> bool:
    """Make this move of the workflow with this idea."""
    move, idea = move_of_idea
    if move.by is By.ADMIN:
        return viewer.is_one_of(ADMINS)
    if move.by is By.DECIDER:
        return viewer.is_one_of(DECIDERS, idea.board_id)
    return move.by is By.TRIAGER and viewer.is_one_of(TRIAGERS, idea.board_id)


def may_undo(viewer: Person, change: StatusChange) -> bool:
    """Take a move back: whoever made it, and those who decide on the board."""
    return _may_take_back(viewer, change.actor_id, change.idea.board_id)


def may_undo_answer(viewer: Person, answer: Answer) -> bool:
    """Take a public word back: whoever gave it, and those who decide on the board."""
    return _may_take_back(viewer, answer.author_id, answer.idea.board_id)


def may_override(viewer: Person, _thing: Any = None) -> bool:
    """Make a move that the workflow does not offer."""
    return viewer.is_one_of(ADMINS)


def may_see_voters(viewer: Person, thing: Any) -> bool:
    """Read who is behind an idea: the team of its board."""
    return viewer.is_one_of(STAFF_READERS, board_of(thing))


def may_reveal_address(viewer: Person, thing: Any) -> bool:
    """Read the mail address of somebody behind an idea, for a reason that is written down."""
    return viewer.is_one_of(DECIDERS, board_of(thing))


def board_of(thing: Any) -> int | None:
    """Return the number of the board that a thing belongs to: a board, an idea, what stands for one, or a comment."""
    if isinstance(thing, Board):
        return thing.id
    number: int | None = getattr(thing, "board_id", None)
    return number if number is not None or thing is None else getattr(getattr(thing, "idea", None), "board_id", None)


def _is_author(viewer: Person, idea: Idea) -> bool:
    return viewer.is_signed_in and idea.author_id == viewer.id and may_take_part(viewer, idea)


def _may_take_back(viewer: Person, actor_id: int | None, board_id: int) -> bool:
    own = viewer.is_signed_in and actor_id == viewer.id and viewer.is_one_of(TRIAGERS, board_id)
    return own or viewer.is_one_of(DECIDERS, board_id)
