"""The ledger of mails: what was to be sent to whom, what became of it, and why; never what a mail said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import abort, current_app
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.db import db, utcnow
from portal.ideas.models import Idea
from portal.ideas.queries import is_seen_by
from portal.notifications.mails.states import State, is_in, state_of
from portal.notifications.mails.wording import CAME_BACK, WHAT, what, why_suppressed
from portal.notifications.models import Mail, MailAttempt, Notification
from portal.notifications.policy import HELD_KINDS
from portal.push.models import Push


@dataclass(frozen=True, slots=True)
class Asked:
    """Which mails somebody wants to see; nothing: all."""

    state: State | None = None
    kind: str = ""
    user_id: int | None = None
    recipient: str = ""  # a whole address
    idea_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One mail as the ledger shows it."""

    mail: Mail
    state: State
    idea: Idea | None  # where its reader may see it

    @property
    def id(self) -> int:
        """What it is known by."""
        return self.mail.id

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return self.mail.attempts

    @property
    def available_at(self) -> datetime:
        """When it is tried next."""
        return self.mail.available_at

    @property
    def is_put_off(self) -> bool:
        """Whether that is still to come; what is due already waits for nothing but its turn."""
        return self.available_at > utcnow()

    @property
    def what(self) -> str:
        """What it is about."""
        return what(self.mail.kind)

    @property
    def to(self) -> str:
        """Whom it is for: a name, or an address without an account, of which only the end is shown."""
        return self.mail.user.shown_name if self.mail.user else masked(self.mail.to)

    @property
    def why(self) -> str:
        """Why it was not sent, or what the server says; nothing where there is nothing to say."""
        if self.state is State.SUPPRESSED:
            return why_suppressed(self.mail.suppressed or "")
        if self.state is State.WAITING:
            return _("until changes can no longer be taken back") if _is_held(self.mail) else _("for their hour")
        if self.state is State.CAME_BACK:
            return str(CAME_BACK.get(self.mail.bounce or "", ""))
        return self.mail.error or ""

    @property
    def at(self) -> datetime:
        """When that came to be; of what waits, when it was queued."""
        return self.mail.done_at or self.mail.given_up_at or self.mail.queued_at

    @property
    def may_be_tried(self) -> bool:
        """Whether somebody can have it tried at once."""
        return self.state in {State.RETRYING, State.SET_ASIDE}


def masked(address: str) -> str:
    """Return an address that tells colleagues apart from strangers, and nobody who it is."""
    name, _at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}" if name else "…"


def entries(viewer: Person, asked: Asked, before: int | None = None, count: int = 51) -> list[Entry]:
    """Return mails, the newest first."""
    found = select(Mail).options(joinedload(Mail.user), joinedload(Mail.notification))
    for condition in conditions_on(Mail, asked):
        found = found.where(condition)
    if asked.recipient:
        found = found.where(Mail.recipient == asked.recipient)
    if before is not None:
        found = found.where(Mail.id < before)
    return _shown(db.session.scalars(found.order_by(Mail.id.desc()).limit(count)).all(), viewer)


def get_entry(viewer: Person, mail_id: int) -> Entry:
    """Return one mail, or answer 404."""
    found = select(Mail).where(Mail.id == mail_id).options(joinedload(Mail.user), joinedload(Mail.notification))
    [entry] = _shown([db.session.scalar(found) or abort(404)], viewer)
    return entry


def attempts_at(mail: Mail) -> list[MailAttempt]:
    """Return each time that a mail was not taken, the oldest first."""
    tried = select(MailAttempt).where(MailAttempt.mail_id == mail.id).order_by(MailAttempt.id)
    return list(db.session.scalars(tried))


def kinds() -> list[tuple[str, str]]:
    """Return the kinds of mails that there can be, by what they are about."""
    there = {*current_app.extensions["letters"], *WHAT}
    return sorted(((kind, what(kind)) for kind in there), key=lambda kind: kind[1].casefold())


def conditions_on(work: type[Mail] | type[Push], asked: Asked) -> list[ColumnElement[bool]]:
    """Say what was asked of mails or of messages to browsers, but for the address."""
    held = [is_in(asked.state, utcnow(), work)] if asked.state else []
    if asked.kind:
        held.append(work.kind == asked.kind)
    if asked.user_id is not None:
        held.append(work.user_id == asked.user_id)
    if asked.idea_id is not None:
        held.append(work.notification_id.in_(select(Notification.id).where(Notification.idea_id == asked.idea_id)))
    if asked.since is not None:
        held.append(work.queued_at >= asked.since)
    if asked.until is not None:
        held.append(work.queued_at < asked.until)
    return held


def _shown(mails: Sequence[Mail], viewer: Person) -> list[Entry]:
    about = {mail.notification.idea_id for mail in mails if mail.notification} - {None}
    seen = select(Idea).where(Idea.id.in_(about), is_seen_by(viewer)) if about else None
    ideas = {idea.id: idea for idea in db.session.scalars(seen)} if seen is not None else {}
    now = utcnow()
    return [
        Entry(mail, state_of(mail, now), ideas.get(mail.notification.idea_id or 0) if mail.notification else None)
        for mail in mails
    ]


def _is_held(mail: Mail) -> bool:
    """Whether it waits because what it tells of can still be taken back, and not for its reader's hour."""
    return mail.kind in HELD_KINDS and mail.available_at - mail.queued_at <= timedelta(hours=1)


def count_open() -> dict[State, int]:
    """Count the mails that somebody may have to look at."""
    now = utcnow()
    return {
        state: db.session.scalar(select(sa.func.count()).select_from(Mail).where(is_in(state, now))) or 0
        for state in (State.QUEUED, State.WAITING, State.RETRYING, State.SET_ASIDE)
    }


def count_came_back() -> tuple[int, int]:
    """Return how many mails came back in the last day, and how many were sent."""
    since = utcnow() - timedelta(days=1)
    back = sa.select(sa.func.count()).select_from(Mail).where(Mail.bounced_at > since)
    sent = sa.select(sa.func.count()).select_from(Mail).where(Mail.done_at > since, Mail.suppressed.is_(None))
    return db.session.scalar(back) or 0, db.session.scalar(sent) or 0
