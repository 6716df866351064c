"""What those who write the changelog fill in, and those whom it thanks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytz
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateTimeLocalField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
    widgets,
)
from wtforms.validators import InputRequired, Length

from portal.boards.models import Board
from portal.changelog.models import BODY_MAX, GIVEN, TITLE_MAX, Choice, Kind
from portal.ideas.models import Idea
from portal.text import clean_line, clean_text


def _at_most(letters: int) -> Length:
    return Length(max=letters, message=_l("Use at most %(max)d characters."))


class EntryForm(FlaskForm):
    """An entry; ``seen`` is the version that the person had before their eyes."""

    seen = HiddenField(default="0")
    title = StringField(
        _l("What came out"),
        filters=[clean_line],
        validators=[InputRequired(_l("Say in one line what came out.")), _at_most(TITLE_MAX)],
        widget=widgets.TextArea(),
        render_kw={"maxlength": TITLE_MAX, "rows": 1},
    )
    body = TextAreaField(
        _l("What people can do now, and how"),
        filters=[clean_text],
        validators=[InputRequired(_l("Say what people can do now.")), _at_most(BODY_MAX)],
    )
    kind = RadioField(_l("It is"), default=Kind.NEW.value)
    board = SelectField(_l("Part of the product"))
    ideas = SelectMultipleField(_l("Ideas it began as"), coerce=int)
    others = StringField(_l("Others, by their numbers"), filters=[clean_line], validators=[_at_most(200)])

    @property
    def numbers(self) -> set[int]:
        """The ideas that were chosen, from the list or by their numbers."""
        typed = (number for number in re.findall(r"\d{1,9}", self.others.data or ""))
        return {*(self.ideas.data or ()), *(int(number) for number in typed)}

    def offer(self, boards: Sequence[Board], ideas: Sequence[Idea], whole: bool) -> None:
        """Let people choose among these boards and ideas; ``whole`` when they may write about all of the product."""
        self.kind.choices = [(kind.value, kind.label) for kind in Kind]
        self.board.choices = [("", _("All of it"))] if whole else []
        self.board.choices += [(board.slug, board.name) for board in boards]
        self.ideas.choices = [(idea.id, idea.title) for idea in ideas]


class WhenForm(FlaskForm):
    """A moment in the writer's own time."""

    at = DateTimeLocalField(_l("When"), format="%Y-%m-%dT%H:%M", validators=[InputRequired(_l("Choose day and time."))])

    def __init__(self, zone: str, **options: Any) -> None:
        super().__init__(**options)
        self.zone = zone
        self.moment: datetime | None = None

    def validate_at(self, field: Any) -> None:
        """Take hours that there are; of one that the clock strikes twice, the first."""
        zone = pytz.timezone(self.zone)
        try:
            self.moment = zone.localize(field.data, is_dst=None)
        except pytz.AmbiguousTimeError:
            self.moment = zone.localize(field.data, is_dst=True)
        except pytz.NonExistentTimeError:
            raise ValidationError(_("The clocks skip this hour on that day. Choose another one.")) from None


class PersonForm(FlaskForm):
    """Somebody to thank."""

    who = StringField(_l("Name"), filters=[clean_line], validators=[InputRequired(_l("Say whom you thank."))])
    part = SelectField(_l("What they did"))
    idea = SelectField(_l("For which idea"), coerce=int)

    def offer(self, ideas: Sequence[Idea]) -> None:
        """Let people choose among these ideas."""
        self.part.choices = [(part.value, part.label) for part in GIVEN]
        self.idea.choices = [(idea.id, idea.title) for idea in ideas]


class ChoiceForm(FlaskForm):
    """What to do with one's name."""

    choice = RadioField(_l("Your name in the changelog"))

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.choice.choices = [
            (Choice.ASK.value, _("Ask me each time")),
            (Choice.ALWAYS.value, _("Name me")),
            (Choice.NEVER.value, _("Never name me")),
        ]
