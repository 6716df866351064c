"""What all pages of the changelog share."""

from __future__ import annotations

from flask import Blueprint

from portal.changelog import queries
from portal.changelog.models import Entry
from portal.web.session import authorize, viewer

bp = Blueprint("changelog", __name__)


def get_written(entry_id: int) -> Entry:
    """Return an entry that this person may write; whoever may write none is told so, the others 404."""
    authorize("changelog.publish")
    entry = queries.get_entry(entry_id, viewer())
    authorize("changelog.publish", entry)
    return entry
