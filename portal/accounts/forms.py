"""What people fill in to open, use and change an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    FileField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length, StopValidation, ValidationError

from portal import zones
from portal.accounts import service
from portal.accounts.passwords import LONGEST, check_strength
from portal.accounts.service import NAME_MAX
from portal.errors import Refusal
from portal.text import clean_line
from portal.web.appearance import THEMES, language_choices

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
        """Take what can be an address, and one only; whether there is an account to it is not looked up."""
        if len(request.form.getlist(field.name)) > 1:
            abort(400)
        _say(service.normal_email, field.data)
        field.data = service.normal_email(field.data)

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
    """How the pages look and speak, what reaches a member, and which keys work."""

    theme = RadioField(_l("Light or dark"), choices=THEMES)
    language = RadioField(_l("Language"))
    timezone = SelectField(_l("Time zone"))
    wants_mail = BooleanField(_l("Send me mail"))
    shortcuts_on = BooleanField(_l("Single keys do things"))

    def __init__(self, languages: dict[str, str], portal_zone: str, **options: Any) -> None:
        super().__init__(**options)
        self.language.choices = language_choices(languages)
        self.timezone.choices = [
            SelectChoice("", _("The portal's: %(zone)s", zone=portal_zone.replace("_", " "))),
            *(
                SelectChoice(name, shown, optgroup=region or _("Everywhere"))
                for region, places in zones.by_region().items()
                for name, shown in places
            ),
        ]


class PictureForm(FlaskForm):
    """Choosing a picture."""

    picture = FileField(_l("Picture"))
