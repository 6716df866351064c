"""Mails that are news heed what their reader chose until the last moment: quiet hours, a pause, another way."""

from __future__ import annotations

from flask import current_app

from portal import outbox
from portal.accounts.models import User
from portal.db import db, utcnow
from portal.notifications import digests, hours
from portal.notifications.deciding import decided_for
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Way
from portal.notifications.stories import Story
from portal.transactions import transaction

PAUSED = "paused"
CHOSEN = "chosen otherwise meanwhile"


def is_news(mail: Mail) -> bool:
    """Whether a mail tells of what happens in the portal, and is not a letter about an account."""
    extensions = current_app.extensions
    return mail.kind not in extensions["letters"] or mail.kind in extensions["news_letters"]


def wait_for_morning(mail: Mail) -> bool:
    """Put a mail off until the quiet hours of its reader end, if it is news and they are within them; say whether."""
    if mail.user is None or not is_news(mail):
        return False
    until, mail_id = hours.quiet_for(mail.user, utcnow()), mail.id
    if until is None:
        return False
    with transaction(wake=False):
        mail = db.session.get_one(Mail, mail_id)
        if mail.locked_by == outbox.WORKER_NAME and mail.done_at is None:
            mail.available_at, mail.locked_until, mail.locked_by = until, None, None
            mail.attempts = max(0, mail.attempts - 1)
    return True


def is_paused(mail: Mail) -> bool:
    """Whether a mail is news, and its reader wants none for some days."""
    return mail.user is not None and is_news(mail) and hours.is_paused(mail.user, utcnow())


def unwanted(story: Story, reader: User) -> str:
    """Say why its reader would not be mailed of this any more, and note how they hear of it; empty where they would."""
    now = decided_for(story.kind, reader.id, story.reason, story.idea.board_id)
    if now is None or now.way == Way.MAIL:
        return ""
    with transaction(wake=False):
        if now.way != Way.DIGEST or not digests.keep([story.notification.id], reader):
            db.session.get_one(Notification, story.notification.id).way = Way.INBOX
    return PAUSED if now.why_not == PAUSED else CHOSEN
