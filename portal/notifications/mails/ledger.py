"""The ledger of mails: what was to be sent to whom, what became of it, and why; never what a mail said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask import abort, current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.db import db, utcnow
from portal.ideas.models import Idea
from portal.ideas.queries import is_seen_by
from portal.notifications.mails.sending import Ending
from portal.notifications.models import Mail, MailAttempt, Notification
from portal.notifications.policy import HELD_KINDS
from portal.push.models import Push

SUPPRESSED: dict[str, Any] = {
    "account closed": _l("the account is closed"),
    "account gone": _l("the account is gone"),
    "account suspended": _l("the account is suspended"),
    "address confirmed": _l("the address was confirmed meanwhile"),
    "address not confirmed": _l("the address is not confirmed"),
    "agreed already": _l("they agreed to the rules already"),
    "chosen otherwise meanwhile": _l("they chose another way meanwhile"),
    "came back, or is gone": _l("they came back, or are gone"),
    "browser is gone": _l("the browser is gone"),
    "browser removed": _l("they removed the browser"),
    "changed back": _l("it was changed back in time"),
    "daily ceiling": _l("they had as many mails that day as they get at most, and no digest is wanted"),
    "digest not wanted": _l("they want no digest"),
    "idea muted": _l("they want no more of this idea"),
    "invitation over": _l("the invitation is over"),
    "kept for the digest": _l("they had as many mails that day as they get at most; it is in the digest"),
    "kept meanwhile, or not theirs": _l("the promise was kept meanwhile, or is no longer theirs"),
    "link no longer works": _l("its link no longer works"),
    "mail stopped": _l("mails to the address came back"),
    "mails not wanted": _l("they want no mails"),
    "merge taken back": _l("the merge was taken back"),
    "no keys": _l("the keys of the portal cannot be read"),
    "no account that may be used": _l("there is no account that may be used"),
    "no longer a moderator": _l("they are no longer a moderator"),
    "no longer follows": _l("they no longer follow it"),
    "no longer on the team": _l("they are no longer on the team"),
    "no longer visible": _l("they may not see it any more"),
    "no longer worth telling": _l("it is no longer worth telling"),
    "no mail server configured": _l("no mail server is configured"),
    "no such address": _l("there is no such address"),
    "nobody waits": _l("nobody waits any more"),
    "not wanted": _l("they want it no more"),
    "nothing new to tell": _l("there was nothing new to tell"),
    "nothing waits": _l("nothing waits any more"),
    "nothing to tell": _l("there was nothing to tell"),
    "paused": _l("they asked for a pause"),
    "read already": _l("they had read it already"),
    "role changed since": _l("the role changed again"),
    "taken back": _l("it was taken back in time"),
    "the file is gone": _l("the file is gone"),
    "test not ended": _l("the test did not come to an end"),
    "test not taken": _l("the mail server did not take the test"),
    "too late": _l("it was too late to tell at once"),
    "told with what came next": _l("it was told with what came next"),
    "wants no mail": _l("they want no mails"),
}
"""Why a mail was not sent, in the words of the row, as people read it."""

CAME_BACK: dict[str, Any] = {
    "hard": _l("there is nobody at this address"),
    "soft": _l("not taken for now"),
    "complaint": _l("it was called spam"),
}
"""What became of a mail that was sent, as far as anybody told us."""

WHAT: dict[str, Any] = {
    "received": _l("Idea received"),
    "published": _l("Idea published"),
    "hidden": _l("Idea hidden"),
    "decided": _l("Decision"),
    "progressed": _l("Progress"),
    "needs_info": _l("Question"),
    "question_reminder": _l("Reminder of a question"),
    "answered": _l("Official answer"),
    "commented": _l("Comment"),
    "replied": _l("Reply"),
    "mentioned": _l("Called by name"),
    "voted": _l("Votes"),
    "merged": _l("Merge"),
    "merge_undone": _l("Merge taken back"),
    "move_undone": _l("Move taken back"),
    "merge_objected": _l("Objection to a merge"),
    "assigned": _l("Assignment"),
    "promise_late": _l("Late promise"),
    "proposal_settled": _l("Proposed duplicate"),
    "credited": _l("Question about credit"),
    "verdict_asked": _l("Question whether it helped"),
    "matched": _l("Kept search"),
    "spoken_for": _l("Vote on behalf"),
    "question_settled": _l("Question settled"),
    "noted": _l("Note of the team"),
    "review_asked": _l("Review asked for"),
    "reviewed": _l("Review"),
    "held_back": _l("Draft held back"),
    "rules_changed": _l("Changed rules"),
    "role_changed": _l("Changed role"),
    "mail_stuck": _l("No mail goes out"),
    "mail_flows": _l("Mail goes out again"),
    "workflow_proposed": _l("Proposed workflow"),
    "workflow_settled": _l("Decision on a proposed workflow"),
    "confirm": _l("Confirming an address"),
    "mail_test": _l("Test of the mail"),
    "test": _l("Test of a browser"),
    "reply_by_mail": _l("Answer to a reply by mail"),
    "digest": _l("Digest"),
    "bulk": _l("Act on many ideas"),
    "bulk_undone": _l("Act on many ideas taken back"),
    "invitation": _l("Invitation"),
    "invitation_sample": _l("Invitation, a sample"),
    "approved": _l("Let in"),
    "declined": _l("Not let in"),
    "suspended": _l("Account suspended"),
    "lifted": _l("Suspension lifted"),
    "role": _l("Changed role"),
    "waiting": _l("Somebody asks to join"),
    "rules": _l("Changed rules"),
    "second_factor": _l("Changed second factor"),
    "sign_up": _l("Opening an account"),
    "sign_in_link": _l("Link to sign in"),
    "new_password": _l("Link to a new password"),
    "password_changed": _l("Password changed"),
    "new_address": _l("New address"),
    "agree_to_address": _l("Agreeing to a new address"),
    "address_changed": _l("Address changed"),
    "proof": _l("Code to prove oneself"),
    "new_browser": _l("Sign-in from a new browser"),
    "sso_linked": _l("Sign-on linked"),
    "sso_unlinked": _l("Sign-on taken off"),
    "sso_address": _l("Address from a sign-on provider"),
    "late_promises": _l("Late promises of the team"),
    "triage_note": _l("What waits for the team"),
    "saved_searches": _l("Kept searches"),
    "quarter": _l("The quarter"),
    "leaving": _l("Leaving"),
    "export_ready": _l("Export of one's data"),
}
"""What a mail is about, by its kind."""


class State(StrEnum):
    """What has become of a mail so far."""

    QUEUED = "queued"
    WAITING = "waiting"
    RETRYING = "retrying"
    SENT = "sent"
    CAME_BACK = "came_back"
    SUPPRESSED = "suppressed"
    GONE = "gone"
    SET_ASIDE = "set_aside"

    @property
    def label(self) -> str:
        """The state as people read it."""
        return str(_LABELS[self])


_LABELS = {
    State.QUEUED: _l("Queued"),
    State.WAITING: _l("Waits for its time"),
    State.RETRYING: _l("To be tried again"),
    State.SENT: _l("Sent"),
    State.CAME_BACK: _l("Came back"),
    State.SUPPRESSED: _l("Not sent"),
    State.GONE: _l("Browser gone"),
    State.SET_ASIDE: _l("Set aside"),
}
_GONE = ("browser is gone", "browser removed")  # why a message to a browser was not sent; never a mail
ENDINGS: dict[str, Any] = {
    Ending.LATER: _l("The server said: not now"),
    Ending.REFUSED: _l("The server refused it"),
    Ending.UNKNOWN: _l("No answer came; it may have arrived"),
    Ending.UNWRITTEN: _l("It could not be written"),
}


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


def what(kind: str) -> str:
    """Return what mails of a kind are about."""
    return str(WHAT.get(kind, kind))


def why_suppressed(key: str) -> str:
    """Return why a mail was not sent, as people read it."""
    return str(SUPPRESSED.get(key, key))


def masked(address: str) -> str:
    """Return an address that tells colleagues apart from strangers, and nobody who it is."""
    name, _at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}" if name else "…"


def is_in(state: State, now: datetime, work: type[Mail] | type[Push] = Mail) -> ColumnElement[bool]:
    """Say which mails, or messages to browsers, are in a state."""
    still_open = work.done_at.is_(None) & work.given_up_at.is_(None)
    match state:
        case State.SET_ASIDE:
            return work.given_up_at.is_not(None) & work.done_at.is_(None)
        case State.SENT:
            return work.done_at.is_not(None) & work.suppressed.is_(None) & ~_came_back(work)
        case State.CAME_BACK:
            return work.done_at.is_not(None) & work.suppressed.is_(None) & _came_back(work)
        case State.SUPPRESSED:
            return work.done_at.is_not(None) & work.suppressed.is_not(None) & work.suppressed.not_in(_GONE)
        case State.GONE:
            return work.done_at.is_not(None) & work.suppressed.in_(_GONE)
        case State.RETRYING:
            return still_open & work.error.is_not(None)
        case State.WAITING:
            return still_open & work.error.is_(None) & (work.available_at > now)
    return still_open & work.error.is_(None) & (work.available_at <= now)


def state_of(one: Mail | Push, now: datetime) -> State:
    """Return what has become of a mail or a message to a browser; the same as ``is_in`` says."""
    if one.done_at is not None:
        if one.suppressed is None:
            return State.CAME_BACK if isinstance(one, Mail) and one.bounce else State.SENT
        return State.GONE if one.suppressed in _GONE else State.SUPPRESSED
    if one.given_up_at is not None:
        return State.SET_ASIDE
    if one.error is not None:
        return State.RETRYING
    return State.WAITING if one.available_at > now else State.QUEUED


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


def _came_back(work: type[Mail] | type[Push]) -> ColumnElement[bool]:
    return Mail.bounce.is_not(None) if work is Mail else sa.false()


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
