"""Who may do what with teams."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person


def may_manage(viewer: Person, _thing: Any = None) -> bool:
    """Make teams, rename them, and say who is part of them."""
    return viewer.is_admin
