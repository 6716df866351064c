"""Tables of what people are told and of the mails that carry it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow
from portal.events import EventRecord
from portal.ideas.models import Idea
from portal.leases import Leased
from portal.notifications.reach import Reach


class Notification(Model):
    """One person told of one event for one reason."""

    __tablename__ = "notifications"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "event_id"),
        sa.Index(None, "user_id", "id"),
        sa.Index(
            "ix_notifications_unread",
            "user_id",
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"))
    idea_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(30))
    reason: Mapped[str] = mapped_column(sa.String(20))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    read_at: Mapped[datetime | None]
    way: Mapped[str] = mapped_column(sa.String(10), default="inbox", server_default="inbox")  # besides the inbox

    user: Mapped[User] = relationship()
    idea: Mapped[Idea | None] = relationship()
    record: Mapped[EventRecord] = relationship()


class Mail(Leased, Model):
    """One mail to one person: queued with the notification, written when it is sent."""

    __tablename__ = "mails"
    __table_args__ = (
        sa.Index(
            "ix_mails_due",
            "available_at",
            "id",
            sqlite_where=sa.text("done_at IS NULL AND given_up_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND given_up_at IS NULL"),
        ),
        sa.Index(None, "user_id", "done_at"),
        sa.Index(None, "recipient", "queued_at"),
        sa.Index(
            "ix_mails_set_aside",
            "given_up_at",
            sqlite_where=sa.text("given_up_at IS NOT NULL"),
            postgresql_where=sa.text("given_up_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(100), unique=True)  # its Message-ID comes from this
    kind: Mapped[str] = mapped_column(sa.String(30))
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    recipient: Mapped[str | None] = mapped_column(sa.String(254))  # None: the address that the user has when it is sent
    notification_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("notifications.id", ondelete="CASCADE"), index=True
    )
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    queued_at: Mapped[datetime] = mapped_column(default=utcnow)
    unknown_ends: Mapped[int] = mapped_column(default=0)  # times we died between handing over and noting it
    suppressed: Mapped[str | None] = mapped_column(sa.String(60))  # why it was not sent after all
    bounce: Mapped[str | None] = mapped_column(sa.String(10))  # how it came back: hard, soft, or a complaint
    bounced_at: Mapped[datetime | None]

    user: Mapped[User | None] = relationship()
    notification: Mapped[Notification | None] = relationship()
    reach: Mapped[Reach | None] = relationship(
        primaryjoin=lambda: foreign(Mail.user_id) == Reach.user_id, viewonly=True
    )

    @property
    def to(self) -> str:
        """The address it goes to."""
        return self.recipient or (self.user.email if self.user else "")


class MailAttempt(Model):
    """One time that a mail was handed over and not taken; the time that it was is in the mail itself."""

    __tablename__ = "mail_attempts"
    __table_args__ = (sa.Index(None, "mail_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mail_id: Mapped[int] = mapped_column(sa.ForeignKey("mails.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    ended: Mapped[str] = mapped_column(sa.String(20))
    words: Mapped[str] = mapped_column(sa.String(500))


class MailLine(Model):
    """How the way to the mail server is: one row, from the first time that a mail was handed over."""

    __tablename__ = "mail_line"

    key: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    sent_at: Mapped[datetime | None]  # when a mail was taken last, to the minute
    failing_since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]  # until then nobody knocks
    words: Mapped[str] = mapped_column(sa.String(500), default="")
    told_at: Mapped[datetime | None]  # when admins heard that no mail goes out


class CaughtMail(Model):
    """A mail kept in the portal instead of being sent: what ``catch:`` does."""

    __tablename__ = "caught_mails"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    recipient: Mapped[str] = mapped_column(sa.String(254))
    subject: Mapped[str] = mapped_column(sa.String(300))
    message_id: Mapped[str] = mapped_column(sa.String(200))
    raw: Mapped[str] = mapped_column(sa.Text)


class ReceivedMail(Model):
    """One mail that came in, so that it counts once; what it said is kept nowhere but where it was meant to stand."""

    __tablename__ = "received_mails"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(64), unique=True)  # a hash of its number, or of all of it
    at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    what: Mapped[str] = mapped_column(sa.String(20))
    outcome: Mapped[str] = mapped_column(sa.String(40))
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    idea_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"))
    comment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("comments.id", ondelete="SET NULL"))
    message_id: Mapped[str] = mapped_column(sa.String(200), default="")  # of a reply, for what follows in its thread


class Mailbox(Leased, Model):
    """The mailbox that is looked into by turns: when next, by whom, and what went wrong the last time."""

    __tablename__ = "mailboxes"

    name: Mapped[str] = mapped_column(sa.String(20), unique=True)
    id: Mapped[int] = mapped_column(primary_key=True)
    looked_at: Mapped[datetime | None]  # the last time that went well
    flagged: Mapped[int] = mapped_column(default=0, server_default="0")  # mails in it that could not be read
