"""What the passing of time does to the talk of the team."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from portal.db import count_rows, db, utcnow
from portal.talk.models import Note
from portal.transactions import transaction

KEPT_FOR = timedelta(days=1)


def forget_deleted_notes() -> int:
    """Drop the notes that were deleted a day ago; return how many."""
    old = Note.deleted_at < utcnow() - KEPT_FOR
    if db.session.scalar(sa.select(Note.id).where(old).limit(1)) is None:
        return 0
    with transaction(wake=False):
        return count_rows(sa.delete(Note).where(old))
