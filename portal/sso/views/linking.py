"""Linking another service's word to an account that one has, and taking that back."""

from __future__ import annotations

from flask import abort, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.db import db
from portal.sso import service
from portal.sso.models import Identity
from portal.sso.views.base import bp, still_waiting
from portal.transactions import transaction
from portal.web.entry import go_on
from portal.web.proof import prove_again
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer


@bp.route("/sso/link", methods=["GET", "POST"])
def link() -> ResponseReturnValue:
    """Link a sign-in to one's account, once both are proven; until then nothing is linked."""
    waits = still_waiting()
    if not viewer().is_signed_in:
        if request.method == "POST":
            authorize("account.use")
        return page("sso/link.html", waits=waits, why="")
    if request.form.get("leave"):
        session.pop("vouched", None)
        return go_on(aimed=waits.aimed)
    prove_again()
    why = service.why_not_linked(member(), waits.vouched)
    if request.method == "POST" and not why:
        with transaction():
            service.link(member(), waits.provider, waits.vouched)
        session.pop("vouched", None)
        return go_on(_("Linked. From now on you can sign in with %(name)s.", name=waits.provider.name), waits.aimed)
    return page("sso/link.html", status=409 if why and request.method == "POST" else 200, waits=waits, why=why)


@bp.route("/account/identities/<int:identity_id>/unlink", methods=["GET", "POST"])
def unlink(identity_id: int) -> ResponseReturnValue:
    """Take a linked sign-in away from one's account."""
    authorize("account.use")
    identity = db.session.get(Identity, identity_id)
    if identity is None or identity.user_id != member().id:
        abort(404)
    prove_again()
    name = identity.provider.name
    if request.method == "POST":
        with transaction():
            service.unlink(member(), identity)
        return go_to(url_for("accounts.security") + "#linked", _("%(name)s is unlinked.", name=name))
    return page("sso/unlink.html", identity=identity)
