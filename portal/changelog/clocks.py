"""What the passing of time does to the changelog."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from portal.changelog import queries, service
from portal.changelog.models import Entry
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.transactions import transaction

BATCH = 20


def publish_due() -> int:
    """Let out what was scheduled until now; what cannot come out stays a draft that says why."""
    due = select(Entry.id).where(Entry.publish_at <= utcnow(), Entry.published_at.is_(None)).limit(BATCH)
    return sum(_publish(entry_id) for entry_id in list(db.session.scalars(due)))


def _publish(entry_id: int) -> int:
    try:
        with transaction():
            entry = service.lock(db.session.get_one(Entry, entry_id))
            if entry.publish_at is None or entry.publish_at > utcnow():
                return 0  # another worker was faster, or somebody thought again
            actor = entry.scheduled_by
            if actor is None or not actor.is_active or actor.is_former or not queries.find_written(entry_id, actor):
                raise Refusal(_("Whoever scheduled it may no longer publish here."))
            ship = [shipment.idea_id for shipment in queries.shipments_of(entry) if shipment.ships]
            service.publish(entry, actor, ship)
    except Refusal as refusal:
        with transaction(wake=False):
            service.unschedule(db.session.get_one(Entry, entry_id), refusal.message)
    return 1
