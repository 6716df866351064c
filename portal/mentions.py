"""Finding whom a text calls by name: “@Ines” or “@Ines Keller”."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
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
    known = sorted(((handle, number) for number, names in handles.items() for handle in names), reverse=True)
    owners = {_key(handle): number for handle, number in known}
    longest_first = sorted({length for length, _handle in owners}, reverse=True)
    people: dict[int, str] = {}
    nobody: list[str] = []
    for sign in _AT.finditer(text):
        called = next((handle for handle in _beginnings(text, sign.end(), longest_first) if _key(handle) in owners), "")
        if called:
            people.setdefault(owners[_key(called)], called)
        elif word := _WORD.match(text, sign.end()):
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


def _key(handle: str) -> tuple[int, str]:
    return len(handle), handle.lower()


def _beginnings(text: str, start: int, lengths: Sequence[int]) -> Iterator[str]:
    """What stands in a text from a place on that is so long, and goes on in no letter or digit."""
    for length in lengths:
        after = text[start + length : start + length + 1]
        if not (after.isalnum() or after == "_"):
            yield text[start : start + length]
