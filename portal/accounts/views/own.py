"""One's own account."""

from __future__ import annotations

from typing import Any

from flask import g, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import browsers, queries, service
from portal.accounts.forms import (
    NameForm,
    PasswordForm,
    PreferencesForm,
)
from portal.accounts.passwords import PasswordRefused
from portal.accounts.service import FieldRefused
from portal.accounts.views.base import bp, say_at, wrong_password
from portal.extensions import limiter
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.responses import go_to, page
from portal.web.session import authorize, end_sessions, member, this_session_hash
from portal.web.session import sign_in as open_session


@bp.get("/account")
def show() -> ResponseReturnValue:
    """See and change what belongs to one's account."""
    authorize("account.use")
    return _show_account()


@bp.post("/account/name")
def rename() -> ResponseReturnValue:
    """Show another name from now on."""
    authorize("account.use")
    form = NameForm()
    if form.validate_on_submit():
        try:
            with transaction():
                service.rename(member(), form.name.data)
            return go_to(url_for(".show"), _("Saved. Your name is %(name)s now.", name=member().name))
        except FieldRefused as refusal:
            say_at(form, refusal.field, refusal)
    return _show_account(422, name_form=form)


@bp.post("/account/preferences")
def prefer() -> ResponseReturnValue:
    """Choose what reaches one and which keys work."""
    authorize("account.use")
    form = PreferencesForm()
    with transaction():
        user = member()
        user.wants_mail, user.shortcuts_on = form.wants_mail.data, form.shortcuts_on.data
    return go_to(url_for(".show") + "#reach", _("Saved."))


@bp.post("/account/confirmation")
@limiter.limit(LIMITS["accounts.confirmation"], key_func=per_person)
def ask_for_confirmation() -> ResponseReturnValue:
    """Have the link that confirms the address sent again."""
    authorize("account.use")
    with transaction():
        service.ask_for_confirmation(member())
    return go_to(url_for(".show") + "#reach", _("The link is on its way to %(email)s.", email=member().email))


@bp.post("/account/password")
@limiter.limit(LIMITS["accounts.sign_in.account"], key_func=per_person, deduct_when=wrong_password)
def change_password() -> ResponseReturnValue:
    """Choose another password; every other browser is signed out."""
    authorize("account.use")
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            with transaction():
                service.change_password(member(), form.old.data, form.new.data)
                end_sessions(member())
                open_session(member(), remember=session.permanent)
            return go_to(url_for(".show"), _("Your password is changed. Other browsers are signed out."))
        except FieldRefused as refusal:
            g.wrong_password = refusal.field == "old"
            say_at(form, refusal.field, refusal)
        except PasswordRefused as refusal:
            say_at(form, "new", refusal)
    return _show_account(422, password_form=form)


@bp.post("/account/sessions/end")
def end_other_sessions() -> ResponseReturnValue:
    """Sign out everywhere else."""
    authorize("account.use")
    with transaction():
        end_sessions(member(), except_this=True)
    return go_to(url_for(".show") + "#browsers", _("Only this browser is signed in now."))


def _show_account(status: int = 200, **forms: Any) -> ResponseReturnValue:
    user = member()
    shown: dict[str, Any] = {
        "name_form": NameForm(formdata=None, obj=user),
        "password_form": PasswordForm(formdata=None),
        "preferences": PreferencesForm(formdata=None, obj=user),
    }
    sessions = [
        {"browser": browsers.in_words(row.browser), "row": row, "this": row.token_hash == this_session_hash()}
        for row in queries.sessions_of(user)
    ]
    return page("accounts/show.html", status=status, user=user, sessions=sessions, **(shown | forms))
