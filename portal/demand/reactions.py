"""What follows for receipts when somebody posts after all, or takes their vote back."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from portal.accounts.models import User
from portal.db import db
from portal.demand.models import Receipt, Way
from portal.events import Recorded
from portal.ideas.models import Idea
from portal.ideas.supporters import is_behind
from portal.search.words import stems

JUST_NOW = timedelta(hours=2)
ALIKE = 0.5  # of the words of the shorter title


def forget_those_who_posted(record: Recorded) -> None:
    """Drop the receipts of somebody who posted that idea after all: they stood behind others, but not instead."""
    idea = db.session.get(Idea, record.event.idea_id)
    if idea is None or idea.author_id is None:
        return
    left = sa.select(Receipt).where(
        Receipt.user_id == idea.author_id, Receipt.at > record.at - JUST_NOW, Receipt.at <= record.at
    )
    posted = set(stems(idea.title))
    for receipt in db.session.scalars(left):
        typed = set(stems(receipt.typed))
        if len(typed & posted) >= ALIKE * max(1, min(len(typed), len(posted))):
            db.session.delete(receipt)


def forget_those_who_withdrew(record: Recorded) -> None:
    """Drop the receipt that went with a vote, unless the vote was given again meanwhile."""
    idea, person = db.session.get(Idea, record.event.idea_id), db.session.get(User, record.event.actor_id)
    if idea is None or person is None or is_behind(idea, person):
        return
    merged = sa.select(Idea.id).where(sa.or_(Idea.id == idea.id, Idea.merged_into_id == idea.id))
    db.session.execute(
        sa.delete(Receipt)
        .where(Receipt.idea_id.in_(merged), Receipt.user_id == person.id, Receipt.way == Way.VOTE)
        .execution_options(synchronize_session=False)
    )
