"""Tables of what people backed instead of posting, and of what was searched for."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow
from portal.ideas.models import Idea

TYPED_MAX, DIFFERS_MAX, WORDS_MAX = 300, 300, 200


class Origin(StrEnum):
    """Where somebody was shown the idea that they backed."""

    TYPED = "typed"  # while typing
    STEP = "step"  # between form and posting


class Way(StrEnum):
    """How they stood behind it."""

    VOTE = "vote"
    FOLLOW = "follow"  # where voting is closed


class Receipt(Model):
    """Somebody was about to post an idea, and stood behind one that exists instead; one a person and idea."""

    __tablename__ = "receipts"
    __table_args__ = (sa.UniqueConstraint("idea_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    typed: Mapped[str] = mapped_column(sa.String(TYPED_MAX), default="")
    differs: Mapped[str] = mapped_column(sa.String(DIFFERS_MAX), default="")
    origin: Mapped[Origin] = mapped_column(default=Origin.TYPED)
    way: Mapped[Way] = mapped_column(default=Way.VOTE)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    edited_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]  # its words, by the team
    hidden_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))

    idea: Mapped[Idea] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])


class Searcher(StrEnum):
    """What is kept of who searched: nothing but this."""

    VISITOR = "visitor"
    MEMBER = "member"
    STAFF = "staff"
    MACHINE = "machine"

    @property
    def label(self) -> str:
        """As people read it."""
        return str(SEARCHERS[self])


SEARCHERS = {
    Searcher.VISITOR: _l("Visitors"),
    Searcher.MEMBER: _l("Members"),
    Searcher.STAFF: _l("The team"),
    Searcher.MACHINE: _l("Machines"),
}


class Reach(StrEnum):
    """How much whoever searched may see: their words are shown to nobody who sees less."""

    OPEN = "open"  # what every member sees
    STAFF = "staff"  # boards of the team too
    CLOSED = "closed"  # boards that only those listed there see


class NotedSearch(Model):
    """One search as it is remembered for 90 days: the words, and whether they led anywhere."""

    __tablename__ = "noted_searches"
    __table_args__ = (sa.Index(None, "stems", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(24), unique=True)  # what links in its results name it by
    words: Mapped[str] = mapped_column(sa.String(WORDS_MAX))
    stems: Mapped[str] = mapped_column(sa.String(WORDS_MAX))  # in the order of the alphabet: what groups are made by
    found: Mapped[int]
    opened: Mapped[bool] = mapped_column(default=False)
    by: Mapped[Searcher]
    reach: Mapped[Reach]
    at: Mapped[datetime] = mapped_column(index=True)
    day: Mapped[date]


class Verdict(StrEnum):
    """Why a group of searches needs no more attention."""

    ANSWERED = "answered"  # it comes back when the same is looked for again
    NOISE = "noise"  # it stays away

    @property
    def label(self) -> str:
        """As people read it."""
        return str(VERDICTS[self])


VERDICTS = {Verdict.ANSWERED: _l("Answered"), Verdict.NOISE: _l("Noise")}


class SetAside(Model):
    """What the team decided about searches for the same thing."""

    __tablename__ = "searches_set_aside"

    stems: Mapped[str] = mapped_column(sa.String(WORDS_MAX), primary_key=True)
    verdict: Mapped[Verdict]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))

    by: Mapped[User | None] = relationship()
