"""Noting which ideas changed, for whoever keeps a search that they may answer now."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import select

from portal.db import db, insert_absent, utcnow
from portal.events import Recorded
from portal.ideas.models import Idea
from portal.search.models import Alert, SavedSearch, WatchTask


def watch(ids: Collection[int]) -> None:
    """Have these ideas looked at soon by whoever keeps a search."""
    if ids and db.session.scalar(watched().with_only_columns(SavedSearch.id).limit(1)) is not None:
        there = select(Idea.id, sa.literal(utcnow(), WatchTask.asked_at.type)).where(Idea.id.in_(ids))
        insert_absent(WatchTask, ["idea_id", "asked_at"], there)
        db.session.execute(sa.update(WatchTask).where(WatchTask.idea_id.in_(ids)).values(asked_at=utcnow()))


def watch_idea(recorded: Recorded) -> None:
    """Have the idea of this event looked at, of which the index need not know."""
    watch([recorded.event.idea_id])


def watched() -> sa.Select[SavedSearch]:
    """Select the searches of which somebody wants to hear."""
    return select(SavedSearch).where(SavedSearch.alert != Alert.NONE)
