"""What has become of a mail, or of a message to a browser, so far: asked of one, and of all in the database."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement

from portal.notifications.models import Mail
from portal.push.models import Push


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


def _came_back(work: type[Mail] | type[Push]) -> ColumnElement[bool]:
    return Mail.bounce.is_not(None) if work is Mail else sa.false()
