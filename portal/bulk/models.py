"""Tables of acts on many ideas: what was to be done, and what became of it with each idea."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow
from portal.ideas.models import Idea
from portal.ideas.steps import Tell

UNDO_WITHIN = timedelta(hours=24)


class Step(StrEnum):
    """How far an act has come."""

    PLANNED = "planned"  # tried out, and nothing was changed yet
    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class State(StrEnum):
    """What became of the act with one idea."""

    WAITING = "waiting"
    LEFT_OUT = "left_out"  # it could not be done, as ``why`` says
    DONE = "done"
    UNDONE = "undone"
    KEPT = "kept"  # it could not be taken back, as ``why`` says


class BulkAct(Model):
    """One thing that somebody does with many ideas."""

    __tablename__ = "bulk_acts"
    __table_args__ = (sa.Index(None, "step", "id"), sa.Index(None, "actor_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(sa.String(20))
    what: Mapped[dict[str, Any]] = mapped_column(default=dict)  # ids and words, as the kind of act reads them
    chosen: Mapped[str] = mapped_column(sa.String(100), default="")  # the queue they were all of; empty: one by one
    back: Mapped[str] = mapped_column(sa.String(300), default="")  # the page that its author came from
    tell: Mapped[Tell] = mapped_column(default=Tell.DIGEST)
    step: Mapped[Step] = mapped_column(default=Step.PLANNED)
    planned_at: Mapped[datetime] = mapped_column(default=utcnow)
    begun_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]  # when the one mail for all of it was queued, or there was none to queue
    undo_told_at: Mapped[datetime | None]  # the same, of its being taken back

    actor: Mapped[User | None] = relationship()

    @property
    def is_moving(self) -> bool:
        """Whether it changes where ideas stand, so that people hear of it."""
        return self.kind == "move"

    @property
    def is_under_way(self) -> bool:
        """Whether the worker has something left to do."""
        return self.step in {Step.RUNNING, Step.UNDOING}

    @property
    def undoable_until(self) -> datetime | None:
        """Until when it can be taken back."""
        return self.done_at + UNDO_WITHIN if self.done_at and self.step is Step.DONE else None


class BulkItem(Model):
    """One idea of an act."""

    __tablename__ = "bulk_items"
    __table_args__ = (sa.Index(None, "act_id", "state", "idea_id"),)

    act_id: Mapped[int] = mapped_column(sa.ForeignKey("bulk_acts.id", ondelete="CASCADE"), primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True, index=True)
    state: Mapped[State] = mapped_column(default=State.WAITING)
    why: Mapped[str] = mapped_column(sa.String(300), default="")
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what taking it back needs

    act: Mapped[BulkAct] = relationship()
    idea: Mapped[Idea] = relationship()
