"""Getting in without a password, and keeping one's account safe."""

from __future__ import annotations

from portal.credentials.views import factors, mailed, proving
from portal.credentials.views.base import bp

__all__ = ["bp", "factors", "mailed", "proving"]
