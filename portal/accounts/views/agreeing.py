"""Agreeing to the rules, and confirming a mail address."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import queries, service
from portal.accounts.changes import changes
from portal.accounts.forms import (
    RulesForm,
)
from portal.accounts.views.base import agrees_to, bp, rules_now, status_of
from portal.transactions import transaction
from portal.web import resume
from portal.web.asked import asked_for, came_for
from portal.web.entry import go_on
from portal.web.responses import go_to, page
from portal.web.session import authorize, member


@bp.route("/rules/agree", methods=["GET", "POST"])
def agree() -> ResponseReturnValue:
    """Agree to the rules in force, and go on with what waited for that."""
    authorize("account.use")
    rules = rules_now()
    if request.method != "POST" and queries.has_accepted_rules(member()):
        waits = resume.kept_path() is not None
        return go_to(url_for(".sign_in", next=came_for()) if waits else came_for())
    form = RulesForm(version=str(rules.version))
    if form.validate_on_submit() and agrees_to(rules, form):
        with transaction():
            service.accept_rules(member())
        return go_on()
    before = queries.rules_accepted_by(member())
    differs = changes(before.body, rules.body) if before else []
    about = {"rules": rules, "before": before, "differs": differs, **asked_for()}
    return page("accounts/agree.html", status=status_of(form), form=form, **about)


@bp.route("/confirm/<token>", methods=["GET", "POST"])
def confirm(token: str) -> ResponseReturnValue:
    """Show that a mail address is one's own; opening the link alone changes nothing."""
    user = service.whose_confirmation(token)
    if user and request.method == "POST":
        with transaction():
            service.confirm_email(token)
        return go_to(url_for("ideas.index"), _("Thank you. Your address is confirmed."))
    return page("accounts/confirm.html", status=200 if user else 410, person=user)
