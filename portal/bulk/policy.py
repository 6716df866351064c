"""Who may do something with many ideas at once."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import ADMINS, DECIDERS
from portal.bulk.models import BulkAct


def may_act(viewer: Person, thing: Any = None) -> bool:
    """Change many ideas: those who decide, anywhere; on which boards is asked of each idea."""
    return viewer.is_one_of_anywhere(DECIDERS)


def may_undo(viewer: Person, act: BulkAct) -> bool:
    """Take an act back: whoever did it, and admins."""
    own = viewer.is_signed_in and act.actor_id == viewer.id and may_act(viewer)
    return own or viewer.is_one_of(ADMINS)
