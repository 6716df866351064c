"""How much those who listen have not read: what makes such a number smaller stands in no journal."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy import select

from portal.db import db
from portal.live.rights import in_parts
from portal.notifications.models import Notification

_UNREAD = (
    select(Notification.user_id, sa.func.count())
    .where(Notification.user_id.in_(sa.bindparam("people", expanding=True)), Notification.read_at.is_(None))
    .group_by(Notification.user_id)
)


class Inboxes:
    """Remembers how many news were unread, and so notices who has read some: on another device, in another process."""

    def __init__(self) -> None:
        self._unread: dict[int, int] = {}

    def look(self, people: Collection[int]) -> set[int]:
        """Return who of these has less to read than at the last look; nobody who was not looked at then."""
        found = _count(people)
        less = {user_id for user_id, number in found.items() if number < self._unread.get(user_id, 0)}
        self._unread = found
        return less

    def meet(self, people: Iterable[int]) -> None:
        """Begin with those who were not looked at yet."""
        self._unread |= _count([user_id for user_id in people if user_id not in self._unread])


def _count(people: Collection[int]) -> dict[int, int]:
    found = dict.fromkeys(people, 0)
    for some in in_parts(people):
        found.update((row[0], row[1]) for row in db.session.execute(_UNREAD, {"people": some}))
    return found
