"""The changelog: reading it, writing it, and saying whether one wants to be named in it."""

from portal.changelog.views import crediting, reading, writing
from portal.changelog.views.base import bp

__all__ = ["bp", "crediting", "reading", "writing"]
