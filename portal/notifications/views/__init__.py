"""Pages and actions."""

from __future__ import annotations

from portal.notifications.views import objecting
from portal.notifications.views.pages import bp

__all__ = ["bp", "objecting"]
