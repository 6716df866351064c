"""Who may do what around verdicts."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import ADMINS, DECIDERS, STAFF_READERS
from portal.ideas.policy import board_of, may_take_part


def may_answer(viewer: Person, thing: Any) -> bool:
    """Say whether it solves one's need; whether one was asked is the service's question."""
    return may_take_part(viewer, thing)


def may_steer(viewer: Person, thing: Any) -> bool:
    """Ask earlier, or not at all: those who decide on the board."""
    return viewer.is_one_of(DECIDERS, board_of(thing))


def may_read_words(viewer: Person, thing: Any) -> bool:
    """Read why people said what they said: the team of the board."""
    return viewer.is_one_of(STAFF_READERS, board_of(thing))


def may_decide_rules(viewer: Person, _thing: Any = None) -> bool:
    """Decide when people are asked, and what their answers decide."""
    return viewer.is_one_of(ADMINS)
