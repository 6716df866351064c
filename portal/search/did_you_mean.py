"""Correcting a search for one viewer, by the words of ideas that they may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from portal.accounts.models import Person
from portal.db import db, only_checked
from portal.ideas.models import Idea
from portal.ideas.queries import is_out_for
from portal.search.engine import NeedsRebuild
from portal.search.index import engine


def did_you_mean(viewer: Person, asked: str) -> str:
    """Return the search with misspelt words put right, or nothing; what only hidden ideas have, none has."""

    def texts_of(ids: Sequence[int]) -> Iterable[str]:
        texts = select(Idea.title + "\n" + Idea.need + "\n" + Idea.proposal)
        return db.session.scalars(texts.where(is_out_for(viewer), Idea.id.in_(ids)))

    def readable(ids: Sequence[int]) -> Sequence[int]:
        seen = select(Idea.id).where(Idea.id.in_(ids), only_checked(is_out_for(viewer)))
        return db.session.scalars(seen.limit(1)).all()

    try:
        return engine().correction(asked, texts_of, readable)
    except NeedsRebuild:
        return ""
