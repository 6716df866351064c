"""Proving once more who one is, before dangerous acts."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import InputRequired

from portal.accounts.passwords import is_right
from portal.credentials.views.base import bp
from portal.security.log import note
from portal.transactions import transaction
from portal.web.responses import go_to, own_path, page
from portal.web.session import authorize, member, renew_session


class ProveForm(FlaskForm):
    """The password, once more."""

    password = PasswordField(_l("Password"), [InputRequired(_l("Give your password"))])


@bp.route("/account/prove", methods=["GET", "POST"])
def prove() -> ResponseReturnValue:
    """Prove once more who one is, and go on to what takes such a proof."""
    authorize("account.use")
    form = ProveForm()
    if form.validate_on_submit():
        if is_right(form.password.data, member().password_hash):
            with transaction():
                renew_session()
                note("proved", user=member(), way="password")
            return go_to(own_path(request.args.get("next"), url_for("accounts.show")))
        with transaction(wake=False):
            note("proof.failed", user=member(), actor=member(), way="password")
        form.password.errors = [_("This is not your password.")]
    keep = {"next": there} if (there := request.args.get("next")) else {}
    return page("credentials/prove.html", status=422 if form.errors else 200, form=form, keep=keep)
