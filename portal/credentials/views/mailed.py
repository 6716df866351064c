"""Links and codes sent by mail: signing up, signing in, another password.

Opening a link only shows a page; its button acts. So programs that look into mails and follow links change nothing.
"""

from __future__ import annotations

from typing import Any

from flask import Response, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import service as people
from portal.accounts.models import User
from portal.accounts.passwords import PasswordRefused, check_strength, hash_password, is_right
from portal.accounts.service import FieldRefused
from portal.credentials import links, service
from portal.credentials.forms import AddressForm, CodeForm, NewPasswordForm, OpenAccountForm
from portal.credentials.models import MailedLink, Purpose
from portal.credentials.service import AccountThere, RulesChanged
from portal.credentials.views.base import bp
from portal.extensions import limiter
from portal.transactions import transaction
from portal.web.asked import asked_for
from portal.web.entry import enter
from portal.web.limits import LIMITS, per_address
from portal.web.mailed import Expected, can_mail, expect, expected, rationed
from portal.web.responses import go_to, page
from portal.web.session import end_sessions, viewer

AGAIN_AT = {
    Purpose.SIGN_UP: "accounts.sign_up",
    Purpose.SIGN_IN: "credentials.ask_for_link",
    Purpose.RESET: "credentials.forgot",
}
"""Where one asks for a link anew."""


def _wrong_password(_answer: Response) -> bool:
    return bool(g.get("wrong_password"))


@bp.route("/sign-in/link", methods=["GET", "POST"])
@rationed
def ask_for_link() -> ResponseReturnValue:
    """Have a link mailed that signs one in."""
    asked, form = asked_for(), AddressForm()
    if can_mail() and form.validate_on_submit():
        who = expect(Purpose.SIGN_IN, form.email.data)
        with transaction():
            service.ask_to_sign_in(form.email.data, who)
        return go_to(url_for(".look"))
    return page("credentials/mail_link.html", status=_status_of(form), form=form, can_mail=can_mail(), **asked)


@bp.route("/password/forgotten", methods=["GET", "POST"])
@rationed
def forgot() -> ResponseReturnValue:
    """Have a link mailed that lets one choose another password, or a first one."""
    form = AddressForm(email=getattr(viewer(), "email", ""))
    if can_mail() and form.validate_on_submit():
        who = expect(Purpose.RESET, form.email.data)
        with transaction():
            service.ask_for_new_password(form.email.data, who)
        return go_to(url_for(".look"))
    return page("credentials/mail_forgot.html", status=_status_of(form), form=form, can_mail=can_mail())


@bp.route("/look-into-your-mail", methods=["GET", "POST"])
def look() -> ResponseReturnValue:
    """Read where the mail went, or type the six digits that it holds."""
    waits, form = expected(), CodeForm()
    if waits is None:
        return page("credentials/mail_none.html")
    if waits.purpose in service.BY_CODE and form.validate_on_submit():
        with transaction():
            link = service.try_code(form.code.data, waits.email, waits.browser_hash)
        if link is not None:
            return _open(link) if link.purpose is Purpose.SIGN_UP else _let_in(link)
        form.code.errors = [
            _("This code is not right, or it no longer works. After five tries or ten minutes you need a new mail.")
        ]
    return _show_look(waits, form)


@bp.post("/look-into-your-mail/again")
@rationed
def send_again() -> ResponseReturnValue:
    """Have the same mail sent once more."""
    waits = expected()
    if waits is None:
        return go_to(url_for(".look"))
    who = expect(waits.purpose, waits.email, waits.aimed)
    with transaction():
        there = service.ask_again(waits.purpose, waits.email, who)
    if not there:
        return go_to(_again_at(waits))
    return go_to(url_for(".look"), _("We have sent it again. Only the newest code works."))


@bp.post("/look-into-your-mail/address")
@rationed
def send_elsewhere() -> ResponseReturnValue:
    """Sign up with another address than the one just given; all else that was filled in stays."""
    waits, form = expected(), AddressForm()
    if waits is None or waits.purpose is not Purpose.SIGN_UP:
        return go_to(url_for(".look"))
    if not form.validate_on_submit():
        return _show_look(waits, CodeForm(formdata=None), form)
    who = expect(waits.purpose, form.email.data, waits.aimed)
    with transaction():
        there = service.ask_again(waits.purpose, waits.email, who, to=form.email.data)
    return go_to(url_for(".look") if there else _again_at(waits))


@bp.route("/sign-up/<token>", methods=["GET", "POST"])
@limiter.limit(LIMITS["accounts.sign_in.address"], key_func=per_address, methods=["POST"], deduct_when=_wrong_password)
def confirm_sign_up(token: str) -> ResponseReturnValue:
    """Open the account that waits for its address, by the button that the mailed link leads to."""
    link = links.find(token, Purpose.SIGN_UP)
    if link is None:
        return _gone(Purpose.SIGN_UP)
    form, here = OpenAccountForm(), _asked_here(link)
    if not form.validate_on_submit():
        return _show_sign_up(link, form, here)
    if not here and not is_right(form.password.data or "", link.data["sign_up"]["password_hash"]):
        g.wrong_password = True
        form.password.errors = [_("This is not the password that was chosen when signing up.")]
        return _show_sign_up(link, form, here)
    return _open(link, form, here)


@bp.route("/sign-in/link/<token>", methods=["GET", "POST"])
def sign_in_by_link(token: str) -> ResponseReturnValue:
    """Sign in by the button that the mailed link leads to."""
    link = links.find(token, Purpose.SIGN_IN)
    owner = service.owner_of(link) if link else None
    if link is None or owner is None:
        return _gone(Purpose.SIGN_IN)
    if request.method == "POST":
        return _let_in(link)
    return page("credentials/mail_sign_in.html", person=owner, asked_here=_asked_here(link))


@bp.route("/password/<token>", methods=["GET", "POST"])
def choose_password(token: str) -> ResponseReturnValue:
    """Choose another password by the mailed link; every browser is signed out, and a second factor is still asked."""
    link, form = links.find(token, Purpose.RESET), NewPasswordForm()
    owner = service.owner_of(link) if link else None
    if link is None or owner is None:
        return _gone(Purpose.RESET)
    if form.validate_on_submit() and (chosen := _strong_enough(form, owner)):
        with transaction():
            user = service.choose_password(link, form.password.data, chosen)
            end_sessions(user)
        return enter(user, "link", aimed={}, notice=_("Your password is changed. Other browsers are signed out."))
    return page("credentials/mail_password.html", status=_status_of(form), form=form, person=owner)


def _strong_enough(form: NewPasswordForm, owner: User) -> str:
    """Return the hash to keep, made before anything is locked; nothing for a password that others would guess."""
    try:
        check_strength(form.password.data, name=owner.name, email=owner.email)
    except PasswordRefused as refusal:
        form.password.errors = [refusal.message]
        return ""
    return hash_password(form.password.data)


def _let_in(link: MailedLink) -> ResponseReturnValue:
    aimed = _aim_of(link, _asked_here(link))
    with transaction():
        user = service.let_in_by(link)
    return enter(user, "link", aimed=aimed)


def _open(link: MailedLink, form: OpenAccountForm | None = None, here: bool = True) -> ResponseReturnValue:
    form = form or OpenAccountForm(formdata=None)
    aimed, rules = link.data["aimed"], people.rules_to_show()
    agreed = bool(form.agreed.data) and form.version.data == str(rules.version)
    try:
        with transaction():
            user = service.open_account(link, name=form.name.data or "", agreed=agreed)
    except AccountThere as refusal:
        return go_to(url_for("accounts.sign_in", **_linkable(aimed)), refusal.message)
    except RulesChanged as refusal:
        form.agreed.errors = [refusal.message]
    except FieldRefused as refusal:
        form.name.errors = [refusal.message]
    else:
        return enter(user, "link", aimed=aimed, notice=_("Welcome, %(name)s.", name=user.name))
    return _show_sign_up(link, form, here)


def _show_sign_up(link: MailedLink, form: OpenAccountForm, here: bool) -> ResponseReturnValue:
    waits, rules = link.data["sign_up"], people.rules_to_show()
    form.name.data = form.name.data or waits["name"]
    form.version.data = str(rules.version)
    shown: dict[str, Any] = {
        "email": link.email,
        "action": url_for(".confirm_sign_up", token=links.token_of(link)),
        "asks_name": bool(form.name.errors) or form.name.data != waits["name"],
        "asks_password": not here,
        "rules": rules if rules.version != waits["rules"] else None,
    }
    return page("credentials/mail_open.html", status=_status_of(form), form=form, **shown)


def _show_look(waits: Expected, form: CodeForm, other: AddressForm | None = None) -> ResponseReturnValue:
    shown: dict[str, Any] = {
        "waits": waits,
        "form": form,
        "other": other or AddressForm(formdata=None),
        "again_at": _again_at(waits),
    }
    status = 422 if form.errors or (other and other.errors) else 200
    return page("credentials/mail_sent.html", status=status, **shown)


def _gone(purpose: Purpose) -> ResponseReturnValue:
    return page("credentials/mail_gone.html", status=410, again_at=url_for(AGAIN_AT[purpose]))


def _asked_here(link: MailedLink) -> bool:
    """Whether it was this browser that asked for the link."""
    waits = expected()
    return waits is not None and waits.browser_hash == link.browser_hash


def _aim_of(link: MailedLink, here: bool) -> dict[str, str]:
    """Return what a link that signs in leads back to.

    Anybody may have it sent to anybody. What waits in another browser may be a stranger's, so it is not done for
    whoever opens the link here; they only get to the page.
    """
    aimed: dict[str, str] = link.data["aimed"]
    return aimed if here else {key: aimed[key] for key in ("next",) if key in aimed}


def _again_at(waits: Expected) -> str:
    return url_for(AGAIN_AT[waits.purpose], **_linkable(waits.aimed))


def _linkable(aimed: dict[str, str]) -> dict[str, Any]:
    return {key: aimed[key] for key in ("next", "then") if key in aimed}


def _status_of(form: AddressForm | OpenAccountForm | NewPasswordForm) -> int:
    return 422 if form.errors else 200
