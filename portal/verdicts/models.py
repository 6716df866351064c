"""Tables of the question that follows what came out, and of the answers to it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow
from portal.ideas.models import Idea

WORDS_MAX = 500


class Says(StrEnum):
    """What somebody says of what came."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"

    @property
    def label(self) -> str:
        """The answer as people read it."""
        return str(LABELS[self])


LABELS = {Says.YES: _l("Yes"), Says.PARTLY: _l("Partly"), Says.NO: _l("No")}


class End(StrEnum):
    """How a round of answers ended."""

    CONFIRMED = "confirmed"
    REOPENED = "reopened"
    MIXED = "mixed"  # its time was over, and the answers said neither
    MOVED = "moved"  # the team moved the idea before
    CALLED_OFF = "called off"  # the team did not want to ask

    @property
    def label(self) -> str:
        """How it ended, in a few words."""
        return str(_ENDS[self])


_ENDS = {
    End.CONFIRMED: _l("Confirmed"),
    End.REOPENED: _l("Reopened"),
    End.MIXED: _l("Opinions differ"),
    End.MOVED: _l("The idea moved on before"),
    End.CALLED_OFF: _l("Not asked"),
}


class Round(Model):
    """The question about one idea that came out: once to everybody behind it, then open for a time."""

    __tablename__ = "verdict_rounds"
    __table_args__ = (
        sa.UniqueConstraint("change_id"),
        sa.CheckConstraint("yes >= 0 AND partly >= 0 AND no >= 0", name="answers_not_negative"),
        sa.Index(
            "ix_verdict_rounds_open",
            "ask_at",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)
    change_id: Mapped[int] = mapped_column(sa.ForeignKey("status_changes.id", ondelete="CASCADE"))
    ask_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    looked_at: Mapped[datetime] = mapped_column(default=utcnow)  # whether time has ended it
    asked: Mapped[int] = mapped_column(default=0)  # people, when it was asked
    yes: Mapped[int] = mapped_column(default=0)  # these three move with the answers
    partly: Mapped[int] = mapped_column(default=0)
    no: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None]
    end: Mapped[End | None]

    idea: Mapped[Idea] = relationship()

    @property
    def answers(self) -> int:
        """How many have answered."""
        return self.yes + self.partly + self.no

    @property
    def is_open(self) -> bool:
        """Whether it was asked and can still be answered."""
        return self.asked_at is not None and self.ended_at is None


class Verdict(Model):
    """What one person says of what came; it can be changed while the round is open."""

    __tablename__ = "verdicts"

    round_id: Mapped[int] = mapped_column(sa.ForeignKey("verdict_rounds.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    says: Mapped[Says]
    words: Mapped[str] = mapped_column(sa.String(WORDS_MAX), default="")
    at: Mapped[datetime] = mapped_column(default=utcnow)

    round: Mapped[Round] = relationship()
    user: Mapped[User] = relationship()
