"""Finding whom a text calls by name: “@Ines” or “@Ines Keller”."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MOST = 10

_AT = re.compile(r"(?<![\w@.])@(?=\w)")
_WORD = re.compile(r"[\w.-]+")


class Named(Protocol):
    """Somebody who can be called."""

    @property
    def id(self) -> int:
        """Their number."""

    @property
    def name(self) -> str:
        """Their whole name."""


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a text calls, by what stands behind the @, and which words call nobody."""

    people: dict[int, str]
    nobody: list[str]


def find(text: str, team: Sequence[Named], others: Sequence[Named] = ()) -> Found:
    """Return who of the team is called; a first name is enough where only one has it. Others need their whole name."""
    handles = handles_of(team)
    taken = {handle.lower() for names in handles.values() for handle in names}
    handles |= {person.id: [person.name] for person in others if person.name.lower() not in taken}
    longest_first = sorted(((handle, number) for number, names in handles.items() for handle in names), key=_by_length)
    people: dict[int, str] = {}
    nobody: list[str] = []
    for sign in _AT.finditer(text):
        rest = text[sign.end() :]
        match = next((found for found in longest_first if _begins(rest, found[0])), None)
        if match is not None:
            people.setdefault(match[1], rest[: len(match[0])])
        elif word := _WORD.match(rest):
            nobody.append(word[0].rstrip(".-"))
    return Found(people, list(dict.fromkeys(nobody)))


def handles_of(team: Sequence[Named]) -> dict[int, list[str]]:
    """Return what may stand behind the @ for each, the shortest first; nothing where two have the same whole name."""
    first = Counter(_first(person).lower() for person in team)
    whole = Counter(person.name.lower() for person in team)
    return {
        person.id: list(
            dict.fromkeys(
                handle
                for handle, taken in ((_first(person), first), (person.name, whole))
                if taken[handle.lower()] == 1
            )
        )
        for person in team
    }


def _first(person: Named) -> str:
    return person.name.partition(" ")[0]


def _begins(text: str, handle: str) -> bool:
    after = text[len(handle) : len(handle) + 1]
    return text[: len(handle)].lower() == handle.lower() and not (after.isalnum() or after == "_")


def _by_length(found: tuple[str, int]) -> tuple[int, str]:
    return -len(found[0]), found[0]
