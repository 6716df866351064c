"""Tables of ideas and of what people do with them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.boards.models import Board
from portal.db import Model, utcnow
from portal.ideas.workflow import Publication, Status, StatusRule, rule_of
from portal.teams.models import Team

TITLE_MAX, TITLE_MIN, TEXT_MAX = 140, 5, 20_000
OBJECTION_MAX = NOTE_MAX = 280


class Nature(StrEnum):
    """What an idea says: what people need, how that could be met, or both."""

    NEED = "need"
    SOLUTION = "solution"
    BOTH = "both"


idea_tags = sa.Table(
    "idea_tags",
    Model.metadata,
    sa.Column("idea_id", sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Idea(Model):
    """A need that people describe, back with votes and follow to its outcome."""

    __tablename__ = "ideas"
    __table_args__ = (
        sa.UniqueConstraint("source", "external_id"),
        sa.CheckConstraint("votes >= 0", name="votes_not_negative"),
        sa.CheckConstraint("comments >= 0", name="comments_not_negative"),
        sa.CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_merged_into_itself"),
        sa.Index(None, "publication", "votes", "id"),
        sa.Index(None, "publication", "heat", "id"),
        sa.Index(None, "publication", "published_at", "id"),
        sa.Index(None, "publication", "answered_at", "id"),
        sa.Index(None, "board_id", "publication", "votes", "id"),
        sa.Index(None, "board_id", "publication", "heat", "id"),
        sa.Index(None, "board_id", "publication", "published_at", "id"),
        sa.Index(None, "status", "publication", "votes", "id"),
        sa.Index(None, "status", "publication", "published_at", "id"),
        sa.Index(None, "status", "publication", "due_at", "id"),
        sa.Index(None, "status", "publication", "status_since", "board_id"),
        sa.Index(None, "author_id", "published_at"),
        sa.Index(None, "owner_id", "due_at"),
        sa.Index(None, "team_id", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    board_id: Mapped[int] = mapped_column(sa.ForeignKey("boards.id"))
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    team_id: Mapped[int | None] = mapped_column(sa.ForeignKey("teams.id"))
    title: Mapped[str] = mapped_column(sa.String(TITLE_MAX))
    need: Mapped[str] = mapped_column(sa.Text, default="")
    proposal: Mapped[str] = mapped_column(sa.Text, default="")
    need_html: Mapped[str] = mapped_column(sa.Text, default="")
    proposal_html: Mapped[str] = mapped_column(sa.Text, default="")
    excerpt: Mapped[str] = mapped_column(sa.String(240), default="")
    status: Mapped[Status] = mapped_column(default=Status.NEW)
    stage: Mapped[str] = mapped_column(sa.String(40), default="", server_default=sa.text("''"))  # of that status
    status_since: Mapped[datetime] = mapped_column(default=utcnow)
    publication: Mapped[Publication] = mapped_column(default=Publication.PUBLISHED)
    published_at: Mapped[datetime] = mapped_column(default=utcnow)
    edited_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]  # the team's next word
    reminded_at: Mapped[datetime | None]  # the author, of our question
    review_on: Mapped[date | None]
    expected: Mapped[str] = mapped_column(sa.String(60), default="")
    nature: Mapped[Nature | None]  # None: as it is written
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ideas.id"), index=True)
    votes: Mapped[int] = mapped_column(default=0)  # people behind it, through merged ideas too; moves with its rows
    comments: Mapped[int] = mapped_column(default=0)
    heat: Mapped[float] = mapped_column(default=0.0)  # see ideas.heat
    source: Mapped[str | None] = mapped_column(sa.String(40))  # where it was imported from
    external_id: Mapped[str | None] = mapped_column(sa.String(100))

    board: Mapped[Board] = relationship(foreign_keys=[board_id])
    author: Mapped[User | None] = relationship(foreign_keys=[author_id])
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])
    team: Mapped[Team | None] = relationship()
    merged_into: Mapped[Idea | None] = relationship(remote_side=[id])
    tags: Mapped[list[Tag]] = relationship(secondary=idea_tags, order_by=lambda: Tag.name)

    @property
    def rule(self) -> StatusRule:
        """What its status is called, and what holds there."""
        return rule_of(self.status, self.stage)

    @property
    def takes_votes(self) -> bool:
        """Whether this status lets people back the idea."""
        return self.publication is Publication.PUBLISHED and self.rule.takes_votes

    def takes_comments(self, now: datetime) -> bool:
        """Whether the discussion is open at this moment."""
        rule = self.rule
        in_time = rule.comments_for is None or now < self.status_since + rule.comments_for
        return self.publication is Publication.PUBLISHED and rule.takes_comments and in_time

    @property
    def is_published(self) -> bool:
        """Whether the idea is shown to everybody who may see its board."""
        return self.publication is Publication.PUBLISHED


class Tag(Model):
    """A word that ideas have in common."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(30), unique=True)


class VoteOrigin(StrEnum):
    """How a vote came to be."""

    OWN = "own"
    BEHALF = "behalf"  # somebody of the team gave it for a person who asked for it elsewhere
    IMPORTED = "imported"


class Vote(Model):
    """One person behind one idea; the primary key allows it once."""

    __tablename__ = "votes"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    voter_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    cast_at: Mapped[datetime] = mapped_column(default=utcnow)
    origin: Mapped[VoteOrigin] = mapped_column(default=VoteOrigin.OWN, server_default="own")
    cast_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))  # who gave it on behalf
    note: Mapped[str] = mapped_column(sa.String(NOTE_MAX), default="", server_default=sa.text("''"))  # how we know
    set_aside_at: Mapped[datetime | None]  # counts nowhere while this is set; see VoteSetAside


class VoteSetAside(Model):
    """What the team decided of one person's vote for one idea: it does not count, also when it is cast again."""

    __tablename__ = "votes_set_aside"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    voter_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(sa.String(NOTE_MAX))


class Follow(Model):
    """Why one person is told of changes to one idea; kept, muted, when they want no more."""

    __tablename__ = "follows"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    is_author: Mapped[bool] = mapped_column(default=False)
    is_voter: Mapped[bool] = mapped_column(default=False)
    is_commenter: Mapped[bool] = mapped_column(default=False)
    by_choice: Mapped[bool] = mapped_column(default=False)
    muted: Mapped[bool] = mapped_column(default=False)
    decisions_only: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # quieter, and not silent
    since: Mapped[datetime] = mapped_column(default=utcnow)


class StatusChange(Model):
    """One move of an idea, as it is remembered for good."""

    __tablename__ = "status_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)
    source: Mapped[Status]
    target: Mapped[Status]
    source_stage: Mapped[str] = mapped_column(sa.String(40), default="", server_default=sa.text("''"))
    target_stage: Mapped[str] = mapped_column(sa.String(40), default="", server_default=sa.text("''"))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(sa.Text, default="")
    into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ideas.id"), index=True)
    since_before: Mapped[datetime]  # what an undo puts back
    due_before: Mapped[datetime | None]
    told: Mapped[int] = mapped_column(default=0)
    overrides: Mapped[bool] = mapped_column(default=False)  # an admin's move outside the table
    before: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))  # what else an undo puts back
    undone_at: Mapped[datetime | None]  # taken back as if it had never been; see ideas.taking_back
    notice: Mapped[str] = mapped_column(sa.Text, default="", server_default=sa.text("''"))  # what a merge told people
    quoted: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # merged words shown under the main

    @property
    def came_from(self) -> StatusRule:
        """Where the idea stood before."""
        return rule_of(self.source, self.source_stage)

    @property
    def led_to(self) -> StatusRule:
        """Where it stood from then on."""
        return rule_of(self.target, self.target_stage)

    actor: Mapped[User | None] = relationship()
    idea: Mapped[Idea] = relationship(foreign_keys=[idea_id])
    into: Mapped[Idea | None] = relationship(foreign_keys=[into_id])


class Objection(Model):
    """One supporter of a merged idea saying “this is not what I meant”: through that merge they do not count."""

    __tablename__ = "merge_objections"
    __table_args__ = (
        sa.UniqueConstraint("change_id", "user_id"),
        sa.Index(
            "ix_merge_objections_standing",
            "idea_id",
            "user_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    change_id: Mapped[int] = mapped_column(sa.ForeignKey("status_changes.id", ondelete="CASCADE"))
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    words: Mapped[str] = mapped_column(sa.String(OBJECTION_MAX), default="")
    at: Mapped[datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[datetime | None]  # when that merge was taken back

    change: Mapped[StatusChange] = relationship()
    user: Mapped[User] = relationship()


class Answer(Model):
    """The team's public word on an idea; the newest is pinned, earlier ones stay readable."""

    __tablename__ = "answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)
    change_id: Mapped[int | None] = mapped_column(sa.ForeignKey("status_changes.id", ondelete="SET NULL"))
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    status: Mapped[Status]  # where the idea stood when this was said
    stage: Mapped[str] = mapped_column(sa.String(40), default="", server_default=sa.text("''"))
    body: Mapped[str] = mapped_column(sa.Text)
    body_html: Mapped[str] = mapped_column(sa.Text, default="")
    alternative: Mapped[str] = mapped_column(sa.Text, default="")
    reversal: Mapped[str] = mapped_column(sa.Text, default="")
    link: Mapped[str] = mapped_column(sa.String(500), default="")
    at: Mapped[datetime] = mapped_column(default=utcnow)
    due_before: Mapped[datetime | None]  # what taking back an answer without a move restores
    taken_back_at: Mapped[datetime | None]  # nobody reads it any more; kept for the record

    author: Mapped[User | None] = relationship()
    idea: Mapped[Idea] = relationship()

    @property
    def said_at(self) -> StatusRule:
        """Where the idea stood when this was said."""
        return rule_of(self.status, self.stage)


class Revision(Model):
    """What an idea said before an edit."""

    __tablename__ = "revisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)
    editor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    title: Mapped[str] = mapped_column(sa.String(TITLE_MAX))
    need: Mapped[str] = mapped_column(sa.Text)
    proposal: Mapped[str] = mapped_column(sa.Text)


class Draft(Model):
    """What a member has typed into the form and not posted yet: one a person, seen by nobody else."""

    __tablename__ = "drafts"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    title: Mapped[str] = mapped_column(sa.Text, default="")
    need: Mapped[str] = mapped_column(sa.Text, default="")
    proposal: Mapped[str] = mapped_column(sa.Text, default="")
    board: Mapped[str] = mapped_column(sa.String(60), default="")
    saved_at: Mapped[datetime] = mapped_column(default=utcnow)
