"""Tables of the browsers that are told at once, and of what they are told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow
from portal.leases import Leased


class PushKey(Model):
    """The pair of keys by which push services know this portal; there is one row."""

    __tablename__ = "push_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    public: Mapped[str] = mapped_column(sa.String(100))
    sealed_private: Mapped[str] = mapped_column(sa.Text)
    made_at: Mapped[datetime] = mapped_column(default=utcnow)


class Subscription(Model):
    """One browser that its owner wants to be told by at once; it goes with the session in which that was asked for."""

    __tablename__ = "push_subscriptions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    session_hash: Mapped[str | None] = mapped_column(
        sa.ForeignKey("auth_sessions.token_hash", ondelete="CASCADE", onupdate="CASCADE"), index=True
    )  # None: that session ran out by itself
    browser_hash: Mapped[str] = mapped_column(sa.String(64), default="", index=True)  # of the cookie that stays there
    endpoint: Mapped[str] = mapped_column(sa.Text)
    endpoint_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    public_key: Mapped[str] = mapped_column(sa.String(120))
    auth_secret: Mapped[str] = mapped_column(sa.String(40))
    browser: Mapped[str] = mapped_column(sa.String(200), default="")
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    told_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class Push(Leased, Model):
    """One message to one browser: queued with the notification, written when it is sent."""

    __tablename__ = "pushes"
    __table_args__ = (
        sa.UniqueConstraint("notification_id", "subscription_id"),
        sa.Index(
            "ix_pushes_due",
            "available_at",
            "id",
            sqlite_where=sa.text("done_at IS NULL AND given_up_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND given_up_at IS NULL"),
        ),
        sa.Index(None, "user_id", "done_at"),
        sa.Index(None, "subscription_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    notification_id: Mapped[int | None] = mapped_column(sa.ForeignKey("notifications.id", ondelete="CASCADE"))
    subscription_id: Mapped[int | None] = mapped_column(sa.ForeignKey("push_subscriptions.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(sa.String(30))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    queued_at: Mapped[datetime] = mapped_column(default=utcnow)
    suppressed: Mapped[str | None] = mapped_column(sa.String(60))  # why it was not sent after all

    user: Mapped[User] = relationship()
    subscription: Mapped[Subscription | None] = relationship()
