"""Whether ideas answer a search in full: all its words and phrases, nothing that is not wanted, within its limits."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable

import numpy as np
import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import Person
from portal.db import db, only_checked
from portal.ideas.models import Idea
from portal.ideas.queries import is_out_for
from portal.search import words
from portal.search.asking import Asked
from portal.search.engine import Document
from portal.search.index import engine
from portal.search.meaning import meaning_of

EVERYTHING = 1_000_000
PARTS = 5_000  # ids in one question


class Text:
    """The words of one idea and of all that was said about it."""

    def __init__(self, document: Document) -> None:
        self.id = document.id
        self._stems = {*words.stems(document.title), *words.stems(document.body), *words.stems(document.said)}
        self._sequence = document.sequence()

    def answers(self, query: words.Query) -> bool:
        """Whether it has all that is asked for, and nothing that is not wanted."""
        return (
            has_words(self._stems, query)
            and all(self._has(phrase) for phrase in query.phrases)
            and not any(_has_word(self._stems, ways) for ways in query.without)
            and not any(self._has(phrase) for phrase in query.without_phrases)
        )

    def _has(self, phrase: Collection[str]) -> bool:
        return f" {' '.join(phrase)} " in self._sequence


def query_of(asked: Asked) -> words.Query:
    """Return what a search asks of texts; its last word is finished."""
    return words.read(f"{asked.words} ")


def has_words(stems: Collection[str], query: words.Query) -> bool:
    """Whether all words that are asked for are among these stems."""
    return all(_has_word(stems, ways) for ways in query.words)


def all_matches(viewer: Person, asked: Asked) -> set[int]:
    """Return all ideas that answer a search in full and that the viewer may see."""
    if not asked.terms:
        return fitting(viewer, asked)
    query = query_of(asked)
    hits = engine().search(f"{asked.words} ", limit=EVERYTHING)
    return fitting(viewer, asked, [hit.id for hit in hits if has_words(hit.words, query)])


def fitting(viewer: Person, asked: Asked, ids: Collection[int] | None = None) -> set[int]:
    """Return which ideas, of these if any are named, lie within the limits of a search and in sight of the viewer."""
    meaning = meaning_of(asked, viewer)
    if meaning.notes:  # a board that is gone, a tag that nothing has: no idea is like that
        return set()
    within = sa.and_(is_out_for(viewer), *meaning.where())
    if ids is None:
        return set(db.session.scalars(select(Idea.id).where(within)))
    listed = list(ids)
    parts = (listed[begin : begin + PARTS] for begin in range(0, len(listed), PARTS))
    checked = (select(Idea.id).where(Idea.id.in_(part), only_checked(within)) for part in parts)
    return {found for part in checked for found in db.session.scalars(part)}


def packed(ids: Iterable[int]) -> bytes:
    """Return numbers in as few bytes as they need."""
    return zlib.compress(np.array(sorted(ids), np.int32).tobytes())


def unpacked(kept: bytes) -> set[int]:
    """Return the numbers that were packed."""
    return set(np.frombuffer(zlib.decompress(kept), np.int32).tolist()) if kept else set()


def _has_word(stems: Collection[str], ways: tuple[str, ...]) -> bool:
    return ways[-1] in stems or (len(ways) > 1 and all(way in stems for way in ways[:-1]))
