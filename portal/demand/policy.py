"""Who may do what with demand that never became a post."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import STAFF_READERS, TRIAGERS
from portal.ideas.policy import board_of


def may_see_receipts(viewer: Person, thing: Any) -> bool:
    """Read who backed an idea instead of posting, and how theirs differs: the team of its board."""
    return viewer.is_one_of(STAFF_READERS, board_of(thing))


def may_hide_differences(viewer: Person, thing: Any) -> bool:
    """Take out of the team's sight what somebody wrote there."""
    return viewer.is_one_of(TRIAGERS, board_of(thing))


def may_set_searches_aside(viewer: Person, _thing: Any = None) -> bool:
    """Decide that what was looked for needs no more attention: whoever sorts ideas in the portal as a whole."""
    return viewer.is_triager
