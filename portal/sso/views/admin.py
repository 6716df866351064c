"""Connecting providers: for admins."""

from __future__ import annotations

from typing import Any

from flask import abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts.service import FieldRefused
from portal.sso import handover, openid, providers, queries
from portal.sso.forms import AddProviderForm, HandOverForm, OpenIDForm
from portal.sso.models import Provider
from portal.sso.queries import HANDOVER, OPENID
from portal.sso.trouble import SignOnFailed
from portal.sso.views.base import bp
from portal.sso.views.signing import redirect_uri
from portal.transactions import transaction
from portal.web.once import made_once
from portal.web.proof import prove_again
from portal.web.responses import go_to, page
from portal.web.session import authorize, member


@bp.get("/admin/providers")
def list_providers() -> ResponseReturnValue:
    """See who vouches for people."""
    _enter()
    return page("sso/providers.html", providers=queries.providers())


@bp.route("/admin/providers/new/<any(openid, handover):kind>", methods=["GET", "POST"])
def add(kind: str) -> ResponseReturnValue:
    """Add a provider; it is switched off until it is set up."""
    _enter()
    form = AddProviderForm()
    if form.validate_on_submit():
        try:
            with transaction():
                name, issuer = form.name.data, form.issuer.data
                made = made_once(
                    Provider, lambda: providers.add_provider(member(), kind=kind, name=name, issuer=issuer)
                )
            return go_to(url_for(".provider", provider_id=made.id), _("Added. It is switched off until you are done."))
        except FieldRefused as refusal:
            _say_at(form, refusal)
    return page("sso/add.html", status=422 if form.errors else 200, form=form, kind=kind)


@bp.route("/admin/providers/<int:provider_id>", methods=["GET", "POST"])
def provider(provider_id: int) -> ResponseReturnValue:
    """See and change a provider."""
    there = _provider(provider_id)
    form = (OpenIDForm if there.kind == OPENID else HandOverForm)(obj=there)
    if form.validate_on_submit():
        given: dict[str, Any] = {field.name: field.data for field in form if field.name not in {"csrf_token", "submit"}}
        try:
            with transaction():
                providers.change_provider(member(), there, **given)
            return go_to(url_for(".provider", provider_id=there.id), _("Saved."))
        except FieldRefused as refusal:
            _say_at(form, refusal)
    return _show(there, form, status=422 if form.errors else 200)


@bp.post("/admin/providers/<int:provider_id>/test")
def test(provider_id: int) -> ResponseReturnValue:
    """Ask a provider what it says of itself, and be told in words what is wrong."""
    there = _provider(provider_id, OPENID)
    try:
        openid.discover(there, again=True)
        openid.keys_of(there)
    except SignOnFailed as problem:
        return _show(there, OpenIDForm(formdata=None, obj=there), problem=problem.for_admins)
    return _show(there, OpenIDForm(formdata=None, obj=there), found=True)


@bp.post("/admin/providers/<int:provider_id>/switch")
def switch(provider_id: int) -> ResponseReturnValue:
    """Switch a provider on or off."""
    there, on = _provider(provider_id), request.form.get("on") == "1"
    with transaction():
        providers.switch(member(), there, on)
    said = _("%(name)s is switched on.", name=there.name) if on else _("%(name)s is switched off.", name=there.name)
    return go_to(url_for(".provider", provider_id=there.id), said)


@bp.route("/admin/providers/<int:provider_id>/remove", methods=["GET", "POST"])
def remove(provider_id: int) -> ResponseReturnValue:
    """Remove a provider."""
    there = _provider(provider_id)
    if request.method == "POST":
        name = there.name
        with transaction():
            providers.remove(member(), there)
        return go_to(url_for(".list_providers"), _("%(name)s is removed.", name=name))
    return page("sso/remove.html", provider=there, people=queries.count_linked(there))


@bp.post("/admin/providers/<int:provider_id>/keys")
def make_key(provider_id: int) -> ResponseReturnValue:
    """Make a key for hand-overs, and see its secret this once."""
    there = _provider(provider_id, HANDOVER)
    with transaction():
        made = providers.make_key(member(), there)
    return _show(there, HandOverForm(formdata=None, obj=there), made=made)


@bp.post("/admin/providers/<int:provider_id>/keys/<key>/remove")
def remove_key(provider_id: int, key: str) -> ResponseReturnValue:
    """Let a key for hand-overs count no more."""
    there = _provider(provider_id, HANDOVER)
    with transaction():
        providers.remove_key(member(), there, key)
    return go_to(url_for(".provider", provider_id=there.id), _("The key counts no more."))


def _enter() -> None:
    authorize("sso.manage")
    prove_again()


def _provider(provider_id: int, kind: str = "") -> Provider:
    _enter()
    there = queries.provider_by_id(provider_id)
    if there is None or (kind and there.kind != kind):
        abort(404)
    return there


def _show(there: Provider, form: HandOverForm, status: int = 200, **more: Any) -> ResponseReturnValue:
    about: dict[str, Any] = {"found": False, "problem": "", "made": None, "people": queries.count_linked(there)}
    if there.kind == OPENID:
        about["redirect_uri"] = redirect_uri(there)
    else:
        about |= {"keys": providers.key_names(there), "audience": handover.audience()}
    return page("sso/provider.html", status=status, provider=there, form=form, **(about | more))


def _say_at(form: AddProviderForm, refusal: FieldRefused) -> None:
    form[refusal.field].errors = [*form[refusal.field].errors, refusal.message]
