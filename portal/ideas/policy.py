"""Who may do what with an idea."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import Role
from portal.ideas.models import Idea
from portal.ideas.workflow import By, Category, Move


def may_take_part(viewer: Person, _thing: Any = None) -> bool:
    """Submit, vote, comment, follow: everybody with an account but the observers."""
    return viewer.is_signed_in and viewer.role is not Role.OBSERVER


def may_edit(viewer: Person, idea: Idea) -> bool:
    """Authors while the idea is open, moderators and admins always."""
    return viewer.is_moderator or (_is_author(viewer, idea) and idea.status.rule.category is Category.OPEN)


def may_remove(viewer: Person, idea: Idea) -> bool:
    """Authors, their own; whether it is still possible is the service's question."""
    return _is_author(viewer, idea)


def may_triage(viewer: Person, _thing: Any = None) -> bool:
    """Owner, tags, board, questions, merges."""
    return viewer.is_triager


def may_hold(viewer: Person, _thing: Any = None) -> bool:
    """Publish what is held; bring back what is hidden."""
    return viewer.is_moderator


def may_hide(viewer: Person, _thing: Any = None) -> bool:
    """Take out of sight; product managers may hide but not restore."""
    return viewer.is_triager


def may_answer(viewer: Person, _thing: Any = None) -> bool:
    """Give the team's public word without a move."""
    return viewer.is_triager


def may_make(viewer: Person, move: Move) -> bool:
    """Make this move of the workflow."""
    if move.by is By.DECIDER:
        return viewer.is_decider
    return move.by is By.TRIAGER and viewer.is_triager


def may_override(viewer: Person, _thing: Any = None) -> bool:
    """Make a move that the workflow does not offer."""
    return viewer.is_admin


def _is_author(viewer: Person, idea: Idea) -> bool:
    return viewer.is_signed_in and idea.author_id == viewer.id
