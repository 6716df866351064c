"""Taking one's data along, and leaving."""

from __future__ import annotations

from flask import Blueprint

from portal.privacy import models  # noqa: F401 - its tables

bp = Blueprint("privacy", __name__)
