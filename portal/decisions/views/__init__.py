"""Pages and actions."""

from __future__ import annotations

from portal.decisions.views import reading, reasons
from portal.decisions.views.needing import bp

__all__ = ["bp", "reading", "reasons"]
