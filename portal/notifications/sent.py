"""What went out about an idea: for each move, answer and merge, who was told, and what became of each mail."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas.events import IdeaAnswered, IdeaMerged, IdeaMoved, MergeUndone, MoveUndone
from portal.ideas.models import Idea
from portal.ideas.steps import Tell
from portal.ideas.workflow import StatusRule
from portal.notifications.mails.states import State, is_in
from portal.notifications.mails.wording import why_suppressed
from portal.notifications.models import Mail, Notification
from portal.notifications.stories import place_in
from portal.push.models import Push

TOLD_OF = (IdeaMoved.name, IdeaAnswered.name, IdeaMerged.name, MoveUndone.name, MergeUndone.name)
NEWEST = 30


@dataclass(slots=True)
class Sent:
    """One thing that people were told of, and how that went."""

    record: EventRecord
    actor: User | None
    target: StatusRule | None
    told: int = 0
    read: int = 0
    mails: Counter[State] = field(default_factory=Counter)
    not_sent: Counter[str] = field(default_factory=Counter)  # by the reason, in words
    ways: Counter[str] = field(default_factory=Counter)
    push: Counter[str] = field(default_factory=Counter)

    @property
    def at(self) -> datetime:
        """When it happened."""
        return self.record.at

    @property
    def name(self) -> str:
        """What it is called in the journal."""
        return self.record.name

    @property
    def tell(self) -> Tell:
        """Whether people hear of it, and how."""
        return Tell(self.record.data.get("tell", Tell.EVERYBODY))


def sent_about(idea: Idea) -> list[Sent]:
    """Return the newest things that were told of an idea, in four statements however many people heard of them."""
    facts = select(EventRecord, User).outerjoin(User, User.id == EventRecord.actor_id)
    facts = facts.where(EventRecord.idea_id == idea.id, EventRecord.name.in_(TOLD_OF))
    newest = db.session.execute(facts.order_by(EventRecord.id.desc()).limit(NEWEST)).all()
    found = {record.id: Sent(record, actor, _target(record)) for record, actor in newest}
    if not found:
        return []
    _count_told(found)
    _count_mails(found)
    _count_pushes(found)
    return list(found.values())


def _count_told(found: dict[int, Sent]) -> None:
    read = sa.func.sum(sa.case((Notification.read_at.is_not(None), 1), else_=0))
    told = select(Notification.event_id, Notification.way, sa.func.count(), read)
    told = told.where(Notification.event_id.in_(found)).group_by(Notification.event_id, Notification.way)
    for event_id, way, number, seen in db.session.execute(told):
        found[event_id].told += number
        found[event_id].read += seen
        found[event_id].ways[way] += number


def _count_mails(found: dict[int, Sent]) -> None:
    now = utcnow()
    state: Any = sa.case(*((is_in(state, now), state.value) for state in State))
    mails = select(Notification.event_id, state.label("state"), Mail.suppressed, sa.func.count())
    mails = mails.join(Notification, Notification.id == Mail.notification_id).where(Notification.event_id.in_(found))
    mails = mails.group_by(Notification.event_id, "state", Mail.suppressed)
    for event_id, became, why, number in db.session.execute(mails):
        found[event_id].mails[State(became)] += number
        if why is not None:
            found[event_id].not_sent[why_suppressed(why)] += number


def _count_pushes(found: dict[int, Sent]) -> None:
    became = sa.case(
        (Push.done_at.is_not(None) & Push.suppressed.is_(None), "sent"),
        (Push.done_at.is_not(None) | Push.given_up_at.is_not(None), "not_sent"),
        else_="waiting",
    )
    pushes = select(Notification.event_id, became.label("became"), sa.func.count())
    pushes = pushes.join(Notification, Notification.id == Push.notification_id).where(Notification.event_id.in_(found))
    for event_id, end, number in db.session.execute(pushes.group_by(Notification.event_id, "became")):
        found[event_id].push[end] += number


def _target(record: EventRecord) -> StatusRule | None:
    return place_in(record.data, "target") if record.name == IdeaMoved.name else None
