"""Moments in words: relative for a week, then a date. How a language orders a date is one of its messages."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from babel import Locale
from flask_babel import format_date, format_datetime, format_time, format_timedelta, get_locale, get_timezone
from flask_babel import gettext as _

from portal.db import utcnow

KEPT = 2_000  # days and moments in words; writing one takes longer than all else of a line


def reltime(moment: datetime | date | None) -> str:
    """Return ``3 hours ago``, ``in 2 days`` within a week, else a date; the year only when it is another one."""
    if moment is None:
        return ""
    if not isinstance(moment, datetime):
        return day(moment)
    distance = moment - utcnow()
    if abs(distance) < timedelta(minutes=1):
        return _("just now")
    if abs(distance) < timedelta(days=7):
        return format_timedelta(distance, granularity="minute", add_direction=True, threshold=1.2)
    return day(moment)


def day(moment: datetime | date | None) -> str:
    """Return ``3 March`` or, in another year, ``3 March 2025``."""
    if moment is None:
        return ""
    zone = get_timezone()
    local = moment.astimezone(zone).date() if isinstance(moment, datetime) else moment
    return _day(local, utcnow().astimezone(zone).year == local.year, get_locale())


def absolute(moment: datetime | date | None) -> str:
    """Return the full date, with the time of day and zone where there is one."""
    if moment is None:
        return ""
    if isinstance(moment, datetime):
        return _moment(moment, get_locale(), get_timezone())
    return _day(moment, False, get_locale())


def clock(moment: datetime) -> str:
    """Return the time of day."""
    return format_time(moment, "HH:mm")


@lru_cache(maxsize=KEPT)
def _day(day: date, this_year: bool, _locale: Locale | None) -> str:
    return format_date(day, _("d MMMM") if this_year else _("d MMMM y"))


@lru_cache(maxsize=KEPT)
def _moment(moment: datetime, _locale: Locale | None, _zone: tzinfo | None) -> str:
    return format_datetime(moment, _("d MMMM y, HH:mm z"))
