"""Which words name a day, and which are too vague for a calendar."""

from datetime import date

import pytest

from portal.feeds.expecting import day_of

NOW = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("June", date(2027, 6, 30)),
        ("november", date(2026, 11, 30)),
        ("June 2026", date(2026, 6, 30)),
        ("by Feb 2028", date(2028, 2, 29)),
        ("end of March 2027.", date(2027, 3, 31)),
        ("3 May", date(2027, 5, 3)),
        ("May 3, 2027", date(2027, 5, 3)),
        ("3. Mai 2027", date(2027, 5, 3)),
        ("Ende Dezember", date(2026, 12, 31)),
        ("im Jän.", None),
        ("Q4", date(2026, 12, 31)),
        ("Q3 2027", date(2027, 9, 30)),
        ("2027/Q1", date(2027, 3, 31)),
        ("2027-02", date(2027, 2, 28)),
        ("2027-02-03", date(2027, 2, 3)),
        ("2027", date(2027, 12, 31)),
        ("29 February", date(2028, 2, 29)),
    ],
)
def test_plain_words_name_the_last_day_that_they_can_mean(words, day):
    assert day_of(words, NOW) == day


@pytest.mark.parametrize(
    "words",
    ["", "soon", "summer", "late June", "May or June", "early 2027", "31 June 2027", "2027-13", "0 May", "version 3",
     "3 May 4 2027", "9999", "Q5 2027", "1999", "²", "٣ May 2027 later", "by", "in in"],
)  # fmt: skip
def test_vague_words_name_no_day(words):
    assert day_of(words, NOW) is None
