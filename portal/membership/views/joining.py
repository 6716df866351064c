"""Accepting an invitation, and waiting to be let in."""

from __future__ import annotations

from flask import abort, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import service as accounts
from portal.accounts.models import User
from portal.accounts.passwords import PasswordRefused, hash_password
from portal.accounts.service import FieldRefused
from portal.extensions import limiter
from portal.membership import invitations, service
from portal.membership.forms import AcceptForm
from portal.membership.models import Invitation
from portal.membership.service import MembershipRefused
from portal.membership.views.base import bp, language, rules_now, say_at, status_of
from portal.transactions import transaction
from portal.web.entry import go_on
from portal.web.limits import LIMITS, per_address
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer
from portal.web.session import sign_in as open_session


@bp.route("/invitation/<token>", methods=["GET", "POST"])
@limiter.limit(LIMITS["invitations.accepted"], key_func=per_address, methods=["POST"])
def accept(token: str) -> ResponseReturnValue:
    """Join by the link of an invitation; whoever has an account uses it with that one."""
    found = invitations.find(token)
    if found is None:
        return page("membership/invitation_over.html", status=410, why="")
    invitation, proven = found
    try:
        service.check_invitation(invitation, invitation.email)
    except MembershipRefused as refusal:
        return page("membership/invitation_over.html", status=410, why=refusal.message)
    known = invitations.has_account(invitation)
    if known is not None:
        mine = known.id == viewer().id
        return page("membership/invitation_known.html", invitation=invitation, known=known, mine=mine, token=token)
    if viewer().is_signed_in:
        return page("membership/invitation_known.html", invitation=invitation, known=None, mine=False, token=token)
    return _join(invitation, proven)


@bp.post("/invitation/<token>/use")
def use_invitation(token: str) -> ResponseReturnValue:
    """Take the place on a board that one was invited to, with the account one has."""
    authorize("account.use")
    found = invitations.find(token) or abort(404)
    with transaction():
        service.accept(found[0], member())
    return go_to(url_for("ideas.index"), _("Done. The board is among yours now."))


@bp.get("/waiting")
def waiting() -> ResponseReturnValue:
    """Read why one cannot take part yet."""
    authorize("account.use")
    if member().is_approved:
        return go_to(url_for("ideas.index"))
    return page("membership/waiting.html")


def _join(invitation: Invitation, proven: bool) -> ResponseReturnValue:
    rules = rules_now()
    form = AcceptForm(invitation.email, version=str(rules.version))
    if form.validate_on_submit():
        if form.version.data != str(rules.version):
            form.version.data, form.agreed.data = str(rules.version), False
            form.agreed.errors = [_("The rules changed a moment ago. Please read them once more.")]
        else:
            try:
                return _let_in(invitation, form, proven)
            except FieldRefused as refusal:
                say_at(form, refusal.field if refusal.field in form else "name", refusal)
            except PasswordRefused as refusal:
                say_at(form, "password", refusal)
    return page("membership/accept.html", status=status_of(form), form=form, rules=rules, invitation=invitation)


def _let_in(invitation: Invitation, form: AcceptForm, proven: bool) -> ResponseReturnValue:
    hashed = hash_password(form.password.data)
    with transaction():
        user: User = service.join(
            email=invitation.email,
            name=form.name.data,
            password_hash=hashed,
            invitation=invitation,
            locale=language(),
            proven=proven,
        )
        accounts.note_sign_in(user)
        open_session(user, way="link")
    return go_on(_("Welcome, %(name)s.", name=user.name))
