"""What is asked of the database for every single mail: statements that are built once, for they are many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import joinedload

from portal import leases
from portal.accounts.models import User
from portal.db import db, on_sqlite, utcnow
from portal.ideas.followers import reaches
from portal.ideas.models import Follow, Idea
from portal.notifications.models import Mail, Notification
from portal.notifications.reach import Reach
from portal.options import option


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands to an idea now: whether they want no more of it, and which news of it go out to them."""

    muted: bool
    hears: bool
    hears_more: bool  # than decisions

    def is_heard(self, *, also_quiet: bool) -> bool:
        """Whether news of the idea go out to them, who may have asked for its decisions only."""
        return self.hears if also_quiet else self.hears_more


def load(mail_id: int) -> Mail | None:
    """Return a mail as it is now, with its reader, what they chose about being reached, and what it tells of."""
    return db.session.scalars(_mail(), {"mail_id": mail_id}).one_or_none()


def is_muted(user: User, idea: Idea) -> bool:
    """Whether the user wants no more of this idea."""
    return db.session.scalar(_muted(), {"reader_id": user.id, "heard_id": idea.id}) is not None


def is_heard(user: User, idea: Idea, *, also_quiet: bool) -> bool:
    """Whether news of an idea go out to the user, who may have asked for its decisions only."""
    return db.session.scalar(_heard(also_quiet), {"reader_id": user.id, "heard_id": idea.id}) is not None


def standing_of(user: User, idea: Idea) -> Standing:
    """Return both at once."""
    return Standing(*db.session.execute(_standing(), {"reader_id": user.id, "heard_id": idea.id}).one())


def before_leaving(mail_id: int, reader_id: int | None, letters: list[str] | None) -> sa.Row[bool, int, bool] | None:
    """Return whether the mail is still ours to send, how often its end was unknown, and whether it is one too many.

    It is that where as many mails reached this person in 24 hours, or are on their way, as they get at most;
    ``letters`` do not count, and for one of them (None) nothing is counted. Whoever counts for the same person waits.
    """
    if letters is None:
        alone = {"mail_id": mail_id, "worker": leases.WORKER_NAME}
        return db.session.execute(_before_leaving(False), alone).one_or_none()
    if not on_sqlite():  # which has one writer anyway
        db.session.execute(_locked_reader(), {"reader_id": reader_id})
    asked = {"mail_id": mail_id, "worker": leases.WORKER_NAME, "reader_id": reader_id, "letters": letters}
    asked |= {"since": utcnow() - timedelta(days=1), "usual": option("mails_a_day")}
    return db.session.execute(_before_leaving(True), asked).one_or_none()


def note_leaving(mail_id: int, until: datetime) -> bool:
    """Note that the mail leaves now, and until when nobody else looks at it: its end is unknown from here on.

    False, and nothing is noted, where another worker took it over in this very moment.
    """
    leaving = {"mail_id": mail_id, "worker": leases.WORKER_NAME, "until": until}
    noted: Any = db.session.execute(_leaving(), leaving, execution_options={"preserve_rowcount": True})
    return bool(noted.rowcount)


def note_taken(mail_id: int) -> None:
    """Note that the server has taken the mail."""
    db.session.execute(_taken(), {"mail_id": mail_id, "now": utcnow()})


@cache
def _mail() -> Select[Mail]:
    news = joinedload(Mail.notification).joinedload(Notification.record)
    whole = joinedload(Mail.user), joinedload(Mail.reach), news
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
def _standing() -> Select[bool, bool, bool]:
    return select(_muted().exists(), _heard(True).exists(), _heard(False).exists())


@cache
def _before_leaving(counted: bool) -> Select[bool, int, bool]:
    ours = Mail.done_at.is_(None) & Mail.given_up_at.is_(None)
    ours &= sa.func.coalesce(Mail.locked_by == bindparam("worker"), sa.false())
    too_many = _is_one_too_many() if counted else sa.false()
    return select(ours, Mail.unknown_ends, too_many).where(Mail.id == bindparam("mail_id"))


def _is_one_too_many() -> ColumnElement[bool]:
    sent = (Mail.done_at > bindparam("since")) & Mail.suppressed.is_(None)
    leaving = Mail.done_at.is_(None) & Mail.given_up_at.is_(None) & (Mail.unknown_ends > 0)
    others = select(sa.func.count()).where(Mail.user_id == bindparam("reader_id"), Mail.id != bindparam("mail_id"))
    others = others.where(Mail.kind.not_in(bindparam("letters", expanding=True)), sent | leaving).correlate(None)
    chosen = select(Reach.mails_a_day).where(Reach.user_id == bindparam("reader_id")).scalar_subquery()
    usual: Any = bindparam("usual", type_=sa.Integer)
    return others.scalar_subquery() >= sa.func.coalesce(chosen, usual)


@cache
def _locked_reader() -> Select[int]:
    return select(User.id).where(User.id == bindparam("reader_id")).with_for_update()


@cache
def _leaving() -> sa.Update:
    mails: Any = Mail.__table__
    until = {"unknown_ends": mails.c.unknown_ends + 1, "locked_until": bindparam("until")}
    ours = (mails.c.id == bindparam("mail_id")) & (mails.c.locked_by == bindparam("worker"))
    return sa.update(mails).where(ours, mails.c.done_at.is_(None)).values(until)


@cache
def _taken() -> sa.Update:
    mails: Any = Mail.__table__
    done = {"done_at": bindparam("now"), "unknown_ends": 0, "error": None, "locked_until": None, "locked_by": None}
    done["given_up_at"] = None  # another worker may not have known whether it arrived
    return sa.update(mails).where(mails.c.id == bindparam("mail_id")).values(done)
