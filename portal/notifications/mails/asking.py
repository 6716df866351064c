"""What is asked of the database for every single mail: statements that are built once, for they are many."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import User
from portal.db import db, on_sqlite, utcnow
from portal.ideas.models import Follow, Idea
from portal.ideas.queries import reaches
from portal.notifications.models import Mail, Notification


def load(mail_id: int) -> Mail:
    """Return a mail as it is now, with its reader and what it tells of."""
    return db.session.scalars(_mail(), {"mail_id": mail_id}).one()


def is_muted(user: User, idea: Idea) -> bool:
    """Whether the user wants no more of this idea."""
    return db.session.scalar(_muted(), {"reader_id": user.id, "heard_id": idea.id}) is not None


def is_heard(user: User, idea: Idea, *, also_quiet: bool) -> bool:
    """Whether news of an idea go out to the user, who may have asked for its decisions only."""
    return db.session.scalar(_heard(also_quiet), {"reader_id": user.id, "heard_id": idea.id}) is not None


def mails_of_today(mail: Mail, letters: list[str]) -> int:
    """Count what reached this person in 24 hours or is on its way, but for letters; who counts for them too waits."""
    if not on_sqlite():  # which has one writer anyway
        db.session.execute(select(User.id).where(User.id == mail.user_id).with_for_update())
    asked = {"reader_id": mail.user_id, "mail_id": mail.id, "letters": letters, "since": utcnow() - timedelta(days=1)}
    return db.session.scalar(_today(), asked) or 0


@cache
def _mail() -> Select[Mail]:
    whole = joinedload(Mail.user), joinedload(Mail.notification).joinedload(Notification.record)
    found = select(Mail).where(Mail.id == bindparam("mail_id")).options(*whole)
    return found.execution_options(populate_existing=True)


@cache
def _muted() -> Select[int]:
    one = (Follow.user_id == bindparam("reader_id")) & (Follow.idea_id == bindparam("heard_id"))
    return select(Follow.user_id).where(one, Follow.muted)


@cache
def _heard(also_quiet: bool) -> Select[int]:
    idea_id: Any = bindparam("heard_id", type_=sa.Integer)
    heard = reaches(idea_id, also_quiet=also_quiet)
    return select(Follow.user_id).where(Follow.user_id == bindparam("reader_id"), heard).limit(1)


@cache
def _today() -> Select[int]:
    sent = (Mail.done_at > bindparam("since")) & Mail.suppressed.is_(None)
    leaving = Mail.done_at.is_(None) & Mail.given_up_at.is_(None) & (Mail.unknown_ends > 0)
    others = select(sa.func.count()).where(Mail.user_id == bindparam("reader_id"), Mail.id != bindparam("mail_id"))
    return others.where(Mail.kind.not_in(bindparam("letters", expanding=True)), sent | leaving)
