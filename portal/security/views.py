"""What happened to accounts."""

from __future__ import annotations

from flask import Blueprint

from portal.security import models  # noqa: F401 - its tables

bp = Blueprint("security", __name__)
