"""Who may put the record of a decision right."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import DECIDERS
from portal.ideas.policy import board_of


def may_revise(viewer: Person, thing: Any) -> bool:
    """Change what a record says beside its words: whoever decides on the idea's board."""
    return viewer.is_one_of(DECIDERS, board_of(thing))
