"""The table of boards."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import Model, utcnow


class Audience(StrEnum):
    """Who may know of a board."""

    PUBLIC = "public"
    MEMBERS = "members"
    PRIVATE = "private"  # those whom the board lists, and admins
    STAFF = "staff"


class Board(Model):
    """A place where ideas of one kind are collected."""

    __tablename__ = "boards"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    description: Mapped[str] = mapped_column(sa.String(300), default="")
    question: Mapped[str] = mapped_column(sa.String(140), default="")
    audience: Mapped[Audience] = mapped_column(default=Audience.PUBLIC)
    one_way: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # members see only their own
    team: Mapped[str | None] = mapped_column(sa.String(60))
    position: Mapped[int] = mapped_column(default=0)
    ideas: Mapped[int] = mapped_column(default=0)  # published and not merged; moves with them


class BoardMember(Model):
    """Somebody's place on one board: the right to know of it if it is private, and the rank they have there."""

    __tablename__ = "board_members"

    board_id: Mapped[int] = mapped_column(sa.ForeignKey("boards.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[Role] = mapped_column(default=Role.MEMBER)
    added_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    added_at: Mapped[datetime] = mapped_column(default=utcnow)

    user: Mapped[User] = relationship(foreign_keys=user_id)
    board: Mapped[Board] = relationship()
