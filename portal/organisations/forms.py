"""What is filled in about organisations, segments, and votes for others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from portal.accounts.roles import Role
from portal.ideas.models import NOTE_MAX
from portal.organisations.models import NAME_MAX, Organisation
from portal.organisations.segments import Rule
from portal.text import clean_line


def _at_most(letters: int) -> Length:
    return Length(max=letters, message=_l("Use at most %(max)d characters."))


def _name(label: Any, missing: Any) -> StringField:
    return StringField(
        label,
        filters=[clean_line],
        validators=[InputRequired(missing), _at_most(NAME_MAX)],
        render_kw={"maxlength": NAME_MAX},
    )


class OrganisationForm(FlaskForm):
    """An organisation."""

    name = _name(_l("Name of the organisation"), _l("Give the organisation a name."))
    domains = TextAreaField(_l("Mail domains"), validators=[_at_most(2000)], render_kw={"rows": 2})
    note = StringField(_l("Note"), filters=[clean_line], validators=[_at_most(NOTE_MAX)])


class PersonForm(FlaskForm):
    """Who is added by hand."""

    who = StringField(
        _l("Name or mail address"),
        filters=[clean_line],
        validators=[InputRequired(_l("Say who.")), _at_most(254)],
        render_kw={"maxlength": 254},
    )


class SegmentForm(FlaskForm):
    """A segment and its rule."""

    name = _name(_l("Name of the segment"), _l("Give the segment a name."))
    organisations = SelectMultipleField(_l("Of one of these organisations"), coerce=int, choices=[])
    belongs = SelectField(
        _l("Organisation"),
        choices=[
            SelectChoice("", _l("Does not matter")),
            SelectChoice("yes", _l("Belongs to one")),
            SelectChoice("no", _l("Belongs to none")),
        ],
        validate_choice=False,
    )
    joined_from = DateField(_l("Here since this day, or later"), validators=[Optional()])
    joined_until = DateField(_l("Here since this day, or earlier"), validators=[Optional()])
    language = StringField(_l("Language of their pages"), filters=[clean_line], validators=[_at_most(10)])
    role = SelectField(_l("Role"), choices=[], validate_choice=False)

    def offer(self, organisations: Sequence[Organisation]) -> SegmentForm:
        """Fill in what can be chosen."""
        self.organisations.choices = [SelectChoice(one.id, one.name) for one in organisations]
        self.role.choices = [
            SelectChoice("", _l("Does not matter")),
            *(SelectChoice(role.value, role.label) for role in Role),
        ]
        return self

    def show(self, rule: Rule) -> None:
        """Fill in a rule."""
        self.organisations.data, self.belongs.data = list(rule.organisations), rule.belongs
        self.joined_from.data, self.joined_until.data = rule.joined_from, rule.joined_until
        self.language.data, self.role.data = rule.language, rule.role

    def rule(self) -> Rule:
        """Return the rule that was filled in."""
        typed = Rule(
            organisations=tuple(self.organisations.data or ()),
            belongs=self.belongs.data or "",
            joined_from=self.joined_from.data,
            joined_until=self.joined_until.data,
            language=self.language.data or "",
            role=self.role.data or "",
        )
        return Rule.read(typed.kept())  # what nobody offered is not there


class BehalfForm(FlaskForm):
    """A vote for somebody who asked elsewhere."""

    kind = SelectField(
        _l("For whom"),
        choices=[
            SelectChoice("member", _l("Somebody with an account")),
            SelectChoice("named", _l("Somebody without an account, by name")),
            SelectChoice("organisation", _l("An organisation, without naming anybody")),
        ],
    )
    who = StringField(_l("Name, or address of their account"), filters=[clean_line], validators=[_at_most(254)])
    organisation = SelectField(_l("Organisation"), choices=[], validate_choice=False)
    note = StringField(
        _l("How you know"),
        filters=[clean_line],
        validators=[InputRequired(_l("Say how you know: where and when they asked for it.")), _at_most(NOTE_MAX)],
        render_kw={"maxlength": NOTE_MAX},
    )

    def offer(self, organisations: Sequence[Organisation]) -> BehalfForm:
        """Fill in what can be chosen."""
        self.organisation.choices = [
            SelectChoice("", _l("None")),
            *(SelectChoice(str(one.id), one.name) for one in organisations),
        ]
        return self
