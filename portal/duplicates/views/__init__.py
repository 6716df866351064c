"""Pages and actions."""

from __future__ import annotations

from portal.duplicates.views import proposing, reporting, together, workbench
from portal.duplicates.views.queue import bp

__all__ = ["bp", "proposing", "reporting", "together", "workbench"]
