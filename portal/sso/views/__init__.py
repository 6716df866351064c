"""Signing in by another service's word, and setting that up."""

from __future__ import annotations

from portal.sso import models
from portal.sso.views import admin, handing, joining, linking, signing
from portal.sso.views.base import bp

__all__ = ["admin", "bp", "handing", "joining", "linking", "models", "signing"]
