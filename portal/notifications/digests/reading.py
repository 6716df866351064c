"""What a digest is read from: by statements that are built once, for thousands are read at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.db import db
from portal.events import EventRecord
from portal.ideas.models import Follow, Idea
from portal.ideas.promised import Promise, Promised
from portal.ideas.queries import is_out_for
from portal.ideas.workflow import Status
from portal.notifications.digests.models import Digest, DigestItem
from portal.notifications.models import Mail, Notification
from portal.notifications.queries import notifications_for

MOST_NEWS = 300  # of one digest; the inbox has the rest
NEW_IDEAS = LATE_IDEAS = 5


def digest_of(mail: Mail) -> tuple[Digest | None, datetime | None]:
    """Return the digest that a mail carries, and the moment of the last one before it that went out to its reader."""
    wanted = {"digest_id": mail.data["digest"], "mail_id": mail.id, "reader_id": mail.user_id, "kind": mail.kind}
    row = db.session.execute(_digest(), wanted).one_or_none()
    return (row[0], row[1]) if row else (None, None)


def news_of(digest: Digest, reader: User) -> Sequence[sa.Row[Notification, Follow | None]]:
    """Return the newest of what a digest was made for, newest first, and how its reader follows what it is about.

    It is what is unread, may be read now and is about no muted idea.
    """
    return db.session.execute(*_newest(reader, MOST_NEWS, digest_id=digest.id)).all()


def count_news(digest: Digest, reader: User) -> int:
    """Count all there is of it."""
    return db.session.scalar(*_counted(reader, digest_id=digest.id)) or 0


def late_for(reader: User, since: datetime, until: datetime) -> Sequence[Promise]:
    """Return the promises that became late meanwhile, and still are, on ideas that somebody follows."""
    return db.session.scalars(*_late(reader, since=since, until=until)).all()


def new_for(reader: User, since: datetime, until: datetime) -> Sequence[Idea]:
    """Return the new ideas with most votes on boards where somebody posted, voted or commented; none they follow."""
    return db.session.scalars(*_new(reader, since=since, until=until)).all()


@cache
def _digest() -> Select[Digest, datetime | None]:
    before, sent = aliased(Digest), aliased(Mail)
    last = (
        select(before.due_at)
        .join(sent, sent.data["digest"].as_integer() == before.id)
        .where(sent.user_id == bindparam("reader_id"), sent.kind == bindparam("kind"))
        .where(sent.id < bindparam("mail_id"), sent.done_at.is_not(None), sent.suppressed.is_(None))
        .order_by(sent.id.desc())
        .limit(1)
    )
    return select(Digest, last.scalar_subquery()).where(Digest.id == bindparam("digest_id"))


def _unread(reader: Person, digest_id: Any) -> Select[Notification]:
    mine = (Follow.user_id == reader.id) & (Follow.idea_id == Notification.idea_id)
    told = notifications_for(reader).join(DigestItem, DigestItem.notification_id == Notification.id)
    told = told.outerjoin(Follow, mine).where(DigestItem.digest_id == digest_id, Notification.read_at.is_(None))
    return told.where(sa.func.coalesce(Follow.muted, sa.false()).is_(False))


@built_once
def _newest(reader: Person, most: int, *, digest_id: Any) -> Select[Notification, Follow | None]:
    record = joinedload(Notification.record).load_only(EventRecord.data, EventRecord.actor_id, EventRecord.name)
    newest = _unread(reader, digest_id).add_columns(Follow).options(record)
    return newest.order_by(Notification.id.desc()).limit(most)


@built_once
def _counted(reader: Person, *, digest_id: Any) -> Select[int]:
    return select(sa.func.count()).select_from(_unread(reader, digest_id).subquery())


@built_once
def _late(reader: Person, *, since: Any, until: Any) -> Select[Promise]:
    followed = select(Follow.idea_id).where(Follow.user_id == reader.id, ~Follow.muted)
    late = select(Promise).join(Promise.idea).where(Promise.due_at > since, Promise.due_at <= until)
    late = late.where(Promise.ended_at.is_(None), Promise.kind != Promised.REVIEW)
    late = late.where(Promise.idea_id.in_(followed), is_out_for(reader)).options(contains_eager(Promise.idea))
    return late.order_by(Promise.due_at, Promise.id).limit(LATE_IDEAS)


@built_once
def _new(reader: Person, *, since: Any, until: Any) -> Select[Idea]:
    followed = select(Follow.idea_id).where(Follow.user_id == reader.id)
    parts = followed.where(Follow.is_author | Follow.is_voter | Follow.is_commenter)
    new = select(Idea).where(Idea.published_at > since, Idea.published_at <= until, Idea.status != Status.MERGED)
    new = new.where(is_out_for(reader), Idea.board_id.in_(select(Idea.board_id).where(Idea.id.in_(parts))))
    new = new.where(Idea.author_id.is_distinct_from(reader.id), Idea.id.not_in(followed))
    return new.options(joinedload(Idea.board)).order_by(Idea.votes.desc(), Idea.id.desc()).limit(NEW_IDEAS)
