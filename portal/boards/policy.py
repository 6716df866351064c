"""Who may do what with boards."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import BOARD_ROLES, Role


def may_manage(viewer: Person, _thing: Any = None) -> bool:
    """Make boards, change them, and decide who may know of them."""
    return viewer.is_admin


def may_list_people(viewer: Person, _thing: Any = None) -> bool:
    """Say who belongs to a board, and what they are there."""
    return viewer.is_admin


def may_give_rank(viewer: Person, role: Role) -> bool:
    """Make somebody this on one board."""
    return viewer.is_admin and role in BOARD_ROLES
