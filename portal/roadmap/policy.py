"""Who may plan."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import DECIDERS
from portal.ideas.policy import board_of


def may_plan(viewer: Person, thing: Any = None) -> bool:
    """Say where an idea stands on the roadmap: who decides on its board; without an idea, on any."""
    return viewer.is_one_of_anywhere(DECIDERS) if thing is None else viewer.is_one_of(DECIDERS, board_of(thing))


def may_edit_themes(viewer: Person, _thing: Any = None) -> bool:
    """Name and order the themes, which all boards share."""
    return viewer.is_one_of(DECIDERS)
