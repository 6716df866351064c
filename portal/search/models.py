"""The tables of the search: ideas that it still has to read, and the index itself where PostgreSQL keeps it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Model, utcnow

# In the order of its bytes, so that the words that begin alike stand side by side whatever the database's language.
Word = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


class IndexTask(Model):
    """An idea that changed since the index last read it."""

    __tablename__ = "index_tasks"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)


class SearchIndex(Model):
    """Which index is in use, and how often it was written; one row, or none before the first rebuild."""

    __tablename__ = "search_index"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    version: Mapped[int]
    format: Mapped[int]


class SearchSegment(Model):
    """Documents that were written together, as arrays; a later segment of the same index is right about what it names.

    ``ids`` are those it has, ``gone`` those that no earlier segment has any more, ``words`` the number of its postings.
    """

    __tablename__ = "search_segments"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(index=True)
    size: Mapped[int]
    words: Mapped[int]
    ids: Mapped[bytes]
    gone: Mapped[bytes]
    alike_lengths: Mapped[bytes]
    said_lengths: Mapped[bytes]


class SearchPostings(Model):
    """Which documents of a segment hold a word, and how often, as an array; how many of them hold it as their own."""

    __tablename__ = "search_postings"

    segment_id: Mapped[int] = mapped_column(sa.ForeignKey(SearchSegment.id, ondelete="CASCADE"), primary_key=True)
    word: Mapped[str] = mapped_column(Word, primary_key=True)
    documents: Mapped[int]
    postings: Mapped[bytes]


class SearchDocument(Model):
    """The words of one document of a segment in their order."""

    __tablename__ = "search_documents"

    segment_id: Mapped[int] = mapped_column(sa.ForeignKey(SearchSegment.id, ondelete="CASCADE"), primary_key=True)
    idea_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)
    title: Mapped[str] = mapped_column(sa.Text)
    sequence: Mapped[str] = mapped_column(sa.Text)
