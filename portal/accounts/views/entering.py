"""Signing up, in and out."""

from __future__ import annotations

from flask import abort, current_app, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import queries, service
from portal.accounts.forms import (
    SignInForm,
    SignUpForm,
)
from portal.accounts.models import User
from portal.accounts.passwords import hash_password
from portal.accounts.service import FieldRefused
from portal.accounts.views.base import agrees_to, bp, rules_now, say_at, status_of
from portal.credentials import service as credentials
from portal.credentials.models import Purpose
from portal.credentials.service import SignUp
from portal.extensions import limiter
from portal.limits import TooMuch
from portal.membership import service as membership
from portal.membership.service import MembershipRefused
from portal.transactions import transaction
from portal.web.asked import asked_for, came_for
from portal.web.entry import LinkNeeded, enter, find_by_password, go_on
from portal.web.limits import LIMITS, per_address
from portal.web.mailed import can_mail, expect, rationed
from portal.web.responses import go_to, page
from portal.web.session import sign_in as open_session
from portal.web.session import sign_out as close_session
from portal.web.session import viewer


@bp.route("/sign-up", methods=["GET", "POST"])
@limiter.limit(LIMITS["accounts.register"], key_func=per_address, methods=["POST"])
@rationed
def sign_up() -> ResponseReturnValue:
    """Ask for an account; it is opened by the mail that this sends, whoever has the address."""
    if request.method != "POST" and viewer().is_signed_in:
        return go_to(came_for())
    rules = rules_now()
    form = SignUpForm(version=str(rules.version))
    if can_mail() and form.validate_on_submit() and agrees_to(rules, form) and _may_be_opened(form):
        details = SignUp(form.name.data, hash_password(form.password.data), rules.version)
        who = expect(Purpose.SIGN_UP, form.email.data)
        with transaction():
            credentials.ask_to_sign_up(form.email.data, details, who)
        return go_to(url_for("credentials.look"))
    shown = {"form": form, "rules": rules, "can_mail": can_mail(), **asked_for()}
    return page("accounts/sign_up.html", status=status_of(form), **shown)


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Sign in and go on with what one came for."""
    asked = asked_for()
    if viewer().is_signed_in and "email" not in request.form:
        if request.method == "POST":
            return go_on()
        return page("accounts/go_on.html", **asked) if asked["act"] else go_to(came_for())
    if any(len(said) > 1 for said in request.form.listvalues()):
        abort(400)  # which of two passwords was meant?
    form, wait = SignInForm(), 0
    if form.validate_on_submit():
        try:
            user = find_by_password(form.email.data, form.password.data)
        except TooMuch as refusal:
            form.form_errors.append(refusal.message)
            wait = refusal.seconds
        except LinkNeeded as refusal:
            form.form_errors.append(refusal.message)
        else:
            if user:
                return enter(user, "password", remember=form.remember.data, password=form.password.data)
            form.form_errors.append(
                _("This address and this password do not belong together. Check both and try again.")
            )
    status = 429 if wait else status_of(form)
    answer = page("accounts/sign_in.html", status=status, form=form, demo_accounts=_demo_accounts(), **asked)
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


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


def _may_be_opened(form: SignUpForm) -> bool:
    """Whether such an account may be opened, as far as it can be said without looking for the address."""
    try:
        service.check_new_name(form.name.data)
        membership.check_may_join(form.email.data)
    except FieldRefused as refusal:
        say_at(form, refusal.field, refusal)
    except MembershipRefused as refusal:
        say_at(form, "email", refusal)
    return not form.errors


def _demo_accounts() -> tuple[tuple[str, str], ...]:
    return tuple(current_app.config.get("DEMO_ACCOUNTS") or ()) if current_app.config["DEMO"] else ()
