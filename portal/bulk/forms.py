"""What is filled in to do one thing with many ideas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from urllib.parse import urlsplit

from flask_babel import get_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal.accounts.models import User
from portal.boards.models import Board
from portal.boards.queries import team_of
from portal.bulk import wishes
from portal.bulk.kinds import MOST_TAGS, SAID, write_details
from portal.db import db, utcnow
from portal.decisions.service import MOST_NEEDED
from portal.ideas.models import TEXT_MAX
from portal.ideas.steps import DetailMissing, MoveDetails, Tell
from portal.ideas.workflow import StatusRule
from portal.teams.queries import list_teams
from portal.text import clean_line, clean_text
from portal.triage import asides, records

MORNING = time(6)
HINTS: dict[str, object] = {
    "tags": _l("Separated by commas, at most ten."),
    "answer": _l("The same words stand on each of the ideas, for everybody to read."),
    "reason": _l("Stays in the history, for everybody to read."),
    "expected": _l("As exact as you can promise: “June”, “this winter”."),
    "link": _l("An address that starts with https:// or http://."),
    "review_on": _l("On this day they come back under review by themselves."),
    **records.HINTS,
}


def _at_most(letters: int) -> Length:
    return Length(max=letters, message=_l("Use at most %(max)d characters."))


def _up_to(number: int) -> NumberRange:
    return NumberRange(1, number, _l("Give a number from 1 to %(max)s."))


class BulkForm(FlaskForm):
    """Everything that an act may need; each kind of act shows a part."""

    owner = SelectField(_l("Owner"), validate_choice=False)
    team = SelectField(_l("Team"), validate_choice=False)
    tags = StringField(_l("Tags"), filters=[clean_line], validators=[_at_most(400)])
    board = SelectField(_l("Board"), validate_choice=False)
    day = DateField(_l("Until"), validators=[Optional()])
    answer = TextAreaField(_l("Official answer"), filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    reason = TextAreaField(_l("Reason"), filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    because = SelectField(_l("Reason from the list"), validate_choice=False, choices=())
    evidence = TextAreaField(_l("What was weighed"), filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    alternative = TextAreaField(_l("What people can do today"), filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    reversal = TextAreaField(_l("What would change our mind"), filters=[clean_text], validators=[_at_most(TEXT_MAX)])
    people = IntegerField(_l("Back when so many people ask again"), validators=[Optional(), _up_to(MOST_NEEDED)])
    organisations = IntegerField(
        _l("Back when so many organisations are behind it"), validators=[Optional(), _up_to(MOST_NEEDED)]
    )
    back_on = DateField(_l("Back on this day"), validators=[Optional()])
    review_on = DateField(_l("Look at them again on"), validators=[Optional()])
    expected = StringField(_l("When to expect it"), filters=[clean_line], validators=[_at_most(60)])
    link = StringField(_l("Link"), filters=[clean_line], validators=[_at_most(500)])

    def validate_link(self, field: Any) -> None:
        """Take addresses of the web only, so that no link runs anything."""
        if field.data and not _is_web_address(field.data):
            raise ValidationError(_("Write the whole address, starting with https:// or http://."))

    def validate_review_on(self, field: Any) -> None:
        """Take days to come only."""
        if field.data and field.data <= utcnow().date():
            raise ValidationError(_("Choose a day in the future."))

    validate_back_on = validate_day = validate_review_on


class TellForm(FlaskForm):
    """The one decision about who hears of an act."""

    tell = RadioField(
        _l("Who hears of it"), choices=[], default=Tell.DIGEST.value, validators=[InputRequired(_l("Choose one."))]
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do with many ideas: which of the form's fields it needs, and what was filled in."""

    name: str
    form: BulkForm
    asks: tuple[str, ...]
    demands: tuple[str, ...] = ()
    goal: StatusRule | None = None

    @property
    def kind(self) -> str:
        """The kind of act."""
        return "move" if self.goal else self.name

    def is_optional(self, field: str) -> bool:
        """Whether the field may stay empty."""
        if field == "because":
            return not records.needs_reason(self.goal.kind if self.goal else None)
        return self.goal is not None and field not in self.demands

    def hint_of(self, field: str) -> str:
        """Return what helps to fill the field in."""
        return str(HINTS.get(field, ""))

    def what(self) -> dict[str, Any] | None:
        """Return what was filled in, as acts keep it; None where a field has to be filled in first."""
        form = self.form
        try:
            return {"target": self.goal.key, "details": write_details(self._details())} if self.goal else self._simple()
        except DetailMissing as missing:
            form[missing.field].errors = [missing.message]
            return None

    def _simple(self) -> dict[str, Any]:
        form, chosen = self.form, self.form[self.asks[0]].data
        if self.name == "owner":
            return {"owner": _number(chosen, form.owner)}
        if self.name == "team":
            return {"team": _number(chosen, form.team)}
        if self.name == "board":
            board = _number(chosen, form.board)
            if board is None:
                raise DetailMissing("board", _("Choose a board."))
            return {"board": board}
        if self.name == "snooze":
            if not chosen:
                raise DetailMissing("day", _("Choose a day."))
            until = datetime.combine(chosen, MORNING, get_timezone())
            if not utcnow() < until <= utcnow() + asides.LONGEST:
                raise DetailMissing("day", _("Choose a day after today, within a year."))
            return {"until": until.isoformat()}
        names = sorted({clean_line(name).lower()[:30] for name in chosen.split(",") if clean_line(name)})
        if not names:
            raise DetailMissing("tags", _("Write at least one tag."))
        if len(names) > MOST_TAGS:
            raise DetailMissing("tags", _("An idea has at most ten tags."))
        return {"tags": names}

    def _details(self) -> MoveDetails:
        form, asks = self.form, self.asks
        owner = _number(form.owner.data, form.owner) if "owner" in asks else None
        said: dict[str, Any] = {name: form[name].data or "" if name in asks else "" for name in SAID}
        details = MoveDetails(
            **said,
            review_on=form.review_on.data if "review_on" in asks else None,
            owner=db.session.get(User, owner) if owner else None,
            record=records.record_of(form, asks, self.goal.kind if self.goal else None),
        )
        for name in self.demands:  # by every way that leads there
            value = getattr(details, name)
            if not (value.strip() if isinstance(value, str) else value):
                if name == "reversal" and details.record.has_condition:
                    continue
                raise DetailMissing(name, _("This has to be filled in."))
        return details


def wish_for(name: str, boards: Sequence[Board]) -> Wish | None:
    """Return the form for one of the wishes, filled with what was posted."""
    form = BulkForm()
    staff = {person.id: person.name for board in boards for person in team_of(board)}
    by_name = sorted(staff.items(), key=lambda person: (person[1].lower(), person[0]))
    form.owner.choices = [("", _("Nobody")), *((str(number), name) for number, name in by_name)]
    form.board.choices = [("", _("Choose a board")), *((str(board.id), board.name) for board in boards)]
    if name in wishes.SIMPLE:
        if name == "team":
            form.team.choices = [("", _("No team")), *((str(team.id), team.name) for team in list_teams())]
        return Wish(name, form, (wishes.SIMPLE[name],))
    goal = next((goal for goal in wishes.goals() if wishes.MOVE + goal.key == name), None)
    if goal is None:
        return None
    ways = wishes.ways_to(goal)
    asked = dict.fromkeys(field for move in ways for field in records.fields_of(move))
    asks = tuple(field for field in BulkForm()._fields if field in asked)
    if "because" in asks:
        form.because.choices = records.choices_for(goal.kind)
    if "owner" in asks:
        form.owner.choices[0] = ("", _("Choose somebody"))
    common = set.intersection(*(set(move.demands) for move in ways))
    return Wish(name, form, asks, tuple(field for field in asks if field in common), goal)


def _number(chosen: Any, field: SelectField) -> int | None:
    """Return the number that was chosen among those that were offered."""
    text = str(chosen or "")
    if text and text not in [str(value) for value, _label, *_more in field.iter_choices()]:
        raise DetailMissing(field.name, _("Choose one of these."))
    return int(text) if text else None


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(c.isspace() for c in text)
