"""Who may do what with organisations, and with the votes of others."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import DECIDERS, TRIAGERS
from portal.ideas.policy import board_of


def may_manage(viewer: Person, _thing: Any = None) -> bool:
    """Make organisations and segments, and say who belongs to them."""
    return viewer.is_admin


def may_vote_for_others(viewer: Person, thing: Any) -> bool:
    """Give a vote for somebody who asked for an idea elsewhere: product managers and up."""
    return viewer.is_one_of(DECIDERS, board_of(thing))


def may_set_votes_aside(viewer: Person, thing: Any) -> bool:
    """Let suspicious votes not count, and give them back."""
    return viewer.is_one_of(TRIAGERS, board_of(thing))
