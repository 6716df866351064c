"""Second factors: adding, using and removing them."""

from __future__ import annotations

from flask import abort
from flask.typing import ResponseReturnValue

from portal.credentials.views.base import bp


@bp.get("/sign-in/second")
def second_step() -> ResponseReturnValue:
    """Prove the second factor."""
    abort(404)
