"""What people type into the search is understood, whatever it is."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.search.asking import MOST_LETTERS, MOST_OPERATORS, MOST_TERMS, Operator, Term, read
from portal.search.words import MAX_QUERY

SIGNS = ('"', "“", "„", "-", "--", ":", ",", " ", "*", "?", "(", "%", "_", "\\", "\x00", "\u202e", "é", "日本語", "🚠")
LIMITS = ("status:", "status:planned", "-status:a,b", 'board:"a b"', "author:me", "before:2026", "votes:>10", "foo:bar")
SCRAPS = (*SIGNS, *LIMITS, "x" * 90, "maps", "-maps", '"two words"', '-"two words"', "the")
anything = st.one_of(
    st.text(max_size=600),
    st.lists(st.sampled_from(SCRAPS), max_size=300).map("".join),
    st.lists(st.sampled_from(SCRAPS), max_size=60).map(" ".join),
)


def test_words_phrases_what_is_not_wanted_and_limits_are_told_apart():
    asked = read('offline „dark mode“ -csv -"by hand" Status:planned,shipped -board:"Our maps" 10:30')

    assert asked.terms == (
        Term("offline"),
        Term("dark mode", phrase=True),
        Term("csv", minus=True),
        Term("by hand", phrase=True, minus=True),
        Term("10:30"),
    )
    assert asked.operators == (
        Operator("status", "planned"),
        Operator("status", "shipped"),
        Operator("board", "Our maps", minus=True),
    )
    assert str(asked) == (
        'offline "dark mode" -csv -"by hand" 10:30 status:planned status:shipped -board:"Our maps"'
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ('"dark mode', "dark mode"),
        ('dark" mode', "dark mode"),
        ("map*", "map*"),
        ("* ? % - :", ""),
        ("colour:red", "colour:red"),
        ("https://example.org/a", "https://example.org/a"),
        ("status:", "status:"),
        ("離線地圖", "離線地圖"),
    ],
)
def test_what_is_no_operator_is_words(typed, words):
    asked = read(typed)

    assert (asked.words, asked.operators) == (words, ())


@settings(max_examples=400, deadline=None)
@given(anything)
def test_any_text_is_read_within_limits_and_printed_as_what_reads_the_same(typed):
    asked = read(typed)

    assert read(str(asked)) == asked
    assert len(asked.terms) <= MOST_TERMS and len(asked.operators) <= MOST_OPERATORS
    assert len(str(asked)) <= MOST_LETTERS and len(asked.words) <= MAX_QUERY


@settings(max_examples=100, deadline=None)
@given(anything, st.sampled_from(("status", "author")), st.sampled_from(("planned", 'say "hi"', "a, b", "x" * 60)))
def test_narrowing_and_widening_lead_where_their_links_say(typed, field, value):
    asked = read(typed)

    narrowed = asked.narrowed(field, value.replace('"', ""))

    assert narrowed.values(field) == [value.replace('"', "")]
    assert narrowed.narrowed(field, "").values(field) == []
    for operator in asked.operators:
        assert operator not in asked.without(operator).operators


def test_ten_thousand_signs_are_read_at_once():
    began = time.perf_counter()
    for typed in ("x" * 10_000, '"' * 10_000, "-" * 10_000, "a:" * 5_000, 'status:"' * 1_500, "status:a," * 1_500):
        read(typed)

    assert time.perf_counter() - began < 0.5
