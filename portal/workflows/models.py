"""Every version of the workflow that somebody proposed or that held."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow


class State(StrEnum):
    """What became of a version."""

    PROPOSED = "proposed"
    HELD = "held"  # it holds now if none is newer
    REFUSED = "refused"


class WorkflowVersion(Model):
    """The tables as somebody wanted them, with the reason; ``base_id`` is the version they changed."""

    __tablename__ = "workflow_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(sa.Text, default="")
    state: Mapped[State]
    base_id: Mapped[int | None] = mapped_column(sa.ForeignKey("workflow_versions.id"))
    document: Mapped[dict[str, Any]]

    author: Mapped[User | None] = relationship()
