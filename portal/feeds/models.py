"""The table of private feed addresses."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Model, utcnow


class FeedAddress(Model):
    """What one person's private feeds are known by: their address is made of it and the secret key."""

    __tablename__ = "feed_addresses"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.String(32))  # another one, and the old address is good no more
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
