"""Forms that arrive twice, by a double click, a page loaded again, or a new try after a lost answer, work once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Model, count_rows, db, insert_if_absent, utcnow

KEPT_FOR = timedelta(days=1)

Thing = TypeVar("Thing", bound=Model)


class SentForm(Model):
    """One form that did its work; what was in it is not kept."""

    __tablename__ = "sent_forms"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    made: Mapped[int | None]  # the number of what came of it
    at: Mapped[datetime] = mapped_column(default=utcnow, index=True)

    def earlier(self, kind: type[Thing]) -> Thing | None:
        """What it made when it came before, if that is still there."""
        return db.session.get(kind, self.made) if self.made else None


def claim(key: str) -> SentForm:
    """Return what is known of a form, in the caller's transaction: what it made before, or nothing yet.

    Whoever brings the same form at the same moment waits here until that transaction ends.
    """
    insert_if_absent(SentForm, key=key)
    return db.session.get_one(SentForm, key)


def forget_old() -> int:
    """Drop the forms that nobody sends again."""
    return count_rows(sa.delete(SentForm).where(SentForm.at < utcnow() - KEPT_FOR))
