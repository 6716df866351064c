"""The table of ideas that the search index still has to read."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Model, utcnow


class IndexTask(Model):
    """An idea that changed since the index last read it."""

    __tablename__ = "index_tasks"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
