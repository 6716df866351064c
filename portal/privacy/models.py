"""The table of exports."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow
from portal.leases import Leased


class Export(Leased, Model):
    """Everything about one person, asked for, being gathered, or lying ready as a file in the instance folder."""

    __tablename__ = "exports"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    asked_at: Mapped[datetime] = mapped_column(default=utcnow)
    steps: Mapped[int] = mapped_column(default=0)
    steps_done: Mapped[int] = mapped_column(default=0)
    file: Mapped[str | None] = mapped_column(sa.String(100))  # in the folder of exports; None: gone, or not made yet
    size: Mapped[int] = mapped_column(default=0)  # bytes
    expires_at: Mapped[datetime | None]  # the file goes then

    user: Mapped[User] = relationship()
