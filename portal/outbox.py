"""Carrying out what follows from the journal: each reaction once, and none lost."""

from __future__ import annotations

import logging

from flask import current_app

from portal import events, leases
from portal.db import db, utcnow
from portal.events import OutboxRow
from portal.transactions import transaction
from portal.worker import until_stopped

log = logging.getLogger(__name__)


def work_off(limit: int = 50) -> int:
    """Carry out due reactions, each in a transaction of its own; return how many were tried.

    A reaction and the mark that it is done are one transaction: what it writes is written once.
    """
    ids = leases.claim(OutboxRow, limit)
    tried = 0
    for row_id in until_stopped(ids):
        tried += 1
        try:
            with transaction():
                _carry_out(row_id)
        except Exception as error:
            log.warning("reaction of outbox row %s failed", row_id, exc_info=True)
            with transaction(wake=False):
                row = db.session.get_one(OutboxRow, row_id)
                row.put_back(f"{type(error).__name__}: {error}")
    leases.let_go(OutboxRow, ids[tried:])
    return tried


def _carry_out(row_id: int) -> None:
    row = db.session.get_one(OutboxRow, row_id)
    if row.done_at is not None or row.locked_by != leases.WORKER_NAME:
        return  # another worker took it over after our lease ran out
    row.done_at, row.error = utcnow(), None
    record = db.session.get_one(events.EventRecord, row.event_id)
    by_name = current_app.extensions["reactions_by_name"]
    by_name[row.reaction](events.read(record))
