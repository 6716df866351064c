"""Pages and actions."""

from __future__ import annotations

from portal.triage.views import acts, asides, merging, saving
from portal.triage.views.pages import bp

__all__ = ["acts", "asides", "bp", "merging", "saving"]
