"""Who is behind ideas, as the team, its admins and the people themselves see it."""

from portal.organisations.views import admin, behind, counting, segments
from portal.organisations.views.base import bp

__all__ = ["admin", "behind", "bp", "counting", "segments"]
