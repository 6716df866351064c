"""What one person has put aside in triage, and where they are looking."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow

EVERYWHERE = ""
NAME_MAX = 40


class Aside(Model):
    """An idea that one person took off their queues: off all until a moment, or off one because they are done there."""

    __tablename__ = "triage_asides"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True, index=True)
    queue: Mapped[str] = mapped_column(sa.String(NAME_MAX), primary_key=True)  # EVERYWHERE: snoozed
    at: Mapped[datetime] = mapped_column(default=utcnow)
    until: Mapped[datetime | None]
    comments: Mapped[int]  # as many as there were: one more brings it back to a queue that was done


class Presence(Model):
    """The idea that somebody of the team has before them."""

    __tablename__ = "triage_presence"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)
    since: Mapped[datetime] = mapped_column(default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(default=utcnow)

    user: Mapped[User] = relationship()
