"""What people choose about being reached: by topic, on single boards, when, how often, and not at all for a while."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.boards.models import Board
from portal.db import db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.notifications.digests import making as digests
from portal.notifications.policy import Topic, Way
from portal.notifications.reach import CEILINGS, BoardChoice, Reach, Rhythm, TopicChoice
from portal.options import decide

PAUSE = timedelta(days=30)


class NotAnHour(Refusal):
    """Something else was sent than the page offers."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("Choose hours from the list: a beginning and an end that differ, or none of both."))


class NotANumber(Refusal):
    """Another number was sent than the page offers."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("Choose a number of mails from the list."))


def choose_topics(
    user: User, mail: Mapping[Topic, Way | None], push: Mapping[Topic, bool | None], board: Board | None = None
) -> None:
    """Let news of these topics arrive so from now on, on one board or on all; None is what is usual there."""
    for topic in mail.keys() | push.keys():
        values = {
            **({"mail": mail[topic]} if topic in mail else {}),
            **({"push": push[topic]} if topic in push else {}),
        }
        if board is None:
            _keep(TopicChoice, values, user_id=user.id, topic=topic)
        else:
            _keep(BoardChoice, values, user_id=user.id, topic=topic, board_id=board.id)
    _forget_empty(user)


def choose_rhythm(user: User, digest: Rhythm, hour: int, weekday: int) -> None:
    """Send the digest so often, at this hour by the user's clock."""
    if not (0 <= hour < 24 and 0 <= weekday < 7):
        raise NotAnHour
    reach = _reach(user)
    reach.digest, reach.digest_hour, reach.digest_weekday = digest, hour, weekday
    digests.wind(user)


def choose_ceiling(user: User, most: int | None) -> None:
    """Send the user no more mails at once in a day than this; None: as many as is usual. The rest is for the digest."""
    if most is not None and most not in CEILINGS:
        raise NotANumber
    _reach(user).mails_a_day = most


def choose_usual_ceiling(most: int) -> None:
    """Let as many mails a day at once, at most, be usual for everybody who chose no other number."""
    if most not in CEILINGS:
        raise NotANumber
    decide("mails_a_day", most)


def choose_quiet_hours(user: User, start: int | None, end: int | None) -> None:
    """Let nothing reach the user between two hours of their clock; None for both: at any hour."""
    hours = [hour for hour in (start, end) if hour is not None]
    if len(hours) == 1 or (hours and start == end) or not all(0 <= hour < 24 for hour in hours):
        raise NotAnHour
    reach = _reach(user)
    reach.quiet_from, reach.quiet_until = start, end


def pause(user: User) -> None:
    """Let nothing but letters about the account leave the portal for the user for 30 days; the inbox has it all."""
    _reach(user).paused_until = utcnow() + PAUSE


def resume(user: User) -> None:
    """End a pause."""
    _reach(user).paused_until = None


def make_links_useless(user: User) -> None:
    """Let no link work any more that a mail to the user carried until now; the next mails carry others."""
    _reach(user).links_key = secrets.token_hex(8)


def _reach(user: User) -> Reach:
    insert_if_absent(Reach, user_id=user.id)
    return db.session.get_one(Reach, user.id, populate_existing=True)


def _keep(table: type[TopicChoice | BoardChoice], values: dict[str, Any], **of: Any) -> None:
    insert_if_absent(table, **of)
    mine = sa.and_(*(getattr(table, column) == value for column, value in of.items()))
    db.session.execute(sa.update(table).where(mine).values(**values))


def _forget_empty(user: User) -> None:
    """Keep no row that says no more than none."""
    for table in (TopicChoice, BoardChoice):
        nothing = sa.and_(table.user_id == user.id, table.mail.is_(None), table.push.is_(None))
        db.session.execute(sa.delete(table).where(nothing))
