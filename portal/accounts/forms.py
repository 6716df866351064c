"""What people fill in to open, use and change an account."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length, StopValidation

from portal.accounts.passwords import LONGEST
from portal.accounts.service import NAME_MAX
from portal.text import clean_line

EMAIL_MAX = 254


def _clean(text: str | None) -> str:
    return clean_line(text)


def _whole(form: FlaskForm, field: PasswordField) -> None:
    """Refuse a password that is too long before any work is done on it; never cut it."""
    if len(field.data or "") > LONGEST:
        raise StopValidation(_l("Use at most %(count)d characters.", count=LONGEST))


class RulesForm(FlaskForm):  # type: ignore[misc]
    """Agreeing to the rules in the version that was shown."""

    version = HiddenField()
    agreed = BooleanField(
        _l("I have read the community rules"), [InputRequired(_l("Read the community rules and tick the box"))]
    )


class SignUpForm(RulesForm):
    """Opening an account."""

    email = EmailField(
        _l("E-mail address"), [InputRequired(_l("Give your e-mail address")), Length(max=EMAIL_MAX)], filters=[_clean]
    )
    name = StringField(
        _l("Display name"), [InputRequired(_l("Choose a display name")), Length(max=NAME_MAX)], filters=[_clean]
    )
    password = PasswordField(_l("Password"), [InputRequired(_l("Choose a password")), _whole])


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Signing in."""

    email = EmailField(_l("E-mail address"), [InputRequired(_l("Give your e-mail address"))], filters=[_clean])
    password = PasswordField(_l("Password"), [InputRequired(_l("Give your password"))])
    remember = BooleanField(_l("Remember me on this device"))


class NameForm(FlaskForm):  # type: ignore[misc]
    """Showing another name."""

    name = StringField(
        _l("Display name"), [InputRequired(_l("Choose a display name")), Length(max=NAME_MAX)], filters=[_clean]
    )


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """Choosing another password."""

    old = PasswordField(_l("Present password"), [InputRequired(_l("Give your present password")), _whole])
    new = PasswordField(_l("New password"), [InputRequired(_l("Choose a new password")), _whole])


class PreferencesForm(FlaskForm):  # type: ignore[misc]
    """What reaches a member, and which keys work."""

    wants_mail = BooleanField(_l("Send me mail"))
    shortcuts_on = BooleanField(_l("Single keys do things"))
