"""The group of addresses."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("credentials", __name__)
