"""Signing in by another service's word, and setting that up."""

from __future__ import annotations

from flask import Blueprint

from portal.sso import models  # noqa: F401 - its tables

bp = Blueprint("sso", __name__)
