"""Numbers as people type them: a thousand is never taken for one."""

import pytest

from portal.numbers import NotClear, read_number, typed_as

READ = {
    "en": {"1000": 1000, "1,000": 1000, "1,000.5": 1000.5, "12,345,678": 12345678, "0,5": 0.5, "1,50": 1.5,
           "1.125": 1.125,
           " -3 ": -3, "1 000": 1000, "1\u202f000.25": 1000.25, "0,125": 0.125, "+2": 2},
    "de": {"1000": 1000, "1.000": 1000, "1.000,5": 1000.5, "12.345.678": 12345678, "0.5": 0.5, "1.50": 1.5,
           "1,125": 1.125,
           "1\u00a0000": 1000, "0.125": 0.125},
}  # fmt: skip
UNCLEAR = {
    "en": ("", "many", "nan", "inf", "1e3", "1,00,000", "1234,567", "1.000.000", "1.000,5",
           "1,,000", "1,0,5", "٣", "9" * 41),
    "de": ("1,000.5", "1,000,000", "1234.567", "1.00.000", "0x10", "1_000"),
}  # fmt: skip


@pytest.mark.parametrize("language", READ)
def test_numbers_are_read_by_the_signs_of_the_language(language):
    assert {typed: read_number(typed, language) for typed in READ[language]} == READ[language]


@pytest.mark.parametrize("language", UNCLEAR)
def test_what_could_be_two_numbers_or_none_is_refused(language):
    taken = []
    for typed in UNCLEAR[language]:
        try:
            taken.append((typed, read_number(typed, language)))
        except NotClear:
            continue

    assert taken == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_a_field_shows_reads_as_the_same_number(language):
    for number in (0, 0.25, 1.125, 1000, 1234567.5, -0.1, 1_000_000_000):
        assert read_number(typed_as(number, language), language) == number
