"""The chore that makes digests: for each person once at each moment that is due, and none when there is no news."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from portal.accounts.models import User
from portal.db import db, insert_absent, skip_locked, utcnow
from portal.ideas.taking_back import fold_window
from portal.notifications.digests.models import Digest, DigestClock, DigestItem
from portal.notifications.digests.rhythm import Beat
from portal.notifications.hours import zone_of
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Way
from portal.notifications.reach import Reach, Rhythm
from portal.transactions import transaction

LETTER = "digest"
BATCH = 200
KEPT_FOR = timedelta(days=31)  # what waited longer, because no digest could be sent, is news no more
LOOK_AGAIN = timedelta(days=1)  # for whoever gets none at present
WEEKDAY, HOUR = 4, 8
NOTHING_NEW = "nothing new to tell"


def expect(event_id: int) -> None:
    """Have a digest in time for whoever reads of an event there."""
    told = select(Notification.user_id).where(Notification.event_id == event_id, Notification.way == Way.DIGEST.value)
    insert_absent(DigestClock, ["user_id"], told)


def keep(notification_ids: Iterable[int], user: User) -> bool:
    """Put news that would have been one mail too many into the digest; return whether their reader has one."""
    if beat_of(user, db.session.get(Reach, user.id)) is None:
        return False
    news = Notification.id.in_(list(notification_ids))
    change = sa.update(Notification).where(news, Notification.user_id == user.id).values(way=Way.DIGEST.value)
    db.session.execute(change, execution_options={"synchronize_session": False})
    insert_absent(DigestClock, ["user_id"], select(User.id).where(User.id == user.id))
    return True


def give_back(digest_id: int) -> None:
    """Leave to the next digest what this one was to tell, which its reader never got."""
    db.session.execute(sa.delete(DigestItem).where(DigestItem.digest_id == digest_id))


def digest_that_told(notification: Notification) -> Digest | None:
    """Return the digest in which this was, if that has been sent."""
    item = db.session.get(DigestItem, notification.id)
    digest = db.session.get(Digest, item.digest_id) if item is not None else None
    if digest is None:
        return None
    sent = select(Mail.id).where(Mail.key == _key_of(digest), Mail.done_at.is_not(None), Mail.suppressed.is_(None))
    return digest if db.session.scalar(sent) is not None else None


def wind(user: User) -> None:
    """Reckon anew when the next digest is due: what somebody chose, or where they are, has changed."""
    db.session.flush()
    db.session.execute(sa.update(DigestClock).where(DigestClock.user_id == user.id).values(due_at=None))


def beat_of(user: User, reach: Reach | None) -> Beat | None:
    """Return when somebody wants digests; None for whoever wants none, or gets no mail at all."""
    if not user.can_get_mail or (reach and reach.digest is Rhythm.NEVER):
        return None
    weekly = reach is None or reach.digest is Rhythm.WEEKLY
    hour, weekday = (reach.digest_hour, reach.digest_weekday) if reach else (HOUR, WEEKDAY)
    return Beat(zone_of(user), hour, weekday if weekly else None)


def make_due() -> int:
    """Make the digests that are due; return for how many people it was looked at.

    A digest, what is in it, the mail that will carry it and the moment of the next are written together or not at all.
    """
    now = utcnow()
    waiting = select(DigestClock.user_id).where(DigestClock.due_at.is_(None) | (DigestClock.due_at <= now))
    if db.session.scalar(waiting.limit(1)) is None:
        return 0
    with transaction(wake=False):
        next_ones = waiting.order_by(DigestClock.due_at, DigestClock.user_id).limit(BATCH)
        ids = list(db.session.scalars(skip_locked(next_ones)))
        write(_set_clocks(ids, now), now)
    return len(ids)


def write(due: dict[int, datetime], now: datetime) -> None:
    """Write the digest of a moment, and its mail, for each of these people who has news for it."""
    _take_back(due)
    news = defaultdict(list)
    waiting = _is_for_a_digest(now) & Notification.user_id.in_(due)
    for user_id, notification_id in db.session.execute(select(Notification.user_id, Notification.id).where(waiting)):
        news[user_id].append(notification_id)
    digests = {user_id: Digest(user_id=user_id, due_at=due[user_id], made_at=now) for user_id in news}
    db.session.add_all(digests.values())
    db.session.flush()
    items = [{"notification_id": n, "digest_id": digests[user_id].id} for user_id, ids in news.items() for n in ids]
    if items:
        db.session.execute(sa.insert(DigestItem), items)
    db.session.add_all(
        Mail(key=_key_of(digest), kind=LETTER, user_id=user_id, data={"digest": digest.id})
        for user_id, digest in digests.items()
    )


def _take_back(due: Iterable[int]) -> None:
    """Have what digests were to tell that no mail server took told by the next one."""
    refused = select(Mail.data).where(Mail.user_id.in_(due), Mail.kind == LETTER, Mail.given_up_at.is_not(None))
    for data in db.session.scalars(refused.where(Mail.done_at.is_(None), Mail.unknown_ends == 0)):
        give_back(data["digest"])


def _key_of(digest: Digest) -> str:
    """Return under which key the mail of a digest is queued: one for each moment."""
    return f"{LETTER}-{digest.user_id}-{digest.due_at:%Y-%m-%dT%H:%M}"


def _set_clocks(ids: Sequence[int], now: datetime) -> dict[int, datetime]:
    """Set the clocks of these people to their next moment; return for whom one has come now, and which it is."""
    last = select(sa.func.max(Digest.due_at)).where(Digest.user_id == DigestClock.user_id).scalar_subquery()
    rows = (
        select(DigestClock, User, Reach, last)
        .join(User, User.id == DigestClock.user_id)
        .outerjoin(Reach, Reach.user_id == User.id)
        .where(DigestClock.user_id.in_(ids))
    )
    due: dict[int, datetime] = {}
    for clock, user, reach, before in db.session.execute(rows).all():
        beat = beat_of(user, reach)
        if beat is None:
            clock.due_at = now + LOOK_AGAIN  # what waits is news still when digests are wanted again
            continue
        if clock.due_at and clock.due_at <= now and beat.is_on(clock.due_at):
            due[user.id] = before = clock.due_at
        clock.due_at = beat.after(max(now, before + beat.apart) if before else now)
    return due


def _is_for_a_digest(now: datetime) -> ColumnElement[bool]:
    """Say what waits for a digest: unread, told in none yet, and too old to be taken back unheard."""
    item = aliased(DigestItem)
    told = select(item.notification_id).where(item.notification_id == Notification.id).exists()
    recent = Notification.at.between(now - KEPT_FOR, now - fold_window())
    return (Notification.way == Way.DIGEST.value) & Notification.read_at.is_(None) & recent & ~told
