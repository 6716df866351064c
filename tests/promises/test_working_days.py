"""Days by which a word is owed: over zones, changes of the clocks, weekends and holidays."""

from datetime import UTC, date, datetime, timedelta

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from portal.working_days import Calendar

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Beirut",
    "America/Santiago",
    "Africa/Cairo",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/Asuncion",
]
SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("calendar", "since", "days", "due"),
    [
        # a Friday, ten days later: a Monday, held until midnight where the team is
        (Calendar(), "2026-03-06 09:00", 10, "2026-03-16 23:59:59"),
        # the tenth day is a Saturday, so it is the Monday after
        (Calendar(), "2026-03-04 09:00", 10, "2026-03-16 23:59:59"),
        # ten working days
        (Calendar(skips=True), "2026-03-04 09:00", 10, "2026-03-18 23:59:59"),
        # posted on a Saturday, one working day: Monday; none: Monday as well
        (Calendar(skips=True), "2026-03-07 09:00", 1, "2026-03-09 23:59:59"),
        (Calendar(skips=True), "2026-03-07 09:00", 0, "2026-03-09 23:59:59"),
        # Berlin: summer time begins on 29 March 2026, so midnight is an hour earlier in UTC
        (Calendar("Europe/Berlin"), "2026-03-27 12:00", 3, "2026-03-30 21:59:59"),
        (Calendar("Europe/Berlin"), "2026-03-24 12:00", 3, "2026-03-27 22:59:59"),
        # late in the evening in UTC it is the next day already in Tokyo, and still the day before in New York
        (Calendar("Asia/Tokyo"), "2026-03-04 20:00", 1, "2026-03-06 14:59:59"),
        (Calendar("America/New_York"), "2026-03-04 02:00", 1, "2026-03-05 04:59:59"),
        # a weekend on Friday and Saturday
        (Calendar("Africa/Cairo", weekend=frozenset({4, 5})), "2026-03-05 09:00", 1, "2026-03-08 21:59:59"),
        # Christmas is free every year, a bridge day once; the 26th is a Saturday
        (
            Calendar("Europe/Berlin", holidays=frozenset({date(2026, 12, 24)}), yearly=frozenset({(12, 25)})),
            "2026-12-21 09:00",
            3,
            "2026-12-28 22:59:59",
        ),
        # nobody ever works: the day itself rather than none
        (Calendar(weekend=frozenset(range(7))), "2026-03-04 09:00", 2, "2026-03-06 23:59:59"),
    ],
)
def test_a_promise_holds_until_the_end_of_a_working_day(calendar, since, days, due):
    assert calendar.due(at(since), days) == at(due)


def test_a_day_begins_once_where_midnight_is_skipped_or_comes_twice():
    havana, cairo, apia = Calendar("America/Havana"), Calendar("Africa/Cairo"), Calendar("Pacific/Apia")

    # on 10 March 2024 the clocks in Havana went from 00:00 to 01:00, and on 3 November from 01:00 to 00:00
    assert havana.start_of(date(2024, 3, 10)) == at("2024-03-10 05:00")
    assert havana.start_of(date(2024, 11, 3)) == at("2024-11-03 04:00")
    assert havana.end_of(date(2024, 11, 3)) == at("2024-11-04 04:59:59")
    # in Cairo there was no midnight on 26 April 2024
    assert cairo.end_of(date(2024, 4, 25)) == at("2024-04-25 21:59:59")
    assert cairo.today(cairo.start_of(date(2024, 4, 26))) == date(2024, 4, 26)
    # Samoa went without 30 December 2011
    assert apia.today(apia.end_of(date(2011, 12, 29))) == date(2011, 12, 29)
    assert apia.today(apia.end_of(date(2011, 12, 29)) + SECOND) == date(2011, 12, 31)


@given(
    zone=st.sampled_from(ZONES),
    since=st.datetimes(datetime(2012, 1, 2), datetime(2036, 1, 1), timezones=st.just(UTC)),
    days=st.integers(0, 90),
    weekend=st.frozensets(st.integers(0, 6), max_size=6),
    free=st.frozensets(st.integers(0, 60), max_size=20),
    skips=st.booleans(),
)
def test_the_day_is_worked_is_the_first_that_will_do_and_is_held_to_its_last_second(
    zone, since, days, weekend, free, skips
):
    begun = since.astimezone(pytz.timezone(zone)).date()
    holidays = frozenset(begun + timedelta(days=number) for number in free)
    calendar = Calendar(zone, weekend, holidays, skips=skips)

    due = calendar.due(since, days)

    day = calendar.today(due)
    between = [begun + timedelta(days=number) for number in range(1, (day - begun).days + 1)]
    assert due >= since
    assert calendar.is_worked(day)
    assert calendar.today(due + SECOND) == day + timedelta(days=1)
    if skips and days:
        assert sum(calendar.is_worked(each) for each in between) == days
    elif not skips:
        assert day >= begun + timedelta(days=days)
        assert not any(calendar.is_worked(each) for each in between[max(days - 1, 0) : -1] if each != begun)
