"""Writing down whom something is told to: one notification each, and the mails that carry some of them."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, String, literal, select

from portal.accounts.models import User
from portal.db import UTCDateTime, db, insert_absent, utcnow
from portal.events import Recorded
from portal.ideas.followers import REASONS
from portal.ideas.models import Follow, Idea
from portal.ideas.steps import Tell
from portal.ideas.taking_back import fold_window
from portal.notifications import pushing
from portal.notifications.deciding import decided
from portal.notifications.digests import making as digests
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import HELD_KINDS, Kind, Reason, Way, ways
from portal.notifications.recipients import audience


def count_as_read(recorded: Recorded, which: ColumnElement[bool]) -> None:
    """Let what this tells of count as read by all whom it was news for."""
    told = sa.update(Notification).where(which, Notification.read_at.is_(None))
    db.session.execute(told.values(read_at=recorded.at), execution_options={"synchronize_session": False})


def tell_audience(recorded: Recorded, kind: Kind, idea: Idea, among: Collection[str] = REASONS) -> None:
    """Tell whoever has a part in the idea, for these reasons."""
    tell(recorded, kind, audience(kind, idea.id, recorded.event.actor_id, among))


def tell_author(recorded: Recorded, kind: Kind) -> None:
    """Authors hear of their own posting, as a receipt, and otherwise only of what others do."""
    idea = idea_of(recorded)
    if idea is not None:
        tell_one(recorded, kind, Reason.AUTHOR, idea.author_id, also_of_own_act=kind is Kind.RECEIVED)


def tell_owner_too(recorded: Recorded, kind: Kind, idea: Idea) -> None:
    """Tell whoever looks after the idea, where news of this kind is for them."""
    if Reason.OWNER in ways(kind):
        tell_one(recorded, kind, Reason.OWNER, idea.owner_id)


def tell_one(
    recorded: Recorded, kind: Kind, reason: Reason, user_id: int | None, also_of_own_act: bool = False
) -> None:
    """Tell one person, unless they did it themselves."""
    if user_id is not None and (also_of_own_act or user_id != recorded.event.actor_id):
        person = select(User.id.label("user_id"), literal(reason.value, String).label("reason"))
        tell(recorded, kind, person.where(User.id == user_id, User.suspended_at.is_(None)))


def tell(recorded: Recorded, kind: Kind, people: Select[int, str], mailed: ColumnElement[bool] | None = None) -> None:
    """Write a notification for each of ``people`` (user_id, reason) who has none of this event, and mails for some.

    What was done with many ideas at once is mailed once for all of it, by whoever did it; or nobody hears of it. Who
    is not ``mailed`` what others are reads it in the digest.
    """
    whom = Tell(getattr(recorded.event, "tell", Tell.EVERYBODY))
    if whom is Tell.NOBODY:
        return
    idea = idea_of(recorded)
    told = decided(kind, people, idea.board_id if idea else None).subquery()
    insert_absent(
        Notification,
        ["user_id", "event_id", "idea_id", "kind", "reason", "way", "at"],
        select(
            told.c.user_id,
            literal(recorded.id),
            literal(recorded.event.idea_id),
            literal(kind.value, String),
            told.c.reason,
            told.c.way,
            literal(recorded.at, UTCDateTime),
        ),
    )
    if mailed is not None:
        _keep_for_digest(recorded, kind, mailed)
    digests.expect(recorded.id)
    if whom is Tell.DIGEST:
        return
    due = max(utcnow(), recorded.at + fold_window()) if kind in HELD_KINDS else utcnow()
    insert_absent(
        Mail,
        ["key", "kind", "user_id", "notification_id", "available_at"],
        select(
            literal(f"event-{recorded.id}-", String) + sa.cast(Notification.user_id, String),
            Notification.kind,
            Notification.user_id,
            Notification.id,
            literal(due, UTCDateTime),
        ).where(Notification.event_id == recorded.id, Notification.kind == kind, Notification.way == Way.MAIL),
    )
    pushing.queue(recorded.id, kind, due, told)


def has_muted(user_id: int | None, idea: Idea, also_quiet: bool = True) -> bool:
    """Whether somebody wants to hear nothing of the idea, or nothing but decisions."""
    silent = Follow.muted if also_quiet else Follow.muted | Follow.decisions_only
    muted = select(Follow.user_id).where(Follow.user_id == user_id, Follow.idea_id == idea.id, silent)
    return db.session.scalar(muted) is not None


def idea_of(recorded: Recorded) -> Idea | None:
    """Return the idea that something happened to."""
    return db.session.get(Idea, recorded.event.idea_id)


def _keep_for_digest(recorded: Recorded, kind: Kind, mailed: ColumnElement[bool]) -> None:
    others = (Notification.event_id == recorded.id) & (Notification.kind == kind) & (Notification.way == Way.MAIL)
    later = sa.update(Notification).where(others, ~mailed).values(way=Way.DIGEST)
    db.session.execute(later, execution_options={"synchronize_session": False})
