"""Whom a note calls by name."""

import time
from dataclasses import dataclass

import pytest

from portal.mentions import find, handles_of


@dataclass(frozen=True)
class Colleague:
    id: int
    name: str


TEAM = [Colleague(1, "Ines Keller"), Colleague(2, "Tom"), Colleague(3, "Tom Ashby"), Colleague(4, "Ines-Maria Ott"),
        Colleague(5, "Åsa Ström"), Colleague(6, "Ada Lund"), Colleague(7, "Ada Berg")]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("@Ines, what do you think?", {1: "Ines"}),
        ("Ask @ines keller.", {1: "ines keller"}),
        ("@Ines-Maria knows", {4: "Ines-Maria"}),
        ("@Tom Ashby and nobody else", {3: "Tom Ashby"}),
        ("@Åsa @Åsa Ström", {5: "Åsa"}),
        ("(@Åsa)", {5: "Åsa"}),
        ("write to ines@Tom.example or me@Ines", {}),
        ("@Inesita @ Ines @@Ines", {}),
    ],
)
def test_a_name_behind_the_sign_calls_its_owner(text, called):
    assert find(text, TEAM).people == called


def test_a_first_name_that_two_have_calls_neither_and_is_said_to_call_nobody():
    found = find("@Ada, @Ada Lund, @Zoe. And @Zoe again", TEAM)

    assert (found.people, found.nobody) == ({6: "Ada Lund"}, ["Ada", "Zoe"])


def test_everybody_can_be_called_but_namesakes_by_their_whole_name_only():
    twins = [Colleague(1, "Ada Lund"), Colleague(2, "Ada Lund")]

    assert handles_of(TEAM)[7] == ["Ada Berg"]
    assert handles_of(TEAM)[1][0] == "Ines"
    assert handles_of(twins) == {1: [], 2: []}


def test_a_text_full_of_signs_is_read_at_once_however_large_the_team_is():
    team = [Colleague(number, f"{'Ada' * (1 + number % 9)}{number} Lund") for number in range(1000)]
    texts = ["@a " * 3300, f"@{'Ada' * 5}" * 600, "@" * 10_000]

    began = time.process_time()
    found = [find(text, team) for text in texts]

    assert time.process_time() - began < 0.4
    assert [(item.people, len(item.nobody)) for item in found] == [({}, 1), ({}, 1), ({}, 0)]
