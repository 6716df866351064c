"""One's own second factors: adding, naming and removing them."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from flask import abort, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, InputRequired, Length

from portal.accounts import browsers
from portal.accounts.models import AuthSession
from portal.credentials import authenticators, factors, passkeys, recovery
from portal.credentials.authenticators import CodeRefused
from portal.credentials.models import Passkey
from portal.credentials.passkeys import NAME_MAX
from portal.credentials.views import ceremony
from portal.credentials.views.base import bp
from portal.db import db
from portal.options import option
from portal.sealing import SealBroken, seal, unseal
from portal.text import clean_line
from portal.transactions import transaction
from portal.web.entry import aim, go_on
from portal.web.proof import prove_again
from portal.web.responses import go_to, page
from portal.web.session import authorize, end_sessions, member, renew_session, this_session_hash

SECRET_WAITS = 1800  # seconds in which an app can be set up with the secret that was shown


class AppForm(FlaskForm):
    """The first code of an app."""

    code = StringField(_l("Code that the app shows"), [InputRequired(_l("Type the six digits that your app shows"))])


class PasskeyForm(FlaskForm):
    """What a passkey is called."""

    name = StringField(
        _l("Name"), [DataRequired(_l("Give it a name")), Length(max=NAME_MAX)], filters=[lambda text: clean_line(text)]
    )


@bp.get("/account/two-step")
def two_step() -> ResponseReturnValue:
    """See which second steps one has."""
    authorize("account.use")
    prove_again()
    return _show()


@bp.post("/account/two-step/passkeys")
def add_passkey() -> ResponseReturnValue:
    """Keep the passkey that the browser made."""
    authorize("account.use")
    prove_again()
    challenge, answer = ceremony.take_challenge(ceremony.ADD), ceremony.answer()
    with transaction():
        first = not factors.factors_of(member()).count
        passkeys.add(member(), answer, challenge, request.form.get("name", ""))
        codes = recovery.renew(member(), with_first=True) if first else []
        _begin_anew(proved=True)
    return _added(_("The passkey is added. Other browsers are signed out."), codes)


@bp.post("/account/two-step/passkeys/<int:passkey_id>/name")
def rename_passkey(passkey_id: int) -> ResponseReturnValue:
    """Call a passkey by another name."""
    authorize("account.use")
    prove_again()
    passkey = _own_passkey(passkey_id)
    form = PasskeyForm()
    if not form.validate_on_submit():
        return _show(422, renaming=passkey.id, name_form=form)
    with transaction():
        passkeys.rename(passkey, form.name.data)
    return go_to(url_for(".two_step", **aim()), _("Saved."))


@bp.post("/account/two-step/passkeys/<int:passkey_id>/remove")
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    """Let a passkey open nothing from now on."""
    authorize("account.use")
    prove_again()
    with transaction():
        passkeys.remove(member(), _own_passkey(passkey_id))
        _begin_anew()
    return go_to(url_for(".two_step"), _("The passkey is removed. Other browsers are signed out."))


@bp.route("/account/two-step/app", methods=["GET", "POST"])
def add_authenticator() -> ResponseReturnValue:
    """Set up an app that shows codes: scan the picture or type the secret, then type a first code."""
    authorize("account.use")
    prove_again()
    secret, form = _waiting_secret(), AppForm()
    if form.validate_on_submit():
        try:
            with transaction():
                first = not factors.factors_of(member()).count
                authenticators.add(member(), secret, form.code.data)
                codes = recovery.renew(member(), with_first=True) if first else []
                _begin_anew(proved=True)
        except CodeRefused as refusal:
            form.code.errors = [refusal.message]
        else:
            session.pop("app", None)
            return _added(_("The app is set up. Other browsers are signed out."), codes)
    side, path = authenticators.picture_of(authenticators.address_of(member(), secret))
    shown: dict[str, Any] = {"side": side, "path": path, "secret": authenticators.in_groups(secret), "keep": aim()}
    return page("credentials/app.html", status=422 if form.errors else 200, form=form, **shown)


@bp.post("/account/two-step/app/remove")
def remove_authenticator() -> ResponseReturnValue:
    """Let an app's codes count no longer."""
    authorize("account.use")
    prove_again()
    with transaction():
        authenticators.remove(member())
        _begin_anew()
    return go_to(url_for(".two_step"), _("The app is removed. Other browsers are signed out."))


@bp.post("/account/two-step/codes")
def renew_recovery_codes() -> ResponseReturnValue:
    """Get ten new recovery codes; those before them are void."""
    authorize("account.use")
    prove_again()
    if not factors.factors_of(member()).count:
        return go_to(url_for(".two_step"))
    with transaction():
        codes = recovery.renew(member())
        _begin_anew()
    return _show_codes(codes)


@bp.post("/account/two-step/go-on")
def go_on_after_set_up() -> ResponseReturnValue:
    """Go on with what one came for before a second step was asked."""
    authorize("account.use")
    return go_on()


def _begin_anew(proved: bool = False) -> None:
    """End the sessions everywhere else and give this one another id; with a factor ``proved`` in it, it has two."""
    end_sessions(member(), except_this=True)
    if proved:
        this = AuthSession.token_hash == this_session_hash()
        db.session.execute(sa.update(AuthSession).where(this).values(second=True))
    renew_session()


def _waiting_secret() -> str:
    """Return the secret that this browser was shown, or a new one; it lies in the session, sealed."""
    kept: dict[str, Any] = session.get("app") or {}
    try:
        if kept.get("user") == member().id and kept["at"] + SECRET_WAITS > time.time():
            return unseal(kept["sealed"])
    except SealBroken:
        pass
    secret = authenticators.new_secret()
    session["app"] = {"user": member().id, "sealed": seal(secret), "at": int(time.time())}
    return secret


def _own_passkey(passkey_id: int) -> Passkey:
    return passkeys.find_passkey(member(), passkey_id) or abort(404)


def _added(notice: str, codes: list[str]) -> ResponseReturnValue:
    return _show_codes(codes, notice) if codes else go_to(url_for(".two_step", **aim()), notice)


def _show_codes(codes: list[str], done: str = "") -> ResponseReturnValue:
    """Show the codes in the answer itself: they are kept nowhere from which they could be shown again."""
    file = "\r\n".join([_("Recovery codes for %(portal)s, each good once", portal=option("name")), "", *codes, ""])
    return page("credentials/recovery_codes.html", codes=codes, done=done, file=quote(file), keep=aim())


def _show(status: int = 200, **more: Any) -> ResponseReturnValue:
    shown: dict[str, Any] = {
        "has": factors.factors_of(member()),
        "demanded": factors.is_demanded_of(member()),
        "missing": factors.is_missing(member()),
        "suggested": browsers.in_words(request.user_agent.string or ""),
        "renaming": None,
        "name_form": PasskeyForm(formdata=None),
        "keep": aim(),
    }
    return page("credentials/two_step.html", status=status, **(shown | more))
