"""The table of invitations."""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.db import Model, utcnow


class Invitation(Model):
    """One invitation to one address: good once, for a while; its token is derived and kept nowhere."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), index=True)
    role: Mapped[Role] = mapped_column(default=Role.MEMBER)
    board_id: Mapped[int | None] = mapped_column(sa.ForeignKey("boards.id", ondelete="CASCADE"))
    note: Mapped[str] = mapped_column(sa.String(500), default="")
    nonce: Mapped[str] = mapped_column(sa.String(64), default=lambda: secrets.token_hex(32))
    invited_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)
    invited_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    withdrawn_at: Mapped[datetime | None]

    invited_by: Mapped[User | None] = relationship(foreign_keys=invited_by_id)
    accepted_by: Mapped[User | None] = relationship(foreign_keys=accepted_by_id)
    board: Mapped[Board | None] = relationship()
