"""Inviting people, looking after them and the portal, and setting it up."""

from __future__ import annotations

from flask import Blueprint

from portal.membership import models  # noqa: F401 - its tables

bp = Blueprint("membership", __name__)
