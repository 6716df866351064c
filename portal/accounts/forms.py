"""What people fill in to open, use and change an account."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length, StopValidation, ValidationError

from portal.accounts import service
from portal.accounts.passwords import LONGEST, check_strength
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


def _agreement() -> BooleanField:
    return BooleanField(
        _l("I have read the community rules"), [InputRequired(_l("Read the community rules and tick the box"))]
    )


class RulesForm(FlaskForm):
    """Agreeing to the rules in the version that was shown."""

    version = HiddenField()
    agreed = _agreement()


class SignUpForm(RulesForm):
    """Opening an account."""

    email = EmailField(
        _l("E-mail address"), [InputRequired(_l("Give your e-mail address")), Length(max=EMAIL_MAX)], filters=[_clean]
    )
    name = StringField(
        _l("Display name"), [InputRequired(_l("Choose a display name")), Length(max=NAME_MAX)], filters=[_clean]
    )
    password = PasswordField(_l("Password"), [InputRequired(_l("Choose a password")), _whole])
    agreed = _agreement()  # once more, to come last

    def validate_email(self, field: EmailField) -> None:
        """Say at once what can be said without knowing who has an account."""
        _say(service.usable_address, field.data)

    def validate_name(self, field: StringField) -> None:
        """Say at once what can be said without knowing who has this name."""
        _say(service.check_name_is_readable, field.data)

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what others would guess."""
        _say(check_strength, field.data, name=self.name.data or "", email=self.email.data or "")


def _say(check: Callable[..., object], *values: object, **more: object) -> None:
    try:
        check(*values, **more)
    except Refusal as refusal:
        raise ValidationError(refusal.message) from None


class SignInForm(FlaskForm):
    """Signing in."""

    email = EmailField(_l("E-mail address"), [InputRequired(_l("Give your e-mail address"))], filters=[_clean])
    password = PasswordField(_l("Password"), [InputRequired(_l("Give your password"))])
    remember = BooleanField(_l("Remember me on this device"))


class NameForm(FlaskForm):
    """Showing another name."""

    name = StringField(
        _l("Display name"), [InputRequired(_l("Choose a display name")), Length(max=NAME_MAX)], filters=[_clean]
    )


class PasswordForm(FlaskForm):
    """Choosing another password."""

    old = PasswordField(_l("Present password"), [InputRequired(_l("Give your present password")), _whole])
    new = PasswordField(_l("New password"), [InputRequired(_l("Choose a new password")), _whole])


class PreferencesForm(FlaskForm):
    """What reaches a member, and which keys work."""

    wants_mail = BooleanField(_l("Send me mail"))
    shortcuts_on = BooleanField(_l("Single keys do things"))
