"""Pages and actions."""

from __future__ import annotations

from portal.triage.views import (
    acts,
    asides,
    belonging,
    drafts,
    merging,
    notes,
    planning,
    promises,
    recipients,
    saving,
    snippets,
    taking_back,
)
from portal.triage.views.pages import bp

__all__ = [
    "acts",
    "asides",
    "belonging",
    "bp",
    "drafts",
    "merging",
    "notes",
    "planning",
    "promises",
    "recipients",
    "saving",
    "snippets",
    "taking_back",
]
