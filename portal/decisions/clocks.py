"""What the passing of time does to decisions: conditions that are met bring ideas back under review."""

from __future__ import annotations

from sqlalchemy import select

from portal.db import db, utcnow
from portal.decisions import queries, service
from portal.decisions.models import Decision
from portal.ideas.service import lock
from portal.transactions import transaction

BATCH = 50


def return_when_met() -> int:
    """Put back under review what was declined or parked under a condition that is met by now."""
    due = select(Decision.id).where(Decision.look_at <= utcnow()).order_by(Decision.look_at, Decision.id).limit(BATCH)
    done = 0
    for decision_id in list(db.session.scalars(due)):
        with transaction():
            decision = db.session.get(Decision, decision_id)
            if decision is None:
                continue
            lock(decision.idea)
            if queries.standing(decision.idea) is not decision:
                decision.look_at = None  # the idea has moved on
                continue
            done += service.look_again(decision)
    return done
