"""Scores that are counted again by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app

from portal.db import utcnow
from portal.scores import service
from portal.transactions import transaction

EVERY = timedelta(minutes=1)


def count_again() -> int:
    """Bring scores in line with the votes and organisations behind their ideas; return how many were looked at."""
    now = utcnow()
    before = current_app.extensions.get("counted scores", datetime.min.replace(tzinfo=now.tzinfo))
    if before <= now < before + EVERY:
        return 0
    with transaction(wake=False):
        counted = service.count_stale()
    if counted < service.AT_ONCE:
        current_app.extensions["counted scores"] = now
    return counted
