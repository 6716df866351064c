"""Inviting people, looking after them and the portal, and setting it up."""

from __future__ import annotations

from portal.membership import models  # noqa: F401 - its tables
from portal.membership.views import (  # noqa: F401 - their addresses
    beginning,
    deciding,
    inviting,
    joining,
    overview,
    people,
    publishing,
)
from portal.membership.views.base import bp

__all__ = ["bp"]
