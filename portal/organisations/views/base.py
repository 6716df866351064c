"""The addresses of everything about who is behind ideas."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("organisations", __name__)
