"""What people fill in when they say whether it helped, and admins when they decide about it."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import IntegerField, RadioField, SelectChoice, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from portal.text import clean_text
from portal.verdicts.models import LABELS, WORDS_MAX
from portal.verdicts.rules import Rules


class VerdictForm(FlaskForm):
    """One of three answers, and why."""

    says = RadioField(
        _l("Does it solve your need?"),
        choices=[SelectChoice(each.value, label) for each, label in LABELS.items()],
        validators=[DataRequired(_l("Choose one of the three."))],
    )
    words = TextAreaField(
        _l("Why?"),
        filters=[clean_text],
        validators=[Length(max=WORDS_MAX, message=_l("Use at most %(max)d characters."))],
        render_kw={"maxlength": WORDS_MAX, "rows": 3},
    )


def _number(label: object, least: int, most: int) -> IntegerField:
    between = _l("Give a whole number from %(min)d to %(max)d.", min=least, max=most)
    return IntegerField(label, validators=[InputRequired(between), NumberRange(least, most, between)])


class RulesForm(FlaskForm):
    """When people are asked, and what their answers decide."""

    after_shipping = _number(_l("Days after it shipped"), 1, 365)
    after_available = _number(_l("Days after we said it is already available"), 1, 365)
    open_for = _number(_l("Days in which people can answer"), 7, 365)
    least = _number(_l("Answers needed for a decision"), 1, 1000)
    confirms = _number(_l("Percent of yes that confirm it"), 50, 100)
    reopens = _number(_l("Percent of no that reopen it"), 1, 100)

    def rules(self) -> Rules:
        """Return what was filled in."""
        return Rules(**{field.short_name: field.data for field in self if isinstance(field, IntegerField)})
