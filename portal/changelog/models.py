"""Tables of the changelog: entries, the ideas they ship, and who had a part in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.boards.models import Board
from portal.db import Model, utcnow
from portal.ideas.models import Idea

TITLE_MAX, BODY_MAX = 140, 20_000


class Kind(StrEnum):
    """What an entry tells of."""

    NEW = "new"
    BETTER = "better"
    FIXED = "fixed"

    @property
    def label(self) -> str:
        """The label as people read it."""
        return str(_KINDS[self])


_KINDS = {Kind.NEW: _l("New"), Kind.BETTER: _l("Better"), Kind.FIXED: _l("Fixed")}


class Part(StrEnum):
    """What somebody did for what came out, the strongest first."""

    SUGGESTED = "suggested"
    SUGGESTED_TOO = "suggested_too"  # the author of an idea that was merged
    CLARIFIED = "clarified"
    TESTED = "tested"

    @property
    def label(self) -> str:
        """The part in words."""
        return str(_PARTS[self])


_PARTS = {
    Part.SUGGESTED: _l("suggested it"),
    Part.SUGGESTED_TOO: _l("suggested it too"),
    Part.CLARIFIED: _l("made the problem clear"),
    Part.TESTED: _l("tested it"),
}
GIVEN = (Part.CLARIFIED, Part.TESTED)
"""What only the team can know; the other parts follow from who wrote the ideas."""


class Choice(StrEnum):
    """What somebody wants done with their name."""

    ASK = "ask"
    ALWAYS = "always"
    NEVER = "never"


class Entry(Model):
    """Something that came out; a draft until it is published."""

    __tablename__ = "changelog_entries"
    __table_args__ = (sa.Index(None, "published_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(TITLE_MAX))
    body: Mapped[str] = mapped_column(sa.Text, default="")
    body_html: Mapped[str] = mapped_column(sa.Text, default="")
    kind: Mapped[Kind] = mapped_column(default=Kind.NEW)
    board_id: Mapped[int | None] = mapped_column(sa.ForeignKey("boards.id"), index=True)  # None: of all
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    version: Mapped[int] = mapped_column(default=1)  # counts saves, so that nobody overwrites what they have not seen
    published_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]  # after it was published
    publish_at: Mapped[datetime | None] = mapped_column(index=True)
    timezone: Mapped[str] = mapped_column(sa.String(60), default="")  # of whoever chose the moment
    scheduled_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    trouble: Mapped[str] = mapped_column(sa.Text, default="")  # why it did not come out when it should have

    board: Mapped[Board | None] = relationship()
    author: Mapped[User | None] = relationship(foreign_keys=[author_id])
    scheduled_by: Mapped[User | None] = relationship(foreign_keys=[scheduled_by_id])

    @property
    def is_published(self) -> bool:
        """Whether it is out."""
        return self.published_at is not None


class Shipment(Model):
    """One idea that an entry tells of; ``ships`` when publishing is to move it to Shipped."""

    __tablename__ = "changelog_ideas"

    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("changelog_entries.id", ondelete="CASCADE"), primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True, index=True)
    ships: Mapped[bool] = mapped_column(default=False)

    idea: Mapped[Idea] = relationship()


class Credit(Model):
    """One person's part in what came out; named only with their yes."""

    __tablename__ = "changelog_credits"

    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("changelog_entries.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)
    part: Mapped[Part]
    asked_at: Mapped[datetime | None]
    agreed: Mapped[bool | None]  # None: has not said

    user: Mapped[User] = relationship()
    entry: Mapped[Entry] = relationship()
    idea: Mapped[Idea] = relationship()


class CreditChoice(Model):
    """What somebody wants done with their name in all entries; without a row they are asked."""

    __tablename__ = "credit_choices"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    choice: Mapped[Choice]
