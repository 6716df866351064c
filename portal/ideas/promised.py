"""The table of what the team promised: one row for each day by which it owed a word."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Model, utcnow
from portal.ideas.models import Idea
from portal.ideas.workflow import Status


class Promised(StrEnum):
    """What is owed."""

    ANSWER = "answer"  # the first one
    UPDATE = "update"
    REVIEW = "review"  # a parked idea is looked at again


class Outcome(StrEnum):
    """How a promise ended."""

    KEPT = "kept"
    LATE = "late"
    RENEWED = "renewed"  # another day was promised before this one came, for a reason
    DROPPED = "dropped"  # the idea was joined with another one meanwhile


class Promise(Model):
    """One day by which the team owed its next word on one idea; while it runs it has no end."""

    __tablename__ = "promises"
    __table_args__ = (
        sa.Index(
            "ix_promises_running",
            "idea_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index(
            "ix_promises_to_keep",
            "due_at",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index(None, "idea_id", "made_at"),
        sa.Index(None, "due_at"),
        sa.Index(None, "raised_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"))
    kind: Mapped[Promised]
    status: Mapped[Status]  # where the idea stood when it was made
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    due_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None]
    reason: Mapped[str] = mapped_column(sa.Text, default="")  # why it was renewed, for everybody to read
    missed_at: Mapped[datetime | None]  # when the owner was told that it is late
    raised_at: Mapped[datetime | None]  # when the managers were

    idea: Mapped[Idea] = relationship()

    @property
    def is_running(self) -> bool:
        """Whether it is still to be kept."""
        return self.ended_at is None

    def is_late(self, now: datetime) -> bool:
        """Whether its day passed without the word that was promised."""
        return self.outcome is Outcome.LATE or (self.is_running and self.due_at < now)
