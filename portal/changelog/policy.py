"""Who may write the changelog."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import DECIDERS
from portal.ideas.policy import board_of


def may_publish(viewer: Person, thing: Any = None) -> bool:
    """Write and publish: product managers and admins; who decides on one board only, about that board.

    Without anything it asks whether there is anything at all that they may write about.
    """
    if thing is None:
        return viewer.is_one_of_anywhere(DECIDERS)
    return viewer.is_one_of(DECIDERS, board_of(thing))
