"""Proving once more who one is, before dangerous acts: by whatever the account has to prove it with."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portal.accounts.models import User
from portal.accounts.passwords import is_right
from portal.credentials import factors, guessing, links
from portal.credentials.factors import Factors
from portal.credentials.letters import PROOF_LETTER
from portal.credentials.models import Purpose
from portal.credentials.views import ceremony
from portal.credentials.views.base import bp
from portal.errors import Refusal
from portal.notifications.service import queue_letter
from portal.security.log import note
from portal.transactions import transaction
from portal.web.entry import aim
from portal.web.mailed import can_mail
from portal.web.responses import go_to, own_path, page
from portal.web.session import authorize, member, renew_session, this_session_hash


class PasswordAgainForm(FlaskForm):
    """The password, once more."""

    password = PasswordField(_l("Password"), [InputRequired(_l("Give your password"))])


class AppCodeForm(FlaskForm):
    """A code of an app."""

    code = StringField(
        _l("Code from your app"), [InputRequired(_l("Type the six digits that your app shows")), Length(max=20)]
    )


class MailedCodeForm(FlaskForm):
    """The six digits of a mail."""

    mailed = StringField(
        _l("Code from the mail"), [InputRequired(_l("Type the six digits of the mail")), Length(max=20)]
    )


@dataclass(frozen=True, slots=True)
class Ways:
    """By what somebody can prove who they are."""

    password: bool
    factors: Factors
    mail: bool  # for those who have nothing else


@bp.route("/account/prove", methods=["GET", "POST"])
def prove() -> ResponseReturnValue:
    """Prove once more who one is, and go on to what takes such a proof."""
    authorize("account.use")
    password, code, mailed = PasswordAgainForm(), AppCodeForm(), MailedCodeForm()
    ways, by, refused = _ways(member()), request.form.get("by", ""), ""
    if request.method == "POST":
        try:
            if _proves(by, ways, password, code, mailed):
                return _proved(by)
            with transaction(wake=False):
                note("proof.failed", user=member(), actor=member(), way=_WAYS.get(by, ""))
        except Refusal as refusal:
            refused = refusal.message
    return page(
        "credentials/prove.html",
        status=422 if request.method == "POST" else 200,
        ways=ways,
        password_form=password,
        code_form=code,
        mailed_form=mailed,
        refused=refused,
        keep=aim(),
    )


@bp.post("/account/prove/mail")
def mail_proof() -> ResponseReturnValue:
    """Have a code mailed, where the account has nothing else to prove it with."""
    authorize("account.use")
    user = member()
    if _ways(user).mail:
        with transaction():
            link = links.make(Purpose.PROVE, user.email, user=user, browser_hash=this_session_hash())
            if not queue_letter(PROOF_LETTER, to=user.email, user=user, data={"link": link.id}):
                links.without_code(link)
            note("mail.asked", user=user, what=PROOF_LETTER)
        flash(_("If you have not had too many mails of late, a code is on its way to %(email)s.", email=user.email))
    return go_to(url_for(".prove", **aim()))


_WAYS = {"password": "password", "passkey": "passkey", "code": "app", "mail": "link"}


def _ways(user: User) -> Ways:
    has = factors.factors_of(user)
    return Ways(bool(user.password_hash), has, mail=can_mail() and not user.password_hash and not has.count)


def _proves(by: str, ways: Ways, password: PasswordAgainForm, code: AppCodeForm, mailed: MailedCodeForm) -> bool:
    """Whether what was sent proves it; a way that the account does not have proves nothing."""
    if by == "passkey" and ways.factors.passkeys:
        ceremony.shown_passkey(ceremony.PROVE, member())
        return True
    if by == "code" and ways.factors.authenticator and code.validate_on_submit():
        code.code.errors = [_("This is not the code that your app shows now, or it was used already.")]
        return ceremony.knows_code(member(), code.code.data)
    if by == "mail" and ways.mail and mailed.validate_on_submit():
        mailed.mailed.errors = [_("This is not the code of the last mail, or it is more than ten minutes old.")]
        return _knows_mail(mailed.mailed.data)
    if by == "password" and ways.password and password.validate_on_submit():
        password.password.errors = [_("This is not your password.")]
        return _knows_password(password.password.data)
    return False


def _knows_password(typed: str) -> bool:
    kept = member().password_hash
    with transaction(wake=False):  # counted before it is looked at: many at once are many
        guessing.check("proof", member().id)
        guessing.fail("proof", member().id)
    right = is_right(typed, kept)
    if right:
        with transaction(wake=False):
            guessing.clear("proof", member().id)
    return right


def _knows_mail(typed: str) -> bool:
    with transaction(wake=False):
        link = links.find_by_code(typed, member().email, this_session_hash(), {Purpose.PROVE})
        return link is not None and links.use(link)


def _proved(by: str) -> Response:
    with transaction():
        renew_session()
        note("proved", user=member(), way=_WAYS[by])
    return go_to(own_path(aim().get("next"), url_for("accounts.show")))
