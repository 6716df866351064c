"""Who may do what with accounts and with the portal as a whole."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person


def may_use(viewer: Person, _thing: Any = None) -> bool:
    """Use what belongs to an account: inbox, preferences, drafts."""
    return viewer.is_signed_in


def may_read_as_staff(viewer: Person, _thing: Any = None) -> bool:
    """Search and read what the team reads."""
    return viewer.reads_as_staff


def may_administer(viewer: Person, _thing: Any = None) -> bool:
    """See how the portal itself is doing."""
    return viewer.is_admin
