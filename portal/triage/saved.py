"""Queues that people make themselves: whatever a search finds, kept or not, in the order of its votes."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import ColumnElement, false
from sqlalchemy import and_ as all_of

from portal.accounts.models import Person
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication
from portal.search import matching
from portal.search.asking import read
from portal.search.engine import NeedsRebuild
from portal.search.index import engine
from portal.search.meaning import meaning_of
from portal.search.models import SavedSearch
from portal.search.saved import kept_for

MOST_FOUND = 1_000  # by words; what a search limits otherwise has no end
PREFIX = "saved-"


def searches_of(viewer: Person) -> dict[str, SavedSearch]:
    """Return the searches that the viewer keeps, then those that colleagues share, under the names of their queues."""
    kept = kept_for(viewer)
    return {f"{PREFIX}{search.id}": search for search in (*kept.own, *kept.shared)}


def found_by(query: str) -> Callable[[Person], list[ColumnElement[bool]]]:
    """Return the condition for ideas that a search finds: published ones, as this viewer may see them."""

    def conditions(viewer: Person) -> list[ColumnElement[bool]]:
        asked = read(query, viewer.works_here)
        meaning = meaning_of(asked, viewer)
        if asked.is_empty or meaning.notes:
            return [false()]
        parts = [Idea.publication == Publication.PUBLISHED, *meaning.where()]
        if asked.terms:
            parts.append(Idea.id.in_(_with_words(asked.words)))
        return [all_of(*parts)]

    def _with_words(words: str) -> list[int]:
        wanted = matching.query_of(read(words))
        try:
            hits = engine().search(f"{words} ", limit=MOST_FOUND)
        except NeedsRebuild:
            return []
        return [hit.id for hit in hits if matching.has_words(hit.words, wanted)]

    return conditions
