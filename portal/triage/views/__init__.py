"""Pages and actions."""

from __future__ import annotations

from portal.triage.views import acts, merging
from portal.triage.views.pages import bp

__all__ = ["acts", "bp", "merging"]
