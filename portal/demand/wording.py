"""What is kept of the words of a search, and what is not."""

from __future__ import annotations

import re
import unicodedata

from portal.demand.models import WORDS_MAX
from portal.search.words import stems

LONGEST_WORD = 40  # letters; what is longer is no word but a key, an address or a slip of the hand

_ADDRESS = re.compile(r"\S+@\S+|\w+://\S+")
_LONG_NUMBER = re.compile(r"(?:\d[\s./()+-]*){7}")  # telephones, cards, accounts; written with gaps as well
_MARKS = re.compile(r"[\"“”„«»]|(?<!\S)[-–]+(?=\S)|(?<!\S)\w+:\S+")  # noqa: RUF001


def kept_words(text: str) -> str:
    """Return the words as they are remembered: small letters, single gaps; nothing of what may name a person."""
    plain = unicodedata.normalize("NFKC", text[: 4 * WORDS_MAX])
    if _ADDRESS.search(plain) or _LONG_NUMBER.search(plain):
        return ""
    words = " ".join(_MARKS.sub(" ", plain).lower().split())
    if any(len(word) > LONGEST_WORD for word in words.split()):
        return ""
    return words[:WORDS_MAX].strip()


def group_of(words: str) -> str:
    """Return what searches for the same thing have in common: their stems in the order of the alphabet."""
    return " ".join(sorted(set(stems(words))))[:WORDS_MAX]


def goes_on(before: str, after: str) -> bool:
    """Whether somebody who typed the one typed the other: on, back, or the same once more."""
    return after.startswith(before) or before.startswith(after)
