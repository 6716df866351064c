"""Who of the team has which idea before them, as far as their browsers said in the last minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.db import db, insert_if_absent, moment, utcnow
from portal.ideas.models import Idea
from portal.transactions import transaction
from portal.triage.models import Presence

GONE_AFTER = timedelta(seconds=75)
NOTED_AGAIN = timedelta(seconds=40)  # however often a browser says that it is there


@dataclass(frozen=True, slots=True)
class Here:
    """A colleague, and since when they look at the same idea."""

    user: User
    since: datetime


def others_at(idea: Idea, viewer: Person) -> Sequence[Here]:
    """Return who else has the idea before them, by name."""
    rows = db.session.scalars(*_present_beside(viewer, idea_id=idea.id))
    return [Here(row.user, row.since) for row in rows if row.user.works_here]


def note(idea: Idea, user: User) -> None:
    """Note that somebody has the idea before them; write only where it says something new."""
    now = utcnow()
    row = db.session.get(Presence, user.id)
    if row is not None and row.idea_id == idea.id and row.seen_at > now - NOTED_AGAIN:
        return
    with transaction(wake=False):
        if insert_if_absent(Presence, user_id=user.id, idea_id=idea.id, since=now, seen_at=now):
            return
        still = (Presence.idea_id == idea.id) & (Presence.seen_at > now - GONE_AFTER)
        since = sa.case((still, Presence.since), else_=sa.literal(now, Presence.since.type))
        change = sa.update(Presence).where(Presence.user_id == user.id)
        db.session.execute(change.values(idea_id=idea.id, since=since, seen_at=now))


@built_once
def _present_beside(viewer: Person, *, idea_id: int) -> sa.Select[Presence]:
    present = select(Presence).where(Presence.idea_id == idea_id, Presence.seen_at > moment(-GONE_AFTER))
    others = present.where(Presence.user_id != viewer.id).join(Presence.user).options(contains_eager(Presence.user))
    return others.order_by(User.name_key, User.id)
