"""The table of scores."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow
from portal.ideas.models import Idea


class IdeaScore(Model):
    """What the team gave an idea for each part of the formula, and what that comes to; for the team alone."""

    __tablename__ = "idea_scores"
    __table_args__ = (sa.Index(None, "value", "idea_id"),)

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    parts: Mapped[dict[str, Any]]
    value: Mapped[float | None]  # None while a part is missing, or the formula gives no number
    votes: Mapped[int] = mapped_column(default=0)  # the idea's when it was counted
    counted_at: Mapped[datetime] = mapped_column(default=utcnow)
    at: Mapped[datetime] = mapped_column(default=utcnow)  # when the parts were given
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))

    idea: Mapped[Idea] = relationship()
    by: Mapped[User | None] = relationship()
