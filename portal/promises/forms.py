"""What admins fill in about working days and clocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, NumberRange
from wtforms.validators import Optional as MayBeEmpty

from portal import zones
from portal.boards.calendars import Holiday, Settings
from portal.ideas.workflow import StatusRule
from portal.text import clean_line, clean_text

WEEKDAYS = (
    _l("Monday"),
    _l("Tuesday"),
    _l("Wednesday"),
    _l("Thursday"),
    _l("Friday"),
    _l("Saturday"),
    _l("Sunday"),
)
MOST_HOLIDAYS, MOST_DAYS, LONGEST = 400, 366, 20_000
_HOLIDAY = re.compile(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})(?:\s+(.*))?")


class DaysForm(FlaskForm):
    """The working days of a board or of the portal; for a board, the clocks are added of each status that has one."""

    as_portal = BooleanField(_l("The same working days as the portal"))
    zone = SelectField(_l("Time zone"))
    weekend = SelectMultipleField(
        _l("Days off in every week"),
        coerce=int,
        choices=[SelectChoice(number, name) for number, name in enumerate(WEEKDAYS)],
    )
    holidays = TextAreaField(_l("Holidays"), filters=[clean_text], render_kw={"rows": 8})
    skips = RadioField(
        _l("How days are counted"),
        choices=[
            SelectChoice("", _l("Every day counts; what would end on a day off ends on the next working day")),
            SelectChoice("1", _l("Only working days count")),
        ],
        default="",
    )
    clocks: ClassVar[Sequence[str]] = ()
    usual: ClassVar[Mapping[str, int]] = {}

    @classmethod
    def about(cls, rules: Iterable[StatusRule], portal_zone: str, settings: Settings, *, blank: bool) -> DaysForm:
        """Return the form with a number of days for each of these statuses, holding what was decided."""
        owing = [rule for rule in rules if rule.next_word_within is not None]
        range_of_days = NumberRange(1, MOST_DAYS, _l("Write a number of days from 1 to 366."))
        fields = {
            f"clock_{rule.key}": IntegerField(str(rule.label), validators=[MayBeEmpty(), range_of_days])
            for rule in owing
        }
        usual = {rule.key: rule.next_word_within.days for rule in owing if rule.next_word_within}
        kind: Any = type("DaysForm", (cls,), {**fields, "clocks": list(usual), "usual": usual})
        held = {
            "as_portal": settings.as_portal,
            "zone": settings.zone,
            "weekend": list(settings.weekend),
            "holidays": "\n".join(_written(holiday) for holiday in settings.holidays),
            "skips": "1" if settings.skips else "",
            **{f"clock_{key}": days for key, days in settings.clocks.items()},
        }
        form: DaysForm = kind(formdata=None, data=held) if blank else kind(data=held)
        form.zone.choices = [
            SelectChoice("", _("The portal's: %(zone)s", zone=portal_zone.replace("_", " "))),
            *(
                SelectChoice(name, shown, optgroup=region or _("Everywhere"))
                for region, places in zones.by_region().items()
                for name, shown in places
            ),
        ]
        return form

    def validate_weekend(self, field: SelectMultipleField) -> None:
        """Leave a day on which somebody is there."""
        if len(set(field.data or ())) == len(WEEKDAYS):
            raise ValidationError(_("Leave at least one day on which somebody works."))

    def validate_holidays(self, field: TextAreaField) -> None:
        """Take one day in each line."""
        if len(field.data or "") > LONGEST:
            raise ValidationError(_("This is too long."))
        self.read_holidays()

    def read_holidays(self) -> tuple[Holiday, ...]:
        """Return the holidays that were written; refuse a line that is none, and name it."""
        lines = [line.strip() for line in (self.holidays.data or "").splitlines() if line.strip()]
        if len(lines) > MOST_HOLIDAYS:
            raise ValidationError(_("At most %(max)d holidays fit.", max=MOST_HOLIDAYS))
        return tuple(_holiday(line) for line in lines)

    def settings(self) -> Settings:
        """Return what was filled in."""
        clocks = {key: self[f"clock_{key}"].data for key in self.clocks}
        return Settings(
            zone=self.zone.data or "",
            weekend=tuple(sorted(set(self.weekend.data or ()))),
            holidays=self.read_holidays(),
            skips=bool(self.skips.data),
            clocks={key: days for key, days in clocks.items() if days},
            as_portal=bool(self.as_portal.data),
        )


class RaisingForm(FlaskForm):
    """When late promises are in the managers' mail."""

    days = IntegerField(
        _l("Days late until managers get it by mail"),
        validators=[
            InputRequired(_l("Write a number of days from 0 to 60.")),
            NumberRange(0, 60, _l("Write a number of days from 0 to 60.")),
        ],
    )


def _holiday(line: str) -> Holiday:
    found = _HOLIDAY.fullmatch(line)
    try:
        if found is None:
            raise ValueError
        year, month, day = int(found[1]) if found[1] else None, int(found[2]), int(found[3])
        date(year or 2024, month, day)  # a leap year, so that 29 February may be free each time there is one
    except ValueError:
        text = line[:40]
        raise ValidationError(
            _("“%(line)s” is no day. Write 2026-12-24 or, for every year, 12-25.", line=text)
        ) from None
    return Holiday(month, day, year, clean_line(found[4] or "")[:60])


def _written(holiday: Holiday) -> str:
    year = f"{holiday.year:04}-" if holiday.year else ""
    return f"{year}{holiday.month:02}-{holiday.day:02} {holiday.name}".rstrip()
