"""Pages and actions."""

from __future__ import annotations

from portal.demand.views import receipts, searches
from portal.demand.views.backing import bp

__all__ = ["bp", "receipts", "searches"]
