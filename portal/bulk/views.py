"""Doing one thing with many ideas: choosing what, seeing what would happen, doing it, and taking it back."""

from __future__ import annotations

from flask import Blueprint

from portal.bulk import models as models

bp = Blueprint("bulk", __name__, url_prefix="/triage/bulk")
