"""The group of addresses, and what several of its views share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g
from flask_babel import gettext as _

from portal.accounts import queries, service
from portal.accounts.forms import RulesForm
from portal.accounts.models import Rules
from portal.errors import Refusal

bp = Blueprint("accounts", __name__)


def rules_now() -> Rules:
    """Return the rules in force, or those we bring along."""
    return queries.rules_in_force() or service.default_rules()


def agrees_to(rules: Rules, form: RulesForm) -> bool:
    """Whether the rules are still those that were shown with the form."""
    if form.version.data == str(rules.version):
        return True
    form.version.data, form.agreed.data = str(rules.version), False
    form.agreed.errors = [_("The rules changed a moment ago. Please read them once more.")]
    return False


def say_at(form: Any, field: str, refusal: Refusal) -> None:
    """Show a refusal beside the field that it is about."""
    form[field].errors = [*form[field].errors, refusal.message]


def status_of(form: Any) -> int:
    """Return 422 for a form in which something is wrong."""
    return 422 if form.errors else 200


def wrong_password(_answer: Response) -> bool:
    """Whether this request guessed a password wrongly."""
    return bool(g.get("wrong_password"))
