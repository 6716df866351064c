"""The group of addresses, and what several of its views share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import get_locale

from portal.accounts import queries as accounts
from portal.accounts import service
from portal.accounts.models import Rules
from portal.errors import Refusal

bp = Blueprint("membership", __name__)


def rules_now() -> Rules:
    """Return the rules in force, or those we bring along."""
    return accounts.rules_in_force() or service.default_rules()


def say_at(form: Any, field: str, refusal: Refusal) -> None:
    """Show a refusal beside the field that it is about."""
    form[field].errors = [*form[field].errors, refusal.message]


def status_of(form: Any) -> int:
    """Return 422 for a form in which something is wrong."""
    return 422 if form.errors else 200


def language() -> str | None:
    """Return the language of this request: that of letters to people without an account."""
    spoken = get_locale()
    return str(spoken) if spoken else None
