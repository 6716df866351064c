"""How mails that come in are getting on, for those who run the portal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.notifications.models import Mailbox, ReceivedMail

LATELY = timedelta(days=7)
WORTH_TELLING = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Coming:
    """What came in of late, and whether the mailbox can be read."""

    mailbox: bool  # whether there is one to look into
    looked_at: datetime | None
    error: str
    counts: list[tuple[str, int]]  # what became of mails in the last seven days, in words
    stopped: int  # people whom mail does not reach any more
    flagged: int  # mails that lie in the mailbox, because nobody could read them


def coming_in() -> Coming | None:
    """Return how mails that come in are getting on; None where none can, and nobody's mail is stopped."""
    here = User.mail_stopped_at.is_not(None) & User.erased_at.is_(None)
    stopped = db.session.scalar(select(sa.func.count()).select_from(User).where(here)) or 0
    config = current_app.config
    if not (config["INBOUND_URL"] or config["INBOUND_SECRET"] or stopped):
        return None
    box = db.session.scalar(select(Mailbox).limit(1)) if config["INBOUND_URL"] else None
    counted = select(ReceivedMail.outcome, sa.func.count()).where(ReceivedMail.at > utcnow() - LATELY)
    found = dict(db.session.execute(counted.group_by(ReceivedMail.outcome)).all())
    return Coming(
        mailbox=bool(config["INBOUND_URL"]),
        looked_at=box.looked_at if box else None,
        error=(box.error or "") if box else "",
        counts=[(words, found[outcome]) for outcome, words in _words().items() if outcome in found],
        stopped=stopped,
        flagged=box.flagged if box else 0,
    )


def stuck_since() -> datetime | None:
    """Return since when the mailbox cannot be read, once that is long enough for everybody on the team to know."""
    box = db.session.scalar(select(Mailbox).limit(1)) if current_app.config["INBOUND_URL"] else None
    if box is None or not box.error or box.looked_at is None or utcnow() - box.looked_at < WORTH_TELLING:
        return None
    return box.looked_at


def _words() -> dict[str, str]:
    return {
        "posted": _("Replies that became comments"),
        "refused": _("Replies sent back with the reason"),
        "dropped": _("Replies of accounts that may not be used"),
        "forged": _("Replies whose sender was not proven"),
        "automatic": _("Answers of machines"),
        "bounced": _("Mails that nobody could deliver"),
        "delayed": _("Mails that came back for now"),
        "complained": _("Mails called spam"),
        "tested": _("Replies to tests"),
        "unknown": _("To none of our addresses"),
    }
