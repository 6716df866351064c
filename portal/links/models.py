"""Tables of links between ideas, and of people who have a need but not this solution."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow
from portal.ideas.models import Idea


class Kind(StrEnum):
    """What one idea is to another, read from the first to the second."""

    RELATES = "relates"
    PART_OF = "part_of"
    FOLLOWS = "follows"
    SOLVES = "solves"
    BUILDS_ON = "builds_on"


class Link(Model):
    """One idea tied to another; of two that only relate to each other the one with the smaller number comes first."""

    __tablename__ = "idea_links"
    __table_args__ = (
        sa.UniqueConstraint("idea_id", "other_id", "kind"),
        sa.CheckConstraint("idea_id <> other_id", name="not_to_itself"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)
    kind: Mapped[Kind]
    made_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)
    made_at: Mapped[datetime] = mapped_column(default=utcnow)

    idea: Mapped[Idea] = relationship(foreign_keys=[idea_id])
    other: Mapped[Idea] = relationship(foreign_keys=[other_id])
    made_by: Mapped[User | None] = relationship()


class NeedBacker(Model):
    """Somebody who has the need of an idea, and wants another solution than the one it proposes; no vote."""

    __tablename__ = "need_backers"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
