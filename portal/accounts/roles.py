"""The roles people have, and what each rank includes."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext


class Role(StrEnum):
    """What somebody is in this portal."""

    MEMBER = "member"
    CHAMPION = "champion"
    OBSERVER = "observer"
    MODERATOR = "moderator"
    PM = "pm"
    ADMIN = "admin"
    OWNER = "owner"

    @property
    def label(self) -> str:
        """The role's name as people read it."""
        return str(LABELS[self])

    @property
    def rank(self) -> int:
        """How high it stands: nobody acts on their own rank or a higher one."""
        return list(Role).index(self)


LABELS = {
    Role.MEMBER: _l("Member"),
    Role.CHAMPION: _l("Champion"),
    Role.OBSERVER: _l("Observer"),
    Role.MODERATOR: _l("Moderator"),
    Role.PM: _l("Product manager"),
    Role.ADMIN: _l("Admin"),
    Role.OWNER: lazy_pgettext("role", "Owner"),
}

BOARD_ROLES = (Role.MEMBER, Role.CHAMPION, Role.OBSERVER, Role.MODERATOR, Role.PM)
"""What somebody can be on one board only."""

ADMINS = frozenset({Role.ADMIN, Role.OWNER})
DECIDERS = ADMINS | {Role.PM}  # planned, declined, not now, shipped
TRIAGERS = DECIDERS | {Role.MODERATOR}  # owner, tags, board, needs info, merge
MODERATORS = ADMINS | {Role.MODERATOR}  # hold, hide and publish
STAFF = TRIAGERS  # speak for the team
STAFF_READERS = STAFF | {Role.OBSERVER}
TRUSTED = STAFF | {Role.CHAMPION}  # their first posts are not held
PARTICIPANTS = frozenset(Role) - {Role.OBSERVER}  # submit, vote, comment, follow
