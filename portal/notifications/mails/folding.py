"""Several changes to one idea in a short while are one mail, and what was taken back in that while is none."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import select

from portal import leases
from portal.db import db, utcnow
from portal.ideas.models import Answer, StatusChange
from portal.ideas.taking_back import fold_window
from portal.ideas.workflow import StatusRule
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import FOLDED_KINDS, Kind
from portal.notifications.stories import Story
from portal.transactions import transaction

FOLDED = "told with what came next"


def fold(mail: Mail) -> bool:
    """Leave it to the next mail about the same idea to tell of this too, if one waits; say whether one does."""
    if not fold_window() or mail.kind not in FOLDED_KINDS or mail.notification is None:
        return False
    later_id, mail_id = db.session.scalar(_later(mail)), mail.id
    if later_id is None:
        return False
    with transaction(wake=False):
        later = db.session.get_one(Mail, later_id, with_for_update=True)
        mail = db.session.get_one(Mail, mail_id)
        if mail.locked_by != leases.WORKER_NAME or mail.done_at is not None or not _waits(later):
            return False
        told = [*mail.data.get("folded", ()), mail.notification_id]
        later.data = later.data | {"folded": [*told, *later.data.get("folded", ())]}
        if later.locked_by != leases.WORKER_NAME:  # whoever held it too long may have written it without this
            later.locked_until = later.locked_by = None
        mail.done_at, mail.suppressed = utcnow(), FOLDED
    return True


def notifications_of(mail: Mail) -> list[Notification]:
    """Return what a mail tells of, the oldest first."""
    if mail.notification is None:
        return []
    folded = mail.data.get("folded")
    if not folded:
        return [mail.notification]
    earlier = select(Notification).where(Notification.id.in_(folded)).order_by(Notification.id)
    return [*db.session.scalars(earlier), mail.notification]


def is_as_before(before: Sequence[Story], last: Story) -> bool:
    """Whether the idea stands where it stood before all of this, so that nothing is left to tell; a question is."""
    moves = [story for story in [*before, last] if story.source and story.target]
    told = last.kind in FOLDED_KINDS - {Kind.NEEDS_INFO, Kind.ANSWERED}
    return bool(before) and told and _key(moves[0].source) == _key(moves[-1].target)


def was_never_mailed(mail: Mail, story: Story) -> bool:
    """Whether this takes back a merge of which its reader has had no mail, because it was taken back in time."""
    if story.kind is not Kind.MERGE_UNDONE or not fold_window():
        return False
    merged = (
        select(Mail.suppressed)
        .join(Notification, Notification.id == Mail.notification_id)
        .where(Notification.user_id == mail.user_id, Notification.idea_id == story.idea.id)
        .where(Notification.kind == Kind.MERGED, Notification.id < story.notification.id)
        .order_by(Notification.id.desc())
        .limit(1)
    )
    row = db.session.execute(merged).one_or_none()
    return row is not None and row[0] is not None


def is_taken_back(mail: Mail) -> bool:
    """Whether what it was to tell of was taken back."""
    facts = mail.notification.record.data if mail.notification else {}
    change = db.session.get(StatusChange, facts["change_id"]) if facts.get("change_id") else None
    answer = db.session.get(Answer, facts["answer_id"]) if facts.get("answer_id") else None
    return bool((change and change.undone_at) or (answer and answer.taken_back_at))


def _key(place: StatusRule | None) -> str:
    return place.key if place else ""


def _later(mail: Mail) -> sa.Select[int]:
    """Select the last mail to the same person about the same idea that still waits and tells of something newer."""
    assert mail.notification is not None  # the caller has asked
    return (
        select(Mail.id)
        .join(Notification, Notification.id == Mail.notification_id)
        .where(Mail.user_id == mail.user_id, Mail.id != mail.id, Mail.kind.in_(FOLDED_KINDS))
        .where(Notification.idea_id == mail.notification.idea_id, Notification.id > mail.notification.id)
        .where(Mail.done_at.is_(None), Mail.given_up_at.is_(None), Mail.unknown_ends == 0)
        .order_by(Notification.id.desc())
        .limit(1)
    )


def _waits(mail: Mail) -> bool:
    """Whether nobody else is about to send it."""
    free = mail.locked_until is None or mail.locked_until <= utcnow() or mail.locked_by == leases.WORKER_NAME
    return free and mail.done_at is None and mail.given_up_at is None and mail.unknown_ends == 0
