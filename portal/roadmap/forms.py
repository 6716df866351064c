"""What those who plan fill in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length, Optional

from portal.db import utcnow
from portal.ideas.models import TEXT_MAX
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import ANSWER_LABELS, Move, Status
from portal.roadmap.models import ABOUT_MAX, EXPECTED_MAX, NAME_MAX, Horizon, Theme
from portal.text import clean_line, clean_text

OFF = "off"
STAY_OR_MOVE = (("stay", ""), ("move", ""))
FIELDS = ("answer", "review_on", "reversal")
"""What a move of the roadmap can ask for, beside the expected date."""


def _at_most(letters: int) -> Length:
    return Length(max=letters, message=_l("Use at most %(max)d characters."))


class PlaceForm(FlaskForm):
    """Where an idea is meant to stand; ``seen`` is where it stood when the person looked."""

    seen = HiddenField()
    theme = SelectField(_l("Theme"))
    horizon = RadioField(_l("When"), validators=[InputRequired(_l("Choose when."))])
    expected = StringField(_l("When to expect it"), filters=[clean_line], validators=[_at_most(EXPECTED_MAX)])

    def offer(self, themes: Sequence[Theme]) -> None:
        """Let people choose among these themes."""
        self.theme.choices = [("", _("No theme")), *((str(theme.id), theme.name) for theme in themes)]
        self.horizon.choices = [(each.value, each.label) for each in Horizon] + [(OFF, _("Not on the roadmap"))]


class StatusForm(FlaskForm):
    """Whether an idea that goes to another column also changes its status, and what is said to everybody then."""

    also = RadioField(validators=[Optional()])
    answer = TextAreaField(filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    reversal = TextAreaField(_l("What would change our mind"), filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    review_on = DateField(_l("Look at it again on"), validators=[Optional()])

    def validate_review_on(self, field: Any) -> None:
        """Take days to come only."""
        if field.data and field.data <= utcnow().date():
            raise ValidationError(_("Choose a day in the future."))


@dataclass(frozen=True, slots=True)
class Offer:
    """The change of status that belongs to one column, with the form for what has to be said."""

    move: Move
    form: StatusForm

    @property
    def name(self) -> str:
        """What its fields' names begin with."""
        return self.move.target.value

    @property
    def asks(self) -> tuple[str, ...]:
        """The fields it shows."""
        return tuple(field for field in FIELDS if field in self.move.asks)

    @property
    def answer_label(self) -> str:
        """What its answer is called."""
        return str(ANSWER_LABELS[self.move.target])

    @property
    def tomorrow(self) -> str:
        """The first day that may be chosen."""
        return (utcnow().date() + timedelta(days=1)).isoformat()

    @property
    def is_wanted(self) -> bool:
        """Whether the status is to change."""
        return bool(self.form.also.data == "move")

    def say(self, before: Status, told: int) -> None:
        """Put the question in words: what each answer changes, and how many people hear of it."""
        target = self.move.goal.label
        moved = ngettext(
            "Move it to %(status)s too. %(num)d person hears of it.",
            "Move it to %(status)s too. %(num)d people hear of it.",
            told,
            status=target,
        )
        stays = _("Leave it at %(status)s. It is only placed here, and nobody is told.", status=before.label)
        self.form.also.choices = [("stay", stays), ("move", moved)]

    def details(self, expected: str) -> MoveDetails:
        """Return what was said, of the fields that are shown."""
        form = self.form
        return MoveDetails(
            answer=form.answer.data or "" if "answer" in self.asks else "",
            reversal=form.reversal.data or "" if "reversal" in self.asks else "",
            review_on=form.review_on.data if "review_on" in self.asks else None,
            expected=expected,
        )


class ThemeForm(FlaskForm):
    """A theme in words."""

    name = StringField(
        _l("Theme"),
        filters=[clean_line],
        validators=[InputRequired(_l("Give the theme a name.")), _at_most(NAME_MAX)],
        render_kw={"maxlength": NAME_MAX},
    )
    about = StringField(_l("What it is about"), filters=[clean_line], validators=[_at_most(ABOUT_MAX)])
