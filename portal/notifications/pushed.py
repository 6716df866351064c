"""The ledger of messages to browsers: what was to be told at once, what became of it, and why; never what it said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import abort
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts import browsers
from portal.accounts.models import Person
from portal.db import count_rows, db, utcnow
from portal.ideas.models import Idea
from portal.ideas.queries import is_seen_by
from portal.notifications.mails.ledger import Asked, conditions_on
from portal.notifications.mails.states import State, is_in, state_of
from portal.notifications.mails.wording import what, why_suppressed
from portal.notifications.models import Notification
from portal.push.models import Push, Subscription

LATELY = timedelta(days=30)  # for which ended messages are kept


@dataclass(frozen=True, slots=True)
class Told:
    """One message to one browser as the ledger shows it."""

    push: Push
    state: State
    idea: Idea | None  # where its reader may see it

    @property
    def id(self) -> int:
        """What it is known by."""
        return self.push.id

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return self.push.attempts

    @property
    def available_at(self) -> datetime:
        """When it is tried next."""
        return self.push.available_at

    @property
    def is_put_off(self) -> bool:
        """Whether that is still to come; what is due already waits for nothing but its turn."""
        return self.available_at > utcnow()

    @property
    def what(self) -> str:
        """What it is about."""
        return what(self.push.kind)

    @property
    def to(self) -> str:
        """Whom it is for, and by which browser, while that is told at all."""
        there = self.push.subscription
        name, browser = self.push.user.shown_name, browsers.in_words(there.browser) if there else ""
        return _("%(name)s, %(browser)s", name=name, browser=browser) if browser else name

    @property
    def why(self) -> str:
        """Why it was not sent, or what the push service says; nothing where there is nothing to say."""
        if self.push.suppressed is not None:
            said = f" ({self.push.error})" if self.push.error else ""
            return why_suppressed(self.push.suppressed) + said
        if self.state is State.WAITING:
            return _("until changes can no longer be taken back, or for their hour")
        return self.push.error or "" if self.state is not State.SENT else ""

    @property
    def at(self) -> datetime:
        """When that came to be; of what waits, when it was queued."""
        return self.push.done_at or self.push.given_up_at or self.push.queued_at

    @property
    def may_be_tried(self) -> bool:
        """Whether somebody can have it tried at once."""
        return self.state in {State.RETRYING, State.SET_ASIDE}


def entries(viewer: Person, asked: Asked, before: int | None = None, count: int = 51) -> list[Told]:
    """Return messages, the newest first."""
    found = select(Push).options(joinedload(Push.user), joinedload(Push.subscription))
    for condition in conditions_on(Push, asked):
        found = found.where(condition)
    if asked.recipient:  # an address that belongs to no account
        found = found.where(sa.false())
    if before is not None:
        found = found.where(Push.id < before)
    shown = db.session.scalars(found.order_by(Push.id.desc()).limit(count)).all()
    about = {push.notification_id for push in shown} - {None}
    told = select(Notification.id, Notification.idea_id).where(Notification.id.in_(about))
    idea_of = dict(db.session.execute(told).all()) if about else {}
    seen = select(Idea).where(Idea.id.in_({*idea_of.values()} - {None}), is_seen_by(viewer))
    ideas = {idea.id: idea for idea in db.session.scalars(seen)} if idea_of else {}
    now = utcnow()
    return [Told(push, state_of(push, now), ideas.get(idea_of.get(push.notification_id or 0) or 0)) for push in shown]


def get_push(push_id: int) -> Push:
    """Return one message, or answer 404."""
    return db.session.get(Push, push_id) or abort(404)


def count_open() -> dict[State, int]:
    """Count what somebody may have to look at, and the browsers that were lost of late."""
    now, states = utcnow(), (State.QUEUED, State.WAITING, State.RETRYING, State.SET_ASIDE, State.GONE)
    counted = [sa.func.count().filter(is_in(state, now, Push)) for state in states]
    return dict(zip(states, db.session.execute(select(*counted).select_from(Push)).one(), strict=True))


def count_browsers() -> int:
    """Count the browsers that are told at once."""
    return db.session.scalar(select(sa.func.count()).select_from(Subscription)) or 0


def try_all_again() -> int:
    """Make every message due that was set aside; return how many."""
    aside = sa.update(Push).where(is_in(State.SET_ASIDE, utcnow(), Push))
    return count_rows(
        aside.values(attempts=0, available_at=utcnow(), given_up_at=None, locked_until=None, locked_by=None)
    )
