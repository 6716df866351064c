"""Who may invite, and what they may invite to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from portal.accounts.models import Person, User
from portal.accounts.policy import may_give_role
from portal.accounts.roles import Role
from portal.db import utcnow
from portal.options import option

NEWCOMER_FOR = timedelta(days=3)  # from the fourth day on members may invite, where members may


def may_invite(viewer: Person, _thing: Any = None) -> bool:
    """Moderators and admins always; where members may invite, all who take part, from their fourth day on."""
    if viewer.is_moderator:
        return True
    if not isinstance(viewer, User) or viewer.standing in {None, Role.OBSERVER}:
        return False
    return bool(option("members_invite")) and viewer.created_at <= utcnow() - NEWCOMER_FOR


def may_see_address(viewer: Person, _person: Any = None) -> bool:
    """Read a member's mail address; each time is written down."""
    return viewer.is_admin


def roles_to_give(giver: Person) -> list[Role]:
    """Return the roles that somebody may invite to: besides member, those they may give at all."""
    return [role for role in Role if role is Role.MEMBER or may_give_role(giver, role)]
