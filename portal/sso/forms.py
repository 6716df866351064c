"""What people fill in who come by another service's word, and admins who set that up."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, Field, HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError

from portal.accounts import service
from portal.errors import Refusal
from portal.text import clean_line

NAME_MAX, ISSUER_MAX = 60, 300


def _clean(text: str | None) -> str:
    return clean_line(text)


def _accepts(check: Callable[[str], object]) -> Callable[[FlaskForm, Field], None]:
    def validate(_form: FlaskForm, field: Field) -> None:
        try:
            check(field.data or "")
        except Refusal as refusal:
            raise ValidationError(refusal.message) from None

    return validate


class NewcomerForm(FlaskForm):
    """A name to be shown, and agreement to the rules that were shown with the form."""

    version = HiddenField()
    name = StringField(
        _l("Display name"),
        [
            InputRequired(_l("Choose a display name")),
            Length(max=service.NAME_MAX),
            _accepts(service.check_name_is_readable),
        ],
        filters=[_clean],
    )
    agreed = BooleanField(
        _l("I have read the community rules"), [InputRequired(_l("Read the community rules and tick the box"))]
    )


class NewcomerWithAddressForm(NewcomerForm):
    """The same, by somebody whose provider told no address."""

    email = EmailField(
        _l("E-mail address"),
        [InputRequired(_l("Give your e-mail address")), Length(max=254), _accepts(service.usable_address)],
        filters=[_clean],
    )


class AddProviderForm(FlaskForm):
    """A provider to be: what it is called, and under which name it speaks."""

    name = StringField(_l("Name"), [DataRequired(_l("Enter a name")), Length(max=NAME_MAX)], filters=[_clean])
    issuer = StringField(_l("Issuer"), [DataRequired(_l("Enter the issuer")), Length(max=ISSUER_MAX)], filters=[_clean])


class HandOverForm(AddProviderForm):
    """A product that hands its people over."""

    admits = BooleanField(_l("Its people may join without an invitation or approval"))


class OpenIDForm(HandOverForm):
    """An OpenID provider."""

    client_id = StringField(_l("Client id"), [Length(max=300)], filters=[_clean])
    secret = PasswordField(_l("Client secret"), [Optional(), Length(max=1000)])
