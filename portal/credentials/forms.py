"""What people fill in to get in by mail."""

from __future__ import annotations

from flask import abort, request
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length, StopValidation, ValidationError

from portal.accounts import service as accounts
from portal.accounts.passwords import LONGEST
from portal.accounts.service import NAME_MAX
from portal.errors import Refusal
from portal.text import clean_line

EMAIL_MAX = 254


def _clean(text: str | None) -> str:
    return clean_line(text)


def _whole(form: FlaskForm, field: PasswordField) -> None:
    """Refuse a password that is too long before any work is done on it; never cut it."""
    if len(field.data or "") > LONGEST:
        raise StopValidation(_l("Use at most %(count)d characters.", count=LONGEST))


class AddressForm(FlaskForm):
    """The one address that a mail is asked for."""

    email = EmailField(
        _l("E-mail address"), [InputRequired(_l("Give your e-mail address")), Length(max=EMAIL_MAX)], filters=[_clean]
    )

    def validate_email(self, field: EmailField) -> None:
        """Take what can be an address, and one only."""
        if len(request.form.getlist(field.name)) > 1:
            abort(400)
        try:
            field.data = accounts.normal_email(field.data)
        except Refusal as refusal:
            raise ValidationError(refusal.message) from None


class CodeForm(FlaskForm):
    """The six digits of a mail."""

    code = StringField(_l("Code from the mail"), [InputRequired(_l("Type the six digits of the mail")), Length(max=20)])


class OpenAccountForm(FlaskForm):
    """What the button opens an account with, where it takes more than the press: asked for only if it is needed."""

    name = StringField(_l("Display name"), [Length(max=NAME_MAX)], filters=[_clean])
    password = PasswordField(_l("Password"), [_whole])
    version = HiddenField()
    agreed = BooleanField(_l("I have read the community rules"))


class NewPasswordForm(FlaskForm):
    """Choosing a password by a mailed link."""

    password = PasswordField(_l("New password"), [InputRequired(_l("Choose a new password")), _whole])
