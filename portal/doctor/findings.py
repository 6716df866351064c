"""What is said of an instance: each finding one sentence in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum


class Health(IntEnum):
    """How bad a finding is."""

    OK = 0
    ATTENTION = 1
    BROKEN = 2

    @property
    def label(self) -> str:
        """The word in front of the sentence."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    health: Health
    sentence: str


Findings = Iterator[Finding]


def ok(sentence: str) -> Finding:
    """It is well."""
    return Finding(Health.OK, sentence)


def attention(sentence: str) -> Finding:
    """It works, and somebody should know."""
    return Finding(Health.ATTENTION, sentence)


def broken(sentence: str) -> Finding:
    """It does not work."""
    return Finding(Health.BROKEN, sentence)
