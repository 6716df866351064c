"""Correcting a search for one viewer, by the words of ideas that they may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from portal.accounts.models import Person
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.queries import is_out_for
from portal.search.engine import NeedsRebuild
from portal.search.index import engine


def did_you_mean(viewer: Person, asked: str) -> str:
    """Return the search with misspelt words put right, or nothing; no word that only hidden ideas have is named."""

    def texts_of(ids: Sequence[int]) -> Iterable[str]:
        texts = select(Idea.title + "\n" + Idea.need + "\n" + Idea.proposal)
        return db.session.scalars(texts.where(is_out_for(viewer), Idea.id.in_(ids)))

    try:
        return engine().correction(asked, texts_of)
    except NeedsRebuild:
        return ""
