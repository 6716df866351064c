"""Telling browsers at once: queued beside the inbox, written at the last moment, handed over side by side."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask, current_app
from flask_babel import get_locale
from flask_babel import gettext as _
from py_vapid import Vapid02
from sqlalchemy import String, literal, select

from portal import leases
from portal.accounts.models import User
from portal.db import UTCDateTime, count_rows, db, insert_absent, utcnow
from portal.ideas.taking_back import fold_window
from portal.notifications import portal_news, telling
from portal.notifications.deciding import decided_for
from portal.notifications.hours import held_until
from portal.notifications.links import absolute_url
from portal.notifications.mails import asking, folding, sending
from portal.notifications.mails.letter import in_language_of
from portal.notifications.models import Notification
from portal.notifications.policy import FOLDED_KINDS, TEAM_KINDS, Kind
from portal.notifications.stories import Story
from portal.options import option
from portal.push import keys
from portal.push.handing_over import End, Ended, Message, hand_over
from portal.push.models import Push, Subscription
from portal.push.service import TEST
from portal.transactions import transaction

log = logging.getLogger(__name__)

BATCH, AT_ONCE = 40, 8
LEASE = timedelta(minutes=2)
BEGIN_WITHIN = 10.0  # seconds in which a batch is begun; what was not waits for the next
ATTEMPTS = 8  # with the delays of the outbox, some ten minutes
STALE = timedelta(hours=24)  # later it is no news at once any more, and stands in the inbox
A_DAY = 20  # to one browser
KEPT_FOR = timedelta(days=30)

NOT_FOR_BROWSERS = TEAM_KINDS
"""What the team says among itself stays in the portal and in the mails of those who work there."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a message is not sent after all."""

    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """Until when its reader wants quiet."""

    until: datetime


def queue(event_id: int, kind: Kind, due: datetime, told: sa.Subquery | None = None) -> None:
    """Queue messages to the browsers of those who were ``told`` (user_id, push) of an event and want them.

    Without ``told`` they go to everybody who has the news in the inbox.
    """
    if kind in NOT_FOR_BROWSERS:
        return
    rows = (
        select(
            Notification.user_id,
            Notification.id,
            Subscription.id,
            literal(kind.value, String),
            literal(due, UTCDateTime),
        )
        .join(Subscription, Subscription.user_id == Notification.user_id)
        .where(Notification.event_id == event_id, Notification.kind == kind)
    )
    if told is not None:
        rows = rows.join(told, told.c.user_id == Notification.user_id).where(told.c.push)
    insert_absent(Push, ["user_id", "notification_id", "subscription_id", "kind", "available_at"], rows)


def send_due() -> int:
    """Send what is due; return how many messages were looked at. Any number of workers may do so at once.

    A crash between handing over and noting that repeats a message once; the browser shows it in place of the first.
    """
    waits = (Push.done_at.is_(None), Push.given_up_at.is_(None), Push.available_at <= utcnow())
    if db.session.scalar(select(Push.id).where(*waits).limit(1)) is None:
        return 0
    signer, ids = keys.signer(), leases.claim(Push, BATCH, LEASE)
    written: dict[int, Message] = {}
    for push_id in ids:
        try:
            message = _write(push_id) if signer is not None else LeftOut("no keys")
        except Exception as error:
            log.exception("message %s to a browser could not be written", push_id)
            _note({push_id: End(Ended.LATER, f"{type(error).__name__}: {error}")})
            continue
        if isinstance(message, Message):
            written[push_id] = message
        else:
            _keep_back(push_id, message)
    if signer is not None and written:
        _note(_hand_over_all(written, signer))
    return len(ids)


def forget_old() -> int:
    """Drop what ended a month ago."""
    ended = sa.func.coalesce(Push.done_at, Push.given_up_at) < utcnow() - KEPT_FOR
    return count_rows(sa.delete(Push).where(ended))


def _write(push_id: int) -> Message | LeftOut | Held:
    """Write a message as things are now, for its reader may have lost sight of it since it was queued."""
    push = db.session.get_one(Push, push_id)
    told, user = push.subscription, push.user
    if told is None or told.user_id != user.id:
        return LeftOut("browser removed")
    if not user.is_active or user.is_leaving or not user.is_approved:
        return LeftOut("account suspended")
    if push.kind == TEST:
        return _test(told, user)
    notification = db.session.get(Notification, push.notification_id) if push.notification_id else None
    if notification is None or notification.kind in NOT_FOR_BROWSERS:
        return LeftOut("no longer visible")
    if notification.read_at is not None:
        return LeftOut("read already")
    if _is_stale(push):
        return LeftOut("too late")
    held = held_until(user, utcnow())
    if held is not None:
        return Held(held)
    if _fold(push, notification):
        return LeftOut(folding.FOLDED)
    if _sent_today(push) >= A_DAY:
        return LeftOut("daily ceiling")
    with in_language_of(user):
        if notification.idea_id is None:
            return _of_portal(told, notification)
        story = _story(push, notification, user)
        return story if isinstance(story, LeftOut) else _message(told, story)


def _story(push: Push, notification: Notification, user: User) -> Story | LeftOut:
    """Return what there is to tell, as far as its reader may see it at this moment and still wants to be told."""
    folded = select(Notification).where(Notification.id.in_(push.data.get("folded", ()))).order_by(Notification.id)
    found = telling.stories_of([*db.session.scalars(folded), notification], user)
    if not found or found[-1].notification is not notification:
        return LeftOut("no longer visible")
    *before, last = found
    if last.team is not None:
        return LeftOut("no longer visible")
    chosen = decided_for(last.kind, user.id, last.reason, last.idea.board_id)
    if chosen is None or not chosen.push:
        return LeftOut("not wanted")
    if asking.is_muted(user, last.idea):
        return LeftOut("idea muted")
    if folding.is_as_before(before, last):
        return LeftOut("changed back")
    if not sending.still_concerns(user, last):
        return LeftOut("no longer follows")
    return last


def _message(told: Subscription, story: Story) -> Message:
    url = absolute_url("ideas.show", idea_id=story.idea.id, _anchor=story.place)
    about = f"idea-{story.idea.id}-talk" if story.is_comment else f"idea-{story.idea.id}"
    return _to(told, title=story.idea.title, body=story.why, url=url, about=about)


def _of_portal(told: Subscription, notification: Notification) -> Message | LeftOut:
    readable = select(Notification.id).where(portal_news.is_about_portal_for(told.user))
    found = portal_news.lines_of([notification])
    if not found or db.session.scalar(readable.where(Notification.id == notification.id)) is None:
        return LeftOut("no longer visible")
    (news,) = found
    return _to(told, title=news.title, body=news.why, url=absolute_url("notifications.inbox"), about="portal")


def _test(told: Subscription, user: User) -> Message:
    with in_language_of(user):
        words = _("This browser is told at once. There is nothing to do.")
        return _to(told, title=str(option("name")), body=words, url=absolute_url("push.index"), about="test")


def _to(told: Subscription, *, title: str, body: str, url: str, about: str) -> Message:
    parts = urlsplit(url)
    path = parts.path + (f"#{parts.fragment}" if parts.fragment else "")
    return Message(told.endpoint, told.public_key, told.auth_secret, title, body, path, about, str(get_locale()))


def _is_stale(push: Push) -> bool:
    return utcnow() > push.queued_at + fold_window() + STALE


def _sent_today(push: Push) -> int:
    sent = select(sa.func.count()).where(
        Push.user_id == push.user_id,
        Push.subscription_id == push.subscription_id,
        Push.done_at > utcnow() - timedelta(days=1),
        Push.suppressed.is_(None),
    )
    return db.session.scalar(sent) or 0


def _fold(push: Push, notification: Notification) -> bool:
    """Leave it to the next message about the same idea to tell of this too, if one waits; say whether one does."""
    if notification.idea_id is None:
        return False
    alike = Push.kind.in_(FOLDED_KINDS) if push.kind in FOLDED_KINDS else Push.kind == push.kind
    later = (
        select(Push.id)
        .join(Notification, Notification.id == Push.notification_id)
        .where(Push.subscription_id == push.subscription_id, alike, Push.done_at.is_(None), Push.given_up_at.is_(None))
        .where(Notification.idea_id == notification.idea_id, Notification.id > notification.id)
        .where(Push.locked_until.is_(None) | (Push.locked_by == leases.WORKER_NAME))
        .order_by(Notification.id.desc())
        .limit(1)
    )
    later_id, push_id = db.session.scalar(later), push.id
    if later_id is None:
        return False
    with transaction(wake=False):
        next_one, this = db.session.get_one(Push, later_id, with_for_update=True), db.session.get_one(Push, push_id)
        if next_one.done_at is not None or next_one.given_up_at is not None:
            return False
        told = [*this.data.get("folded", ()), this.notification_id]
        next_one.data = next_one.data | {"folded": [*told, *next_one.data.get("folded", ())]}
    return True


def _hand_over_all(written: dict[int, Message], signer: Vapid02) -> dict[int, End | None]:
    """Hand messages over side by side; None is the end of what was not begun, for time or because a service is away."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    until, away = time.monotonic() + BEGIN_WITHIN, set[str]()

    def one(message: Message) -> End | None:
        if message.host in away or time.monotonic() > until:
            return None
        with app.app_context():
            end = hand_over(message, signer)
        if end.how is Ended.LATER:
            away.add(message.host)
        return end

    with ThreadPoolExecutor(min(AT_ONCE, len(written)), thread_name_prefix="portal-push") as threads:
        return dict(zip(written, threads.map(one, written.values()), strict=True))


def _note(ends: dict[int, End | None]) -> None:
    """Note how handing over ended."""
    with transaction(wake=False):
        for push_id, end in ends.items():
            push = db.session.get_one(Push, push_id)
            if push.done_at is None and push.locked_by == leases.WORKER_NAME:
                _end(push, end)


def _end(push: Push, end: End | None) -> None:
    now, told = utcnow(), push.subscription
    if end is None:
        _let_go(push, now + timedelta(seconds=30))
        return
    match end.how:
        case Ended.LATER:
            push.put_back(end.words, ATTEMPTS)
            push.available_at = max(push.available_at, now + timedelta(seconds=end.wait))
            return
        case Ended.REFUSED:
            push.given_up_at, push.error = now, end.words[:500]
        case Ended.GONE:
            push.done_at, push.suppressed, push.error = now, "browser is gone", end.words[:500]
            if told is not None:
                db.session.flush()
                db.session.execute(sa.delete(Subscription).where(Subscription.id == told.id))
                db.session.expire_all()
        case Ended.TAKEN:
            push.done_at, push.error = now, None
            if told is not None:
                told.told_at = now
    push.locked_until = push.locked_by = None


def _keep_back(push_id: int, why: LeftOut | Held) -> None:
    with transaction(wake=False):
        push = db.session.get_one(Push, push_id)
        if push.done_at is not None or push.locked_by != leases.WORKER_NAME:
            return
        if isinstance(why, Held):
            _let_go(push, why.until)
        else:
            push.done_at, push.suppressed, push.locked_until, push.locked_by = utcnow(), why.why, None, None


def _let_go(push: Push, until: datetime) -> None:
    push.available_at, push.locked_until, push.locked_by = until, None, None
    push.attempts = max(0, push.attempts - 1)
