"""Tables of digests: when the next one is due for whom, which were made, and what stands in them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow


class DigestClock(Model):
    """When to look next whether there is something for somebody's digest; no moment: it is still to be reckoned."""

    __tablename__ = "digest_clocks"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    due_at: Mapped[datetime | None] = mapped_column(index=True)


class Digest(Model):
    """One digest to one person, once for each moment at which one is due."""

    __tablename__ = "digests"
    __table_args__ = (sa.UniqueConstraint("user_id", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    due_at: Mapped[datetime]
    made_at: Mapped[datetime] = mapped_column(default=utcnow)

    user: Mapped[User] = relationship()


class DigestItem(Model):
    """One piece of news in one digest: the primary key allows it in no second one."""

    __tablename__ = "digest_items"

    notification_id: Mapped[int] = mapped_column(
        sa.ForeignKey("notifications.id", ondelete="CASCADE"), primary_key=True
    )
    digest_id: Mapped[int] = mapped_column(sa.ForeignKey("digests.id", ondelete="CASCADE"), index=True)


class UnwantedLetter(Model):
    """A kind of letter that comes by turns and that somebody does not want."""

    __tablename__ = "unwanted_letters"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    letter: Mapped[str] = mapped_column(sa.String(30), primary_key=True)
