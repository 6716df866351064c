"""Tables of pairs of ideas that may be one, of what members propose, and of every decision on them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow
from portal.ideas.models import Idea

WHY_MAX = 300


class State(StrEnum):
    """What became of a pair."""

    OPEN = "open"
    MERGED = "merged"
    REFUSED = "refused"
    KEPT_APART = "kept_apart"  # the same, on boards where nothing is joined


class Found(StrEnum):
    """Who saw first that two ideas may be one."""

    COMPUTED = "computed"
    PROPOSED = "proposed"
    STAFF = "staff"  # nobody had: the team decided on them of its own accord


class Verdict(StrEnum):
    """What was decided on a pair."""

    MERGED = "merged"
    REFUSED = "refused"
    KEPT_APART = "kept_apart"
    TAKEN_BACK = "taken_back"  # an undone merge
    OBJECTED = "objected"  # somebody said that it was not what they meant


class Pair(Model):
    """Two ideas, the earlier one first, and how sure it is that they say the same."""

    __tablename__ = "duplicate_pairs"
    __table_args__ = (
        sa.UniqueConstraint("first_id", "second_id"),
        sa.CheckConstraint("first_id < second_id", name="in_order"),
        sa.Index(
            "ix_duplicate_pairs_waiting",
            "weight",
            "id",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.Index(None, "state", "decided_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    first_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"))
    second_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)
    found: Mapped[Found]
    found_at: Mapped[datetime] = mapped_column(default=utcnow)
    strength: Mapped[str | None] = mapped_column(sa.String(20))  # None: only people saw it
    score: Mapped[float | None]  # how much of an idea's likeness to itself the other one has, from 0 to 1
    rank: Mapped[int | None]  # among all that is like the one of them, the better of both
    mutual: Mapped[bool] = mapped_column(default=False)  # nothing is more like either of them than the other one
    words: Mapped[str] = mapped_column(sa.Text, default="")  # stems they share, a space between
    state: Mapped[State] = mapped_column(default=State.OPEN)
    weight: Mapped[float] = mapped_column(default=0.0)  # the queue's order; see duplicates.weighing
    confirmed: Mapped[bool] = mapped_column(default=False)  # two champions agree
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None]

    first: Mapped[Idea] = relationship(foreign_keys=[first_id])
    second: Mapped[Idea] = relationship(foreign_keys=[second_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])

    @property
    def stems(self) -> frozenset[str]:
        """The stems by which they were found."""
        return frozenset(self.words.split())


class Proposal(Model):
    """A member who says that two ideas are the same; one a person and pair."""

    __tablename__ = "duplicate_proposals"
    __table_args__ = (sa.UniqueConstraint("pair_id", "proposer_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pair_id: Mapped[int] = mapped_column(sa.ForeignKey("duplicate_pairs.id", ondelete="CASCADE"))
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)  # said of this one
    proposer_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    as_champion: Mapped[bool] = mapped_column(default=False)
    why: Mapped[str] = mapped_column(sa.String(WHY_MAX), default="")
    at: Mapped[datetime] = mapped_column(default=utcnow)
    told_at: Mapped[datetime | None]  # what became of it

    pair: Mapped[Pair] = relationship()
    proposer: Mapped[User] = relationship()


class Decision(Model):
    """One decision on two ideas, with what the finder had said before it: what the report card is made of."""

    __tablename__ = "duplicate_decisions"
    __table_args__ = (
        sa.UniqueConstraint("change_id", "verdict"),
        sa.Index(None, "first_id", "second_id"),
        sa.Index(None, "verdict", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    first_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"))
    second_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)
    verdict: Mapped[Verdict]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    change_id: Mapped[int | None] = mapped_column(sa.ForeignKey("status_changes.id", ondelete="SET NULL"))
    suggested: Mapped[bool] = mapped_column(default=False)  # by the finder, before anybody decided
    strength: Mapped[str | None] = mapped_column(sa.String(20))
    score: Mapped[float | None]
    rank: Mapped[int | None]
    withdrawn_at: Mapped[datetime | None]  # a slip, undone at once: it counts for nothing


class ToCompare(Model):
    """An idea whose likely duplicates have to be looked for again."""

    __tablename__ = "duplicate_tasks"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)


class Scan(Model):
    """How far the look at all that was there already has come; one row."""

    __tablename__ = "duplicate_scan"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_id: Mapped[int] = mapped_column(default=0)  # ideas up to this one have been looked at, newer ones follow
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default=utcnow)
    done_at: Mapped[datetime | None]
