"""What is kept of the words of a search, and what is not."""

from __future__ import annotations

import re
import unicodedata

from portal.demand.models import WORDS_MAX
from portal.search.words import stems

LONGEST_WORD = 40  # letters; what is longer is no word but a key, an address or a slip of the hand

_ADDRESS = re.compile(r"(?<=\S)@(?=\S)|(?<=\w)://(?=\S)")
_LONG_NUMBER = re.compile(r"(?:\d[\s./()+-]*){7}")  # telephones, cards, accounts; written with gaps as well
_MARKS = re.compile(r"[\"“”„«»]|(?<!\S)[-–]+(?=\S)|(?<!\S)\w+:\S+")


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


def cuts(word: str) -> set[str]:
    """Return the word, and what is left of it without one letter: words that a slip tells apart have one in common."""
    return {word} | {word[:place] + word[place + 1 :] for place in range(len(word))}


def is_slip(one: str, other: str) -> bool:
    """Whether two words begin alike and differ by a letter: added, left out, or in a longer one changed or swapped."""
    longest = max(len(one), len(other))
    if one[:1] != other[:1]:
        return False
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    if len(one) != len(other):
        return longest >= 4 and len(one) + len(other) == 1
    return longest >= 5 and (len(one) == 1 or (len(one) == 2 and one == other[::-1]))


def goes_on(before: str, after: str) -> bool:
    """Whether somebody who typed the one typed the other: on, back, or the same once more."""
    return after.startswith(before) or before.startswith(after)
