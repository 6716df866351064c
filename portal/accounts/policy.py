"""Who may do what with accounts and with the portal as a whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from portal.accounts.models import Person, User
from portal.accounts.roles import Role

LONGEST_BY_MODERATORS = timedelta(days=7)
"""For how long somebody may be suspended who is not suspended by an admin."""


def may_use(viewer: Person, _thing: Any = None) -> bool:
    """Use what belongs to an account: inbox, preferences, drafts."""
    return viewer.is_signed_in


def may_search_as_staff(viewer: Person, _thing: Any = None) -> bool:
    """Search as the team does: whoever is on it, in the portal or on a board."""
    return viewer.works_here


def may_administer(viewer: Person, _thing: Any = None) -> bool:
    """See how the portal itself is doing."""
    return viewer.is_admin


def may_see_people(viewer: Person, _thing: Any = None) -> bool:
    """See who has an account, with what the team has to know of them; addresses are for admins."""
    return viewer.is_moderator


def may_approve(viewer: Person, _thing: Any = None) -> bool:
    """Let in, or turn away, somebody who waits."""
    return viewer.is_moderator


def may_suspend(viewer: Person, person: User) -> bool:
    """Shut somebody out for at most a week: moderators and admins, whoever ranks below them."""
    return viewer.is_moderator and outranks(viewer, person)


def may_suspend_for_long(viewer: Person, person: User) -> bool:
    """Shut somebody out for longer than a week, or for good; remove an account."""
    return viewer.is_admin and outranks(viewer, person)


def may_change_role(viewer: Person, person: User) -> bool:
    """Give another role to somebody who ranks below oneself; which ones is ``may_give_role``."""
    return viewer.is_admin and outranks(viewer, person)


def may_give_role(viewer: Person, role: Role) -> bool:
    """Give this role: admins those below their own, owners all, so that there can be more than one owner."""
    return viewer.is_admin and (viewer.standing is Role.OWNER or role.rank < _rank_of(viewer))


def may_decide_options(viewer: Person, _thing: Any = None) -> bool:
    """Decide how the portal works: names, membership, second factors."""
    return viewer.is_admin


def may_publish_rules(viewer: Person, _thing: Any = None) -> bool:
    """Put other rules, or another word on privacy, in force."""
    return viewer.is_admin


def may_manage_ways_in(viewer: Person, _thing: Any = None) -> bool:
    """Connect other services that people sign in with."""
    return viewer.is_admin


def may_see_security(viewer: Person, _thing: Any = None) -> bool:
    """Read the security log."""
    return viewer.is_admin


def outranks(viewer: Person, person: User) -> bool:
    """Whether somebody stands below oneself: nobody acts on their own rank or on a higher one, nor on themselves."""
    return person.role.rank < _rank_of(viewer) and person.id != viewer.id


def _rank_of(viewer: Person) -> int:
    return viewer.standing.rank if viewer.standing is not None else -1
