"""Pages and actions."""

from __future__ import annotations

from portal.notifications.views import choosing, ledger, objecting, reasons, stopping
from portal.notifications.views.pages import bp

__all__ = ["bp", "choosing", "ledger", "objecting", "reasons", "stopping"]
