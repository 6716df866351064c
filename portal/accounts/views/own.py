"""One's own account: profile, preferences, and what keeps it safe."""

from __future__ import annotations

from typing import Any

from flask import abort, current_app, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import refresh

from portal.accounts import browsers, pictures, queries, service
from portal.accounts.forms import NameForm, PasswordForm, PictureForm, PreferencesForm
from portal.accounts.models import AuthSession
from portal.accounts.passwords import PasswordRefused
from portal.accounts.service import FieldRefused
from portal.accounts.views.base import bp, say_at, wrong_password
from portal.credentials import service as credentials
from portal.extensions import limiter
from portal.notifications.digests import making as digests
from portal.security.log import note
from portal.security.queries import entries_of
from portal.security.words import own_acts
from portal.transactions import transaction
from portal.web.appearance import keep_in_browser
from portal.web.context import LANGUAGES
from portal.web.limits import LIMITS, per_person
from portal.web.responses import go_to, page
from portal.web.session import authorize, end_session, end_sessions, member, renew_session, this_session_hash


@bp.get("/account")
def show() -> ResponseReturnValue:
    """See and change what others see."""
    authorize("account.use")
    return _show_profile()


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
    return _show_profile(422, name_form=form)


@bp.post("/account/picture")
@limiter.limit(LIMITS["accounts.picture"], key_func=per_person)
def change_picture() -> ResponseReturnValue:
    """Show a picture beside one's words."""
    authorize("account.use")
    form = PictureForm()
    uploaded = request.files.get("picture")
    try:
        with transaction():
            pictures.change_picture(member(), uploaded.read() if uploaded else b"")
        return go_to(url_for(".show"), _("Saved. This is your picture now."))
    except FieldRefused as refusal:
        say_at(form, refusal.field, refusal)
    return _show_profile(422, picture_form=form)


@bp.post("/account/picture/remove")
def remove_picture() -> ResponseReturnValue:
    """Go back to the drawn picture."""
    authorize("account.use")
    with transaction():
        pictures.remove_picture(member())
    return go_to(url_for(".show"), _("Your picture is removed."))


@bp.route("/account/preferences", methods=["GET", "POST"])
def prefer() -> ResponseReturnValue:
    """Choose how pages look and speak, what reaches one, and which keys work."""
    authorize("account.use")
    user = member()
    chosen = {"language": user.locale or "", "timezone": user.timezone or ""}
    form = PreferencesForm(LANGUAGES, current_app.config["TIMEZONE"], obj=user, data=chosen)
    if not form.validate_on_submit():
        return page("accounts/preferences.html", status=422 if form.errors else 200, user=user, form=form)
    with transaction():
        user = member()
        user.theme, user.locale, user.timezone = form.theme.data, form.language.data or None, form.timezone.data or None
        user.wants_mail, user.shortcuts_on = form.wants_mail.data, form.shortcuts_on.data
        digests.wind(user)
    refresh()  # what is said next is said in the language just chosen
    answer = go_to(url_for(".prefer"), _("Saved."))
    keep_in_browser(answer, theme=form.theme.data, language=form.language.data)
    return answer


@bp.get("/account/security")
def security() -> ResponseReturnValue:
    """See and change what keeps the account safe."""
    authorize("account.use")
    return _show_security()


@bp.post("/account/confirmation")
@limiter.limit(LIMITS["accounts.confirmation"], key_func=per_person)
def ask_for_confirmation() -> ResponseReturnValue:
    """Have the link that confirms the address sent again."""
    authorize("account.use")
    with transaction():
        service.ask_for_confirmation(member())
    return go_to(url_for(".show"), _("The link is on its way to %(email)s.", email=member().email))


@bp.post("/account/password")
@limiter.limit(LIMITS["accounts.sign_in.account"], key_func=per_person, deduct_when=wrong_password)
def change_password() -> ResponseReturnValue:
    """Choose another password; every other browser is signed out."""
    authorize("account.use")
    if member().password_hash is None:
        return go_to(url_for("credentials.forgot"))  # the first one is set by a mailed link
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            with transaction():
                service.change_password(member(), form.old.data, form.new.data)
                credentials.note_new_password(member())
                end_sessions(member(), except_this=True)
                renew_session()
            return go_to(url_for(".security"), _("Your password is changed. Other browsers are signed out."))
        except FieldRefused as refusal:
            g.wrong_password = refusal.field == "old"
            say_at(form, refusal.field, refusal)
        except PasswordRefused as refusal:
            say_at(form, "new", refusal)
    return _show_security(422, password_form=form)


@bp.post("/account/sessions/end")
def end_other_sessions() -> ResponseReturnValue:
    """Sign out everywhere else."""
    authorize("account.use")
    with transaction():
        end_sessions(member(), except_this=True)
        note("sessions.ended", user=member())
    return go_to(url_for(".security") + "#browsers", _("Only this browser is signed in now."))


@bp.post("/account/sessions/<handle>/end")
def end_one_session(handle: str) -> ResponseReturnValue:
    """Sign one browser out."""
    authorize("account.use")
    row = next((row for row in queries.sessions_of(member()) if _handle(row) == handle), None) or abort(404)
    name = browsers.in_words(row.browser)
    with transaction():
        end_session(member(), row.token_hash)
        note("session.ended", user=member())
    return go_to(url_for(".security") + "#browsers", _("%(browser)s is signed out.", browser=name))


@bp.url_value_preprocessor
def _let_pictures_through(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a request that brings a picture be larger than others, before anybody reads it."""
    if endpoint == "accounts.change_picture":
        request.max_content_length = current_app.config["LARGEST_UPLOAD"]
        if (request.content_length or 0) > request.max_content_length:
            raise pictures.too_large()


def _show_profile(status: int = 200, **forms: Any) -> ResponseReturnValue:
    shown: dict[str, Any] = {
        "name_form": NameForm(formdata=None, obj=member()),
        "picture_form": PictureForm(formdata=None),
    }
    return page("accounts/show.html", status=status, user=member(), **(shown | forms))


def _show_security(status: int = 200, **forms: Any) -> ResponseReturnValue:
    user = member()
    shown: dict[str, Any] = {"password_form": PasswordForm(formdata=None), "acts": own_acts(entries_of(user))}
    devices = [
        {
            "row": row,
            "handle": _handle(row),
            "browser": browsers.in_words(row.browser),
            "way": browsers.way_in_words(row.way, row.second),
            "this": row.token_hash == this_session_hash(),
        }
        for row in queries.sessions_of(user)
    ]
    devices.sort(key=lambda device: not device["this"])
    return page("accounts/security.html", status=status, user=user, devices=devices, **(shown | forms))


def _handle(row: AuthSession) -> str:
    """Return what names a session on its owner's page; no cookie can be made of it."""
    return row.token_hash[:20]
