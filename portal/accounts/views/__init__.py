"""Signing up, in and out, agreeing to the rules, one's own account, other people's profiles."""

from __future__ import annotations

from portal.accounts.views import agreeing, entering, own, profiles
from portal.accounts.views.base import bp

__all__ = ["agreeing", "bp", "entering", "own", "profiles"]
