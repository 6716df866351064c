"""Tables of what the team says among itself; nothing in them ever reaches members."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.boards.models import Board
from portal.db import Model, utcnow
from portal.ideas.models import Idea

NOTE_MAX, REMARK_MAX, NAME_MAX, SNIPPET_MAX = 5_000, 2_000, 60, 5_000


class Note(Model):
    """What somebody of the team wants colleagues to know about an idea."""

    __tablename__ = "notes"
    __table_args__ = (sa.Index(None, "idea_id", "at", "id"), sa.Index(None, "deleted_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)
    body: Mapped[str] = mapped_column(sa.Text)
    body_html: Mapped[str] = mapped_column(sa.Text, default="")
    at: Mapped[datetime] = mapped_column(default=utcnow)
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]  # for a day it can be brought back, then the row goes

    author: Mapped[User | None] = relationship()
    idea: Mapped[Idea] = relationship()


class NoteMention(Model):
    """A colleague whom a note calls by name."""

    __tablename__ = "note_mentions"

    note_id: Mapped[int] = mapped_column(sa.ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    handle: Mapped[str] = mapped_column(sa.String(NAME_MAX))  # what stands behind the @


class DraftState(StrEnum):
    """How far a draft is."""

    WRITING = "writing"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SENT_BACK = "sent_back"
    PUBLISHED = "published"
    DROPPED = "dropped"

    @property
    def label(self) -> str:
        """The state as people read it."""
        return str(STATE_LABELS[self])


STATE_LABELS = {
    DraftState.WRITING: _l("Being written"),
    DraftState.IN_REVIEW: _l("Waits for a review"),
    DraftState.APPROVED: _l("Approved"),
    DraftState.SENT_BACK: _l("Sent back"),
    DraftState.PUBLISHED: _l("Published"),
    DraftState.DROPPED: _l("Dropped"),
}
OPEN_STATES = (DraftState.WRITING, DraftState.IN_REVIEW, DraftState.APPROVED, DraftState.SENT_BACK)


class AnswerDraft(Model):
    """An official answer, or a whole move with all that is said in it, before it is published."""

    __tablename__ = "answer_drafts"
    __table_args__ = (sa.Index(None, "state", "reviewer_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)
    edited_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)
    reviewer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)
    target: Mapped[str] = mapped_column(sa.String(60))  # the move it is for; "answer" for a word without a move
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)  # as the form posted them
    shown: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the same, by the labels that people read
    state: Mapped[DraftState] = mapped_column(default=DraftState.WRITING)
    version: Mapped[int] = mapped_column(default=1)
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    edited_at: Mapped[datetime] = mapped_column(default=utcnow)
    asked_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    idea: Mapped[Idea] = relationship()
    schedule: Mapped[ScheduledDraft | None] = relationship(back_populates="draft", viewonly=True)
    author: Mapped[User | None] = relationship(foreign_keys=[author_id])
    edited_by: Mapped[User | None] = relationship(foreign_keys=[edited_by_id])
    reviewer: Mapped[User | None] = relationship(foreign_keys=[reviewer_id])

    @property
    def is_open(self) -> bool:
        """Whether something can still become of it."""
        return self.state in OPEN_STATES

    @property
    def board_id(self) -> int:
        """The board whose team it belongs to."""
        return self.idea.board_id


class ScheduledDraft(Model):
    """When a draft goes out by itself, in whose name, and what was checked when that was decided."""

    __tablename__ = "scheduled_drafts"

    draft_id: Mapped[int] = mapped_column(sa.ForeignKey("answer_drafts.id", ondelete="CASCADE"), primary_key=True)
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)
    version: Mapped[int]  # of the draft: other words need another decision
    seen: Mapped[str] = mapped_column(sa.String(60))  # where the idea stood
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what is said, as it was checked
    set_at: Mapped[datetime] = mapped_column(default=utcnow)
    publish_at: Mapped[datetime | None] = mapped_column(index=True)  # None: held back
    held_back_at: Mapped[datetime | None]
    held_why: Mapped[str] = mapped_column(sa.String(30), default="", server_default=sa.text("''"))
    held_facts: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    why: Mapped[str] = mapped_column(sa.String(300), default="")  # in words, as it was written down at first

    draft: Mapped[AnswerDraft] = relationship(back_populates="schedule", viewonly=True)
    by: Mapped[User | None] = relationship()


class DraftRemark(Model):
    """What somebody of the team says about a draft, with or without a verdict."""

    __tablename__ = "draft_remarks"

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(sa.ForeignKey("answer_drafts.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)
    verdict: Mapped[str] = mapped_column(sa.String(20), default="")  # the state that came with it
    body: Mapped[str] = mapped_column(sa.Text, default="")
    body_html: Mapped[str] = mapped_column(sa.Text, default="")
    at: Mapped[datetime] = mapped_column(default=utcnow)

    author: Mapped[User | None] = relationship()


class Snippet(Model):
    """Wording kept for answers: one's own, or everybody's."""

    __tablename__ = "snippets"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    board_id: Mapped[int | None] = mapped_column(sa.ForeignKey("boards.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.String(NAME_MAX))
    body: Mapped[str] = mapped_column(sa.Text)
    edited_at: Mapped[datetime] = mapped_column(default=utcnow)

    owner: Mapped[User | None] = relationship()  # None: shared
    board: Mapped[Board | None] = relationship()  # None: for every board

    @property
    def is_shared(self) -> bool:
        """Whether colleagues have it too."""
        return self.owner_id is None
