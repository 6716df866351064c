"""Getting in without a password, and keeping one's account safe."""

from __future__ import annotations

from portal.credentials.views import addresses, ceremony, factors, mailed, proving, second, signing_in
from portal.credentials.views.base import bp

__all__ = ["addresses", "bp", "ceremony", "factors", "mailed", "proving", "second", "signing_in"]
