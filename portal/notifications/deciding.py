"""Who is told how: the one place that knows, by the policy and by what people chose, for any number at once."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, String, select

from portal.accounts.models import User
from portal.db import UTCDateTime, db, utcnow
from portal.notifications.policy import ONLY_HERE_KINDS, POLICY, TOPIC_OF, Kind, Way
from portal.notifications.reach import BoardChoice, Reach, Rhythm, TopicChoice

WHY_NOT: dict[str, Any] = {
    "suspended": _l("account suspended"),
    "leaving": _l("about to leave"),
    "chosen": _l("chosen: inbox only"),
    "unconfirmed": _l("address not confirmed"),
    "mail_stopped": _l("mails to the address come back, or were called spam"),
    "mails_off": _l("mails off"),
    "paused": _l("paused"),
    "no_digest": _l("chosen: no digest"),
}
"""Why somebody reads of it in the inbox alone, although it would go further."""

Decided = Select[Any]
"""One row for each person: user_id, reason, way ("mail", "digest", "inbox"), push (bool), why_not (a key, or None)."""


def decided(kind: Kind, people: Select[int, str], board_id: int | None) -> Decided:
    """Select how each of ``people`` (user_id, reason) hears of something of this kind now, on this board."""
    told = people.subquery()
    usual = _usual(kind, told.c.reason)
    wanted: ColumnElement[str] = sa.func.coalesce(_text(BoardChoice.mail), _text(TopicChoice.mail), usual, type_=String)
    now = sa.bindparam(None, callable_=utcnow, type_=UTCDateTime())  # the moment when it is asked
    paused = sa.func.coalesce(Reach.paused_until > now, sa.false())
    asked: ColumnElement[bool] = sa.func.coalesce(BoardChoice.push, TopicChoice.push, usual == Way.MAIL.value)
    if kind in ONLY_HERE_KINDS:
        wanted, asked = usual, sa.false()
    why_not = _why_not(wanted, usual, paused)
    return (
        select(
            told.c.user_id.label("user_id"),
            told.c.reason.label("reason"),
            sa.case((why_not.is_not(None), sa.literal(Way.INBOX.value, String)), else_=wanted).label("way"),
            (asked & ~paused & User.suspended_at.is_(None) & User.leaves_at.is_(None)).label("push"),
            why_not.label("why_not"),
        )
        .join(User, User.id == told.c.user_id)
        .outerjoin(Reach, Reach.user_id == told.c.user_id)
        .outerjoin(TopicChoice, (TopicChoice.user_id == told.c.user_id) & (TopicChoice.topic == TOPIC_OF[kind]))
        .outerjoin(BoardChoice, _on_board(told.c.user_id, kind, board_id))
    )


def decided_for(kind: Kind, user_id: int, reason: str, board_id: int | None) -> sa.Row[Any] | None:
    """Return how one person hears of something of this kind now; None where the account is gone."""
    asked = {"asked_user_id": user_id, "asked_reason": str(reason), "asked_board_id": board_id}
    return db.session.execute(_of_one(kind), asked).one_or_none()


@cache
def _of_one(kind: Kind) -> Decided:
    """Build the statement once for each kind: it is asked for every single mail."""
    reason = sa.bindparam("asked_reason", type_=String).label("reason")
    person = select(User.id.label("user_id"), reason).where(User.id == sa.bindparam("asked_user_id"))
    board_id: Any = sa.bindparam("asked_board_id", type_=sa.Integer)
    return decided(kind, person, board_id)


def _usual(kind: Kind, reason: ColumnElement[str]) -> ColumnElement[str]:
    """Say how the policy tells each reason; who is not in it reads it in the inbox."""
    louder = [(reason == why.value, sa.literal(way.value, String))
              for why, way in POLICY[kind].items() if way is not Way.INBOX]  # fmt: skip
    inbox = sa.literal(Way.INBOX.value, String)
    return sa.case(*louder, else_=inbox) if louder else inbox


def _why_not(
    wanted: ColumnElement[str], usual: ColumnElement[str], paused: ColumnElement[bool]
) -> ColumnElement[str | None]:
    inbox, digest = Way.INBOX.value, Way.DIGEST.value
    no_digest = (wanted == digest) & (sa.func.coalesce(_text(Reach.digest), Rhythm.WEEKLY.value) == Rhythm.NEVER.value)
    return sa.case(
        ((wanted == inbox) & (usual != inbox), "chosen"),
        (wanted == inbox, sa.null()),
        (User.suspended_at.is_not(None), "suspended"),
        (User.leaves_at.is_not(None), "leaving"),
        (User.confirmed_at.is_(None), "unconfirmed"),
        (User.mail_stopped_at.is_not(None), "mail_stopped"),
        (~User.wants_mail, "mails_off"),
        (paused, "paused"),
        (no_digest, "no_digest"),
        else_=sa.null(),
    )


def _on_board(user_id: ColumnElement[int], kind: Kind, board_id: int | None) -> ColumnElement[bool]:
    here = BoardChoice.board_id == board_id if board_id is not None else sa.false()
    return (BoardChoice.user_id == user_id) & (BoardChoice.topic == TOPIC_OF[kind]) & here


def _text(column: Any) -> ColumnElement[str]:
    """Read a choice as the word that it is kept as."""
    return sa.type_coerce(column, String)
