"""Tables of who vouches for people, and of whom they vouched for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow


class Provider(Model):
    """A service whose word the portal takes: an OpenID provider, or a product that hands its people over."""

    __tablename__ = "sso_providers"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(40), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(20))  # "openid" or "handover"
    name: Mapped[str] = mapped_column(sa.String(60))
    issuer: Mapped[str] = mapped_column(sa.String(300))
    client_id: Mapped[str] = mapped_column(sa.String(300), default="")
    sealed_secret: Mapped[str] = mapped_column(sa.Text, default="")  # JSON; written in the portal, never shown again
    enabled: Mapped[bool] = mapped_column(default=True)
    admits: Mapped[bool] = mapped_column(default=False)  # its people join whatever the membership asks of others
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    found: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what discovery answered last
    found_at: Mapped[datetime | None]


class Identity(Model):
    """One person at one provider, known by issuer and subject, never by mail address."""

    __tablename__ = "identities"
    __table_args__ = (sa.UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("sso_providers.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str] = mapped_column(sa.String(300))
    subject: Mapped[str] = mapped_column(sa.String(255))
    email: Mapped[str] = mapped_column(sa.String(254), default="")  # as the provider said it last
    linked_at: Mapped[datetime] = mapped_column(default=utcnow)
    used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
    provider: Mapped[Provider] = relationship()


class UsedHandOver(Model):
    """A hand-over that was used; none works twice. Rows go when the hand-over would have expired anyway."""

    __tablename__ = "used_hand_overs"

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
