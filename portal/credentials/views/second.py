"""Coming in with a passkey, and proving the second factor after another first proof."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired

from portal.accounts.models import User
from portal.credentials import factors
from portal.credentials.authenticators import CodeRefused
from portal.credentials.passkeys import PasskeyRefused
from portal.credentials.views import ceremony
from portal.credentials.views.base import bp
from portal.errors import Refusal
from portal.security.log import note
from portal.transactions import transaction
from portal.web.entry import aim, enter, half_signed_in, let_in
from portal.web.responses import go_to, own_path, page
from portal.web.session import viewer


class CodeForm(FlaskForm):
    """A code of an app."""

    code = StringField(_l("Code from your app"), [InputRequired(_l("Type the six digits that your app shows"))])


class RecoveryForm(FlaskForm):
    """One of the ten codes."""

    recovery = StringField(_l("Recovery code"), [InputRequired(_l("Type one of your recovery codes"))])


@dataclass(frozen=True, slots=True)
class Halfway:
    """Somebody who proved a first factor, and not yet a second one."""

    user: User
    way: str
    remember: bool


@bp.post("/sign-in/passkey")
def sign_in_by_passkey() -> ResponseReturnValue:
    """Sign in with a passkey; the browser knows whose it is."""
    try:
        proof = ceremony.shown_passkey(ceremony.SIGN_IN)
    except PasskeyRefused as refusal:
        with transaction(wake=False):
            note("sign_in.failed", user=None, way="passkey")
        flash(refusal.message, "error")
        return go_to(url_for("accounts.sign_in", **aim()))
    return enter(proof.user, "passkey", remember=bool(request.form.get("remember")), strong=proof.verified)


@bp.route("/sign-in/second", methods=["GET", "POST"])
def second_step() -> ResponseReturnValue:
    """Prove the second factor: by a passkey, a code of an app, or a recovery code."""
    halfway = _halfway()
    if halfway is None:
        return _lead_away()
    code, recovery_code = CodeForm(), RecoveryForm()
    status, refused = 200, ""
    if request.method == "POST":
        status = 422
        try:
            if _proves(halfway, request.form.get("by"), code, recovery_code):
                notice = _used_up(halfway.user) if request.form.get("by") == "recovery" else ""
                return let_in(halfway.user, halfway.way, remember=halfway.remember, second=True, notice=notice)
        except Refusal as refusal:
            status, refused = refusal.status, refusal.message
    return page(
        "credentials/second.html",
        status=status,
        halfway=halfway,
        has=factors.factors_of(halfway.user),
        code_form=code,
        recovery_form=recovery_code,
        refused=refused,
        keep=aim(),
    )


def _halfway() -> Halfway | None:
    """Return who is on the way in; also somebody signed in by less than their role has come to demand since."""
    half = half_signed_in()
    if half:
        user, how = half
        return Halfway(user, how["way"], how["remember"])
    person = viewer()
    if isinstance(person, User) and person.signed_in and not person.signed_in.second:
        return Halfway(person, person.signed_in.way, session.permanent) if factors.factors_of(person).count else None
    return None


def _lead_away() -> Response:
    half = session.pop("half", None) or {}
    if viewer().is_signed_in:
        return go_to(own_path(request.args.get("next"), url_for("ideas.index")))
    if half:
        flash(
            _(
                "More than ten minutes went by since the first step, or your account changed meanwhile. "
                "Please sign in once more."
            ),
            "error",
        )
    return go_to(url_for("accounts.sign_in", **{key: half[key] for key in ("next", "then") if key in half}))


def _proves(halfway: Halfway, by: str | None, code: CodeForm, recovery_code: RecoveryForm) -> bool:
    if by == "passkey":
        return _shows_passkey(halfway)
    if by == "code":
        return code.validate_on_submit() and _knows_code(halfway, code)
    return recovery_code.validate_on_submit() and _has_recovery_code(halfway, recovery_code)


def _shows_passkey(halfway: Halfway) -> bool:
    proof = ceremony.shown_passkey(ceremony.SECOND, halfway.user)
    if halfway.way == "passkey" and not proof.verified:
        raise PasskeyRefused(
            _("A passkey was your first step already. As the second it counts only with its PIN, finger or face.")
        )
    return True


def _knows_code(halfway: Halfway, form: CodeForm) -> bool:
    right = ceremony.knows_code(halfway.user, form.code.data)
    if not right:
        form.code.errors = [CodeRefused().message]
    return right


def _has_recovery_code(halfway: Halfway, form: RecoveryForm) -> bool:
    if ceremony.use_recovery_code(halfway.user, form.recovery.data) is None:
        form.recovery.errors = [_("This is not one of your recovery codes, or it was used already.")]
        return False
    return True


def _used_up(user: User) -> str:
    """Say how many recovery codes are left."""
    left = factors.factors_of(user).codes_left
    return ngettext(
        "You used a recovery code; %(num)d is left. Make new ones soon.",
        "You used a recovery code; %(num)d are left.",
        left,
    )
