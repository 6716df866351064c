"""The table of acts of security."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow


class SecurityEntry(Model):
    """One act of security: who, what, to whom, from where. Addresses go after 90 days; the rest is never changed."""

    __tablename__ = "security_log"
    __table_args__ = (sa.Index(None, "user_id", "id"), sa.Index(None, "kind", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    kind: Mapped[str] = mapped_column(sa.String(60))
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))  # whose account
    address: Mapped[str] = mapped_column(sa.String(45), default="")
    browser: Mapped[str] = mapped_column(sa.String(200), default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)

    user: Mapped[User | None] = relationship(foreign_keys=[user_id], viewonly=True)
    actor: Mapped[User | None] = relationship(foreign_keys=[actor_id], viewonly=True)
