"""The table of boards."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Model


class Audience(StrEnum):
    """Who may know of a board."""

    PUBLIC = "public"
    MEMBERS = "members"
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
    team: Mapped[str | None] = mapped_column(sa.String(60))
    position: Mapped[int] = mapped_column(default=0)
    ideas: Mapped[int] = mapped_column(default=0)  # published and not merged; moves with them
