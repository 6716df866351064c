"""What admins fill in about boards."""

from __future__ import annotations

import re

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import Length, NumberRange

from portal.accounts.roles import BOARD_ROLES, LABELS, Role
from portal.boards.models import Audience
from portal.boards.service import DESCRIPTION_MAX, NAME_MAX, QUESTION_MAX, SLUG_MAX, BoardDetails
from portal.text import clean_line

AUDIENCES = {
    Audience.PUBLIC: _l("Everybody, also visitors"),
    Audience.MEMBERS: _l("Everybody with an account"),
    Audience.PRIVATE: _l("The people on this board's list, and admins"),
    Audience.STAFF: _l("The team only"),
}
_ADDRESS = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def _at_most(letters: int) -> Length:
    return Length(max=letters, message=_l("Use at most %(max)d characters."))


class BoardForm(FlaskForm):
    """A board as it is to be."""

    name = StringField(_l("Name"), filters=[clean_line], validators=[_at_most(NAME_MAX)])
    slug = StringField(_l("Address"), filters=[clean_line], validators=[_at_most(SLUG_MAX)])
    question = StringField(_l("Question over the box"), filters=[clean_line], validators=[_at_most(QUESTION_MAX)])
    description = TextAreaField(
        _l("What belongs here"), filters=[clean_line], validators=[_at_most(DESCRIPTION_MAX)], render_kw={"rows": 2}
    )
    audience = RadioField(
        _l("Who may know of it"),
        choices=[SelectChoice(kind.value, label) for kind, label in AUDIENCES.items()],
        default="public",
    )
    one_way = BooleanField(_l("Members see only their own ideas here"))
    team = StringField(_l("Team"), filters=[clean_line], validators=[_at_most(60)])
    position = IntegerField(
        _l("Place in the list"),
        default=0,
        validators=[NumberRange(-1000, 1000, _l("Write a number between -1000 and 1000."))],
    )
    sure = HiddenField()  # what narrowing means was read: the audience and the way it was read for

    def validate_name(self, field: StringField) -> None:
        """Ask for a name."""
        if len(field.data) < 2:
            raise ValidationError(_("Give the board a name of at least two letters."))

    def validate_slug(self, field: StringField) -> None:
        """Take addresses that need no explaining."""
        if field.data and not _ADDRESS.fullmatch(field.data):
            raise ValidationError(_("Use small letters, digits and hyphens: product-ideas."))

    def details(self) -> BoardDetails:
        """Return what was filled in."""
        return BoardDetails(
            name=self.name.data,
            slug=self.slug.data,
            question=self.question.data,
            description=self.description.data,
            audience=Audience(self.audience.data),
            one_way=self.one_way.data,
            team=self.team.data or None,
            position=self.position.data or 0,
        )


class PlaceForm(FlaskForm):
    """Somebody for a board's list."""

    who = StringField(_l("Name or mail address"), filters=[clean_line], validators=[_at_most(254)])
    role = SelectField(
        _l("What they are here"), choices=[SelectChoice(role.value, LABELS[role]) for role in BOARD_ROLES]
    )

    def validate_who(self, field: StringField) -> None:
        """Ask for somebody."""
        if not field.data:
            raise ValidationError(_("Write the name or the address of somebody who has an account."))

    @property
    def rank(self) -> Role:
        """The role that was chosen."""
        return Role(self.role.data)
