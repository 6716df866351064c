"""The way to the mail server: open, or failing since when and why; while it fails, nobody knocks at every mail."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.db import db, insert_if_absent, utcnow
from portal.events import emit
from portal.notifications.events import MailFlows, MailStuck
from portal.notifications.models import Mail, MailLine
from portal.transactions import transaction

KEY = "smtp"
MOST_WAIT = 300  # seconds between knocks: what an outage of hours costs afterwards at most
WORTH_TELLING = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)


def state() -> MailLine | None:
    """Return how the way is; None before the first mail."""
    return db.session.get(MailLine, KEY)


def stuck_since() -> datetime | None:
    """Return since when no mail goes out, once that is long enough for everybody on the team to know."""
    line, now = state(), utcnow()
    if line is None or line.failing_since is None or now - line.failing_since < WORTH_TELLING:
        return None
    return line.failing_since


def is_free(now: datetime) -> bool:
    """Whether the mail server may be tried now."""
    line = state()
    return line is None or line.next_try_at is None or line.next_try_at <= now


def note_success() -> None:
    """Note that mails go out."""
    now, line = utcnow(), state()
    if line is not None and line.failing_since is None and line.sent_at and now - line.sent_at < MINUTE:
        return
    with transaction(wake=False):
        line = _kept()
        line.sent_at, line.failing_since, line.failures, line.next_try_at, line.words = now, None, 0, None, ""


def note_failure(words: str, *, wait: bool) -> None:
    """Note that none went out and what was said; ``wait`` before the server is tried again, each time longer."""
    now = utcnow()
    with transaction(wake=False):
        line = _kept()
        line.failing_since = line.failing_since or now
        line.failures, line.words = line.failures + 1, words[:500]
        seconds = min(MOST_WAIT, 2 ** min(line.failures, 20))
        line.next_try_at = now + timedelta(seconds=seconds) if wait else None


def is_shut_to_several() -> bool:
    """Whether mails to two addresses at least were put off: one alone is a full mailbox, and no trouble of the way."""
    address = sa.func.coalesce(Mail.recipient, sa.cast(Mail.user_id, sa.String))
    put_off = sa.select(sa.func.count(address.distinct())).where(
        Mail.done_at.is_(None), Mail.given_up_at.is_(None), Mail.error.is_not(None)
    )
    return (db.session.scalar(put_off) or 0) > 1


def knock_again() -> None:
    """Let the server be tried at once, in the caller's transaction: somebody asked for it."""
    line = state()
    if line is not None:
        line.next_try_at = None


def watch() -> int:
    """Tell admins that no mail went out for half an hour, and when it does again."""
    now, line = utcnow(), state()
    if line is None or not (_is_stuck(line, now) or _flows_again(line)):
        return 0
    with transaction():
        line = _kept()
        if _is_stuck(line, now) and line.failing_since:
            line.told_at = now
            emit(MailStuck(since=line.failing_since.isoformat(), said=line.words))
        elif _flows_again(line):
            line.told_at = None
            emit(MailFlows())
    return 1


def _is_stuck(line: MailLine, now: datetime) -> bool:
    return line.told_at is None and line.failing_since is not None and now - line.failing_since >= WORTH_TELLING


def _flows_again(line: MailLine) -> bool:
    return line.told_at is not None and line.failing_since is None


def _kept() -> MailLine:
    insert_if_absent(MailLine, key=KEY)
    return db.session.get_one(MailLine, KEY, with_for_update=True, populate_existing=True)
