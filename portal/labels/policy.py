"""Who may do what with private labels; putting them on an idea is a matter of triage."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person


def may_manage(viewer: Person, _thing: Any = None) -> bool:
    """Rename labels and take them off all ideas, whatever their board."""
    return viewer.is_decider
