"""Inviting people, looking after them and the portal, and setting it up."""

from __future__ import annotations

from portal.membership import models
from portal.membership.views import beginning, deciding, inviting, joining, overview, people, publishing
from portal.membership.views.base import bp

__all__ = ["beginning", "bp", "deciding", "inviting", "joining", "models", "overview", "people", "publishing"]
