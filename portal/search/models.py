"""The tables of the search: what it still has to read, what people keep, and the index where PostgreSQL has it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow

# In the order of its bytes, so that the words that begin alike stand side by side whatever the database's language.
Word = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


class IndexTask(Model):
    """An idea that changed since the index last read it."""

    __tablename__ = "index_tasks"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    leaves_no_trace: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


class WatchTask(Model):
    """An idea that changed, and may answer a kept search now."""

    __tablename__ = "watch_tasks"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)


class Alert(StrEnum):
    """How somebody hears of ideas that answer a kept search since it was kept."""

    NONE = "none"
    INBOX = "inbox"
    MAIL = "mail"

    @property
    def label(self) -> str:
        """How people choose it."""
        return str(_LABELS[self])


_LABELS = {
    Alert.NONE: _l("No alert"),
    Alert.INBOX: _l("In my inbox, at once"),
    Alert.MAIL: _l("In my inbox, and once a day by mail"),
}


class SavedSearch(Model):
    """A search that somebody on the team keeps, for themselves or for the team."""

    __tablename__ = "saved_searches"
    __table_args__ = (sa.UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(60))
    query: Mapped[str] = mapped_column(sa.String(400))
    shared: Mapped[bool] = mapped_column(default=False)
    alert: Mapped[Alert] = mapped_column(default=Alert.NONE)
    saved_at: Mapped[datetime] = mapped_column(default=utcnow)
    known: Mapped[bytes] = mapped_column(default=b"")  # ideas that answered when the alert was switched on

    user: Mapped[User] = relationship()


class SavedMatch(Model):
    """An idea that came to answer a kept search: told once, and never again."""

    __tablename__ = "saved_matches"

    search_id: Mapped[int] = mapped_column(sa.ForeignKey(SavedSearch.id, ondelete="CASCADE"), primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True, index=True)
    found_at: Mapped[datetime] = mapped_column(default=utcnow)
    mailed_at: Mapped[datetime | None]


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


class Synonym(Model):
    """Two words that mean the same or, where they are not accepted, do not: their stems, and as people spell them."""

    __tablename__ = "synonyms"
    __table_args__ = (sa.CheckConstraint("one < other", name="in_order"),)

    one: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    other: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    one_spelt: Mapped[str] = mapped_column(sa.String(40))
    other_spelt: Mapped[str] = mapped_column(sa.String(40))
    accepted: Mapped[bool]
    by_hand: Mapped[bool] = mapped_column(default=False)
    decided_at: Mapped[datetime] = mapped_column(default=utcnow)
