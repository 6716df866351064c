"""Who may say how ideas are decided."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import DECIDERS


def may_propose(viewer: Person, _thing: Any = None) -> bool:
    """Read the tables as they are kept, and propose others."""
    return viewer.is_one_of(DECIDERS)


def may_decide(viewer: Person, _thing: Any = None) -> bool:
    """Change statuses and moves."""
    return viewer.is_admin
