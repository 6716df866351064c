"""Tables of decisions, of the reasons they are made for, and of the people who still need what was declined."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.workflow import Status

REASON_MAX, ABOUT_MAX, WORDS_MAX = 80, 200, 300

DECIDED = (Status.PLANNED, Status.NOT_NOW, Status.DECLINED, Status.AVAILABLE)
"""The kinds of status that an idea enters by a decision, and that leave a record."""

REVERSIBLE = (Status.NOT_NOW, Status.DECLINED)
"""Those that say under which condition the idea returns to review."""


class Reason(Model):
    """One reason of the team's list; a retired one stays readable where it was given and is offered no more."""

    __tablename__ = "decision_reasons"

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(sa.String(REASON_MAX))
    about: Mapped[str] = mapped_column(sa.String(ABOUT_MAX), default="")  # what it means, for everybody to read
    kinds: Mapped[str] = mapped_column(sa.String(120))  # the statuses it can be given for, with spaces between
    position: Mapped[int] = mapped_column(default=0)
    retired_at: Mapped[datetime | None]

    @property
    def statuses(self) -> list[Status]:
        """The kinds of status that it can be given for."""
        chosen = set(self.kinds.split())
        return [status for status in DECIDED if status.value in chosen]

    def be_for(self, statuses: Iterable[str]) -> None:
        """Offer it for these kinds of status from now on."""
        chosen = set(statuses)
        self.kinds = " ".join(status.value for status in DECIDED if status.value in chosen)

    def fits(self, status: Status) -> bool:
        """Whether it is offered for a decision of this kind."""
        return self.retired_at is None and status in self.statuses


class Decision(Model):
    """The record of one decision; its words are those of the official answer that came with it."""

    __tablename__ = "decisions"
    __table_args__ = (
        sa.Index(None, "idea_id", "at"),
        sa.Index(None, "at", "id"),
        sa.Index(None, "reason_id", "at"),
        sa.Index(None, "look_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"))
    change_id: Mapped[int | None] = mapped_column(sa.ForeignKey("status_changes.id", ondelete="CASCADE"), unique=True)
    answer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("answers.id", ondelete="SET NULL"), index=True)
    reason_id: Mapped[int | None] = mapped_column(sa.ForeignKey("decision_reasons.id"))
    decider_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)
    status: Mapped[Status]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    evidence: Mapped[str] = mapped_column(sa.Text, default="")
    evidence_html: Mapped[str] = mapped_column(sa.Text, default="")
    people: Mapped[int | None]  # so many who ask anew bring it back
    organisations: Mapped[int | None]  # so many of them behind it bring it back
    back_on: Mapped[date | None]  # this day brings it back
    votes_then: Mapped[int] = mapped_column(default=0)  # people behind it when it was decided
    look_at: Mapped[datetime | None]  # when to see next whether its condition is met; None: nothing to see
    revised_at: Mapped[datetime | None]

    idea: Mapped[Idea] = relationship()
    change: Mapped[StatusChange | None] = relationship()
    reason: Mapped[Reason | None] = relationship()
    answer: Mapped[Answer | None] = relationship()
    decider: Mapped[User | None] = relationship()

    @property
    def has_condition(self) -> bool:
        """Whether something that can be counted brings the idea back."""
        return self.people is not None or self.organisations is not None or self.back_on is not None

    @property
    def day_back(self) -> date | None:
        """The day that brings the idea back; where it is parked, that day can be put off like any promise."""
        stands = self.idea.status is self.status and self.idea.status_since == self.at
        parked = self.idea.review_on if stands and self.status is Status.NOT_NOW else None
        return parked or self.back_on

    @property
    def has_words(self) -> bool:
        """Whether the record says more than the official answer does by itself."""
        return bool(self.reason_id or self.evidence or self.has_condition)


class Need(Model):
    """One person who still needs what was declined; saying it again after another no dates it anew."""

    __tablename__ = "still_needed"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    words: Mapped[str] = mapped_column(sa.String(WORDS_MAX), default="")  # for the team
    at: Mapped[datetime] = mapped_column(default=utcnow)

    user: Mapped[User] = relationship()
