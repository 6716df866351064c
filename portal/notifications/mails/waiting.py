"""Mails that are news heed what their reader chose until the last moment: quiet hours, a pause, another way."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from flask import current_app

from portal import leases
from portal.accounts.models import User
from portal.db import db, utcnow
from portal.notifications import hours
from portal.notifications.deciding import decided_for
from portal.notifications.digests import making as digests
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
    reach, mail_id = mail.reach, mail.id
    until = hours.quiet_by(reach, mail.user, utcnow()) if reach else None
    if until is None:
        return False
    with transaction(wake=False):
        mail = db.session.get_one(Mail, mail_id)
        if mail.locked_by == leases.WORKER_NAME and mail.done_at is None:
            mail.available_at, mail.locked_until, mail.locked_by = until, None, None
            mail.attempts = max(0, mail.attempts - 1)
    return True


def is_paused(mail: Mail) -> bool:
    """Whether a mail is news, and its reader wants none for some days."""
    until = mail.reach.paused_until if mail.reach else None
    return until is not None and until > utcnow() and is_news(mail)


def unwanted(news: Sequence[Story], reader: User) -> dict[int, str]:
    """Say of which news its reader would not be mailed any more, and why; note how they hear of it instead.

    What one mail tells of is mostly of one kind and board: that is asked once.
    """
    how = {_question(story): story for story in news}
    answers = {key: decided_for(one.kind, reader.id, one.reason, one.idea.board_id) for key, one in how.items()}
    reasons: dict[int, str] = {}
    for way in (Way.DIGEST, Way.INBOX):
        left = {s.notification.id: now for s in news if (now := answers[_question(s)]) is not None and now.way == way}
        if left:
            _leave_to(way, list(left), reader)
        reasons |= {number: PAUSED if now.why_not == PAUSED else CHOSEN for number, now in left.items()}
    return reasons


def _question(story: Story) -> tuple[str, str, int | None]:
    return story.kind, story.reason, story.idea.board_id


def _leave_to(way: Way, notification_ids: list[int], reader: User) -> None:
    with transaction(wake=False):
        if way is Way.INBOX or not digests.keep(notification_ids, reader):
            news = sa.update(Notification).where(Notification.id.in_(notification_ids))
            db.session.execute(news.values(way=Way.INBOX), execution_options={"synchronize_session": False})
