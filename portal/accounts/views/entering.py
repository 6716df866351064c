"""Signing up, in and out."""

from __future__ import annotations

from flask import abort, current_app, flash, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import queries, service
from portal.accounts.forms import (
    SignInForm,
    SignUpForm,
)
from portal.accounts.models import User
from portal.accounts.passwords import PasswordRefused
from portal.accounts.service import FieldRefused
from portal.accounts.views.asked import asked_for, came_for
from portal.accounts.views.base import agrees_to, bp, rules_now, say_at, status_of, wrong_password
from portal.extensions import limiter
from portal.transactions import transaction
from portal.web.entry import enter, go_on
from portal.web.limits import LIMITS, per_account_and_address, per_address
from portal.web.responses import go_to, page
from portal.web.session import sign_in as open_session
from portal.web.session import sign_out as close_session
from portal.web.session import viewer


@bp.route("/sign-up", methods=["GET", "POST"])
@limiter.limit(LIMITS["accounts.register"], key_func=per_address, methods=["POST"])
def sign_up() -> ResponseReturnValue:
    """Open an account and go on with what one came for."""
    if request.method != "POST" and viewer().is_signed_in:
        return go_to(came_for())
    rules = rules_now()
    form = SignUpForm(version=str(rules.version))
    if form.validate_on_submit() and agrees_to(rules, form):
        try:
            with transaction():
                user, new = service.join(email=form.email.data, name=form.name.data, password=form.password.data)
                service.note_sign_in(user)
                open_session(user)
        except FieldRefused as refusal:
            say_at(form, refusal.field, refusal)
        except PasswordRefused as refusal:
            say_at(form, "password", refusal)
        else:
            return go_on(_("Welcome, %(name)s.", name=user.name) if new else _welcome_back(user))
    return page("accounts/sign_up.html", status=status_of(form), form=form, rules=rules, **asked_for())


@bp.route("/sign-in", methods=["GET", "POST"])
@limiter.limit(LIMITS["accounts.sign_in.address"], key_func=per_address, methods=["POST"], deduct_when=wrong_password)
@limiter.limit(
    LIMITS["accounts.sign_in.account"], key_func=per_account_and_address, methods=["POST"], deduct_when=wrong_password
)
def sign_in() -> ResponseReturnValue:
    """Sign in and go on with what one came for."""
    asked = asked_for()
    if viewer().is_signed_in and "email" not in request.form:
        if request.method == "POST":
            return go_on()
        return page("accounts/go_on.html", **asked) if asked["act"] else go_to(came_for())
    form = SignInForm()
    if form.validate_on_submit():
        user = service.find_by_password(form.email.data, form.password.data)
        if user:
            return enter(user, "password", remember=form.remember.data, password=form.password.data)
        g.wrong_password = True
        with transaction(wake=False):
            service.note_wrong_password(form.email.data)
        form.form_errors.append(_("This address and this password do not belong together. Check both and try again."))
    return page("accounts/sign_in.html", status=status_of(form), form=form, demo_accounts=_demo_accounts(), **asked)


@bp.post("/sign-in/as")
def sign_in_as() -> ResponseReturnValue:
    """Become one of the demo's people by one press; only in a demo."""
    email = request.form.get("email", "")
    if email not in {address for address, _label in _demo_accounts()}:
        abort(404)
    user = queries.find_by_email(email) or abort(404)
    with transaction():
        service.note_sign_in(user)
        open_session(user)
    return go_on(_("You are %(name)s now.", name=user.name))


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Leave, and take along what this browser kept."""
    person = viewer()
    if isinstance(person, User):
        with transaction():
            service.note_sign_out(person)
            close_session()
        flash(_("You are signed out."))
    answer = go_to(url_for("ideas.index"))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _welcome_back(user: User) -> str:
    return str(_("Welcome back, %(name)s.", name=user.name))


def _demo_accounts() -> tuple[tuple[str, str], ...]:
    return tuple(current_app.config.get("DEMO_ACCOUNTS") or ()) if current_app.config["DEMO"] else ()
