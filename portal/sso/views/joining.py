"""Opening an account by another service's word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import abort, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from portal.accounts import queries as accounts
from portal.accounts import service as people
from portal.accounts.models import Rules
from portal.accounts.service import FieldRefused
from portal.credentials import links
from portal.credentials.models import MailedLink, Purpose
from portal.sso import queries, service
from portal.sso.forms import NewcomerForm, NewcomerWithAddressForm
from portal.sso.trouble import SignOnFailed
from portal.sso.views.base import Waiting, bp, still_waiting, way_of
from portal.transactions import transaction
from portal.web.entry import enter
from portal.web.mailed import can_mail, expect, expected, rationed
from portal.web.responses import go_to, page


@bp.route("/sso/new", methods=["GET", "POST"])
@rationed
def new() -> ResponseReturnValue:
    """Choose a name and agree to the rules; the account opens at once if the provider confirmed the address."""
    waits = still_waiting()
    service.check_may_come(waits.provider, waits.vouched.email)
    rules = accounts.rules_in_force() or people.default_rules()
    form = _form(waits, rules)
    if form.validate_on_submit() and _agrees_to(rules, form):
        try:
            return _open(waits, form) if waits.vouched.verified else _ask(waits, form, rules)
        except FieldRefused as refusal:
            field = form["email" if refusal.field == "email" and "email" in form else "name"]
            field.errors = [*field.errors, refusal.message]
    status = 422 if form.errors else 200
    return page("sso/new.html", status=status, form=form, rules=rules, waits=waits, can_mail=can_mail())


@bp.get("/sso/mailed")
def mailed() -> ResponseReturnValue:
    """Be told to look into one's mail."""
    asked = expected()
    if asked is None or asked.purpose is not Purpose.VOUCHED:
        return go_to(url_for("ideas.index"))
    return page("sso/mailed.html", email=asked.email)


@bp.route("/sso/confirm/<token>", methods=["GET", "POST"])
def confirm(token: str) -> ResponseReturnValue:
    """Show that an address is one's own, in the browser in which the account was asked for; opening it does nothing."""
    link = links.find(token, Purpose.VOUCHED)
    if link is None:
        return page("sso/confirm.html", status=410, link=None, asked_here=False)
    if not _was_asked_for_here(link):
        return page("sso/confirm.html", link=link, asked_here=False)
    provider = queries.provider_by_id(link.data["vouched"]["provider_id"])
    if provider is None or not provider.enabled:
        raise SignOnFailed("closed", provider.name if provider else str(_("the provider")))
    if request.method == "POST":
        with transaction():
            user = service.open_confirmed(link, provider)
        session.pop("mailed", None)
        welcome = _("Welcome, %(name)s.", name=user.name)
        return enter(user, way_of(provider), aimed=link.data["aimed"], notice=welcome)
    return page("sso/confirm.html", link=link, asked_here=True)


def _form(waits: Waiting, rules: Rules) -> NewcomerForm:
    kind = NewcomerForm if waits.vouched.email else NewcomerWithAddressForm
    given: dict[str, Any] = {"version": str(rules.version), "name": waits.vouched.name}
    return kind(data=given)


def _agrees_to(rules: Rules, form: NewcomerForm) -> bool:
    if form.version.data == str(rules.version):
        return True
    form.version.data, form.agreed.data = str(rules.version), False
    form.agreed.errors = [_("The rules changed a moment ago. Please read them once more.")]
    return False


def _open(waits: Waiting, form: NewcomerForm) -> ResponseReturnValue:
    with transaction():
        user = service.open_account(waits.provider, waits.vouched, form.name.data, str(get_locale() or "") or None)
    session.pop("vouched", None)
    return enter(user, waits.way, aimed=waits.aimed, notice=_("Welcome, %(name)s.", name=user.name))


def _ask(waits: Waiting, form: NewcomerForm, rules: Rules) -> ResponseReturnValue:
    if not can_mail():
        abort(503)
    email = waits.vouched.email or people.usable_address(form.email.data)
    service.check_may_come(waits.provider, email)
    vouched = replace(waits.vouched, email=email)
    people.check_name(form.name.data)
    asked = expect(Purpose.VOUCHED, email, waits.aimed)
    with transaction():
        service.ask_for_address(waits.provider, vouched, email, form.name.data, rules.version, asked)
    session.pop("vouched", None)
    return go_to(url_for(".mailed"))


def _was_asked_for_here(link: MailedLink) -> bool:
    asked = expected()
    return asked is not None and asked.browser_hash == link.browser_hash
