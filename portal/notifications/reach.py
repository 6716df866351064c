"""Tables of what people chose about being reached; who chose nothing has no row, and what is usual holds."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.boards.models import Board
from portal.db import Model, utcnow
from portal.notifications.policy import Topic, Way

CEILINGS = (1, 3, 5, 10, 50)
"""How many mails at once in a day somebody may choose to get at most; more than the last of them nobody gets."""


class Rhythm(StrEnum):
    """How often a digest comes."""

    DAILY = "daily"
    WEEKLY = "weekly"
    NEVER = "never"


class Reach(Model):
    """When somebody may be reached, whatever it is about."""

    __tablename__ = "reach"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[Rhythm] = mapped_column(default=Rhythm.WEEKLY, server_default="weekly")
    digest_hour: Mapped[int] = mapped_column(default=8, server_default="8")  # by the user's clock
    digest_weekday: Mapped[int] = mapped_column(default=4, server_default="4")  # 0 is Monday
    quiet_from: Mapped[int | None]  # hours by the user's clock; both or none
    quiet_until: Mapped[int | None]
    paused_until: Mapped[datetime | None]
    mails_a_day: Mapped[int | None]  # at once, at most; None: as is usual
    links_key: Mapped[str] = mapped_column(sa.String(32), default="", server_default=sa.text("''"))
    changed_at: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow)

    user: Mapped[User] = relationship()


class TopicChoice(Model):
    """How news of one topic arrive for one person; None: as usual."""

    __tablename__ = "topic_choices"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    topic: Mapped[Topic] = mapped_column(primary_key=True)
    mail: Mapped[Way | None]
    push: Mapped[bool | None]


class BoardChoice(Model):
    """The same for one board alone; None: as on all boards."""

    __tablename__ = "board_choices"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    board_id: Mapped[int] = mapped_column(sa.ForeignKey("boards.id", ondelete="CASCADE"), primary_key=True, index=True)
    topic: Mapped[Topic] = mapped_column(primary_key=True)
    mail: Mapped[Way | None]
    push: Mapped[bool | None]

    board: Mapped[Board] = relationship()
