"""One mail to each person about an act on many ideas, once it can no longer be taken back unheard."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, select

from portal.accounts.models import User
from portal.bulk.models import BulkAct, BulkItem, Step
from portal.db import db, insert_absent, utcnow
from portal.events import EventRecord, OutboxRow
from portal.ideas.events import IdeaMoved, MoveUndone, OwnerAssigned
from portal.ideas.steps import Tell
from portal.ideas.taking_back import fold_window
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Way
from portal.notifications.told_before import digest_key, has_gone
from portal.transactions import transaction

LETTER, UNDONE_LETTER = "bulk", "bulk_undone"


def tell_together() -> int:
    """Queue the mails of acts that are done, and of those that were taken back; return of how many acts."""
    now = utcnow()
    done = (BulkAct.told_at.is_(None)) & (BulkAct.done_at <= now - fold_window()) & (BulkAct.step == Step.DONE)
    # Those who hear of an undo are those who had heard; what was mailed by itself is taken back in one mail as well.
    undone = (BulkAct.undo_told_at.is_(None)) & (BulkAct.step == Step.UNDONE)
    acts = list(db.session.scalars(select(BulkAct.id).where(done | undone).order_by(BulkAct.id)))
    return sum(_tell(act_id) for act_id in acts)


def events_of(act: BulkAct, *kinds: str) -> sa.Select[int]:
    """Select what the journal says of an act's ideas."""
    ideas = select(BulkItem.idea_id).where(BulkItem.act_id == act.id)
    facts = select(EventRecord.id).where(EventRecord.idea_id.in_(ideas), EventRecord.name.in_(kinds))
    return facts.where(EventRecord.data["act_id"].as_integer() == act.id)


def _tell(act_id: int) -> bool:
    with transaction(wake=False):
        act = db.session.get_one(BulkAct, act_id, with_for_update=True)
        undone = act.step is Step.UNDONE
        if undone:
            act.told_at = act.told_at or utcnow()
        told = events_of(act, MoveUndone.name) if undone else events_of(act, IdeaMoved.name, OwnerAssigned.name)
        follows = select(OutboxRow.id).where(
            OutboxRow.event_id.in_(told), OutboxRow.done_at.is_(None), OutboxRow.given_up_at.is_(None)
        )
        if db.session.scalar(follows.limit(1)) is not None:
            return False  # inboxes first
        if undone:
            _queue(act, UNDONE_LETTER, told, _was_mailed(act))
            act.undo_told_at = utcnow()
        else:
            if act.tell is Tell.DIGEST:
                _queue(act, LETTER, told, sa.true())
            act.told_at = utcnow()
        return True


def _queue(act: BulkAct, letter: str, told: sa.Select[int], which: ColumnElement[bool]) -> None:
    """Queue a mail to whoever heard of something that goes by mail."""
    mailed = select(Notification.user_id).where(Notification.event_id.in_(told), Notification.way == Way.MAIL)
    number: ColumnElement[Any] = sa.literal(act.id)
    key = digest_key(number, User.id)
    insert_absent(
        Mail,
        ["key", "kind", "user_id", "data"],
        select(
            key if letter == LETTER else key + "-undone",
            sa.literal(letter),
            User.id,
            sa.literal({"act": act.id}, sa.JSON),
        )
        .where(User.id.in_(mailed))
        .where(User.wants_mail, User.confirmed_at.is_not(None), User.suspended_at.is_(None), which),
    )


def _was_mailed(act: BulkAct) -> ColumnElement[bool]:
    """Say who has had a mail about the act, alone or with others."""
    sent = select(Mail.user_id).where(Mail.done_at.is_not(None), has_gone())
    one_by_one = sent.join(Notification, Notification.id == Mail.notification_id)
    one_by_one = one_by_one.where(Notification.event_id.in_(events_of(act, IdeaMoved.name)))
    together = sent.where(Mail.kind == LETTER, Mail.key == digest_key(sa.literal(act.id), Mail.user_id))
    return User.id.in_(one_by_one) | User.id.in_(together)
