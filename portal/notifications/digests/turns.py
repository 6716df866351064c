"""Letters that come by turns: each can be stopped alone, by the link at its foot, and asked for again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select

from portal.accounts.models import User
from portal.db import db, insert_if_absent
from portal.notifications.choosing import choose_rhythm
from portal.notifications.digests import making as digests
from portal.notifications.digests.models import UnwantedLetter
from portal.notifications.hours import reach_of
from portal.notifications.reach import Rhythm

LATE_PROMISES, TRIAGE_NOTE = "late_promises", "triage_note"


@dataclass(frozen=True, slots=True)
class Turn:
    """One such letter in words: what it is called, and when it comes."""

    label: Any
    comes: Any


TURNS: dict[str, Turn] = {
    digests.LETTER: Turn(_l("The digest"), _l("It gathers what became of the ideas you have a part in.")),
    LATE_PROMISES: Turn(_l("Late promises"), _l("It comes in the morning when a promise has been late for days.")),
    TRIAGE_NOTE: Turn(_l("The weekly note to the team"), _l("It says on Mondays what waits on your boards.")),
}


def wants(user: User, letter: str) -> bool:
    """Whether somebody gets such letters."""
    if letter == digests.LETTER:
        reach = reach_of(user.id)
        return reach is None or reach.digest is not Rhythm.NEVER
    return db.session.get(UnwantedLetter, (user.id, letter)) is None


def does_not_want(letter: str) -> ColumnElement[bool]:
    """Say who wants no such letters; of the digest, the chore that makes it knows."""
    return User.id.in_(select(UnwantedLetter.user_id).where(UnwantedLetter.letter == letter))


def choose(user: User, letter: str, wanted: bool) -> None:
    """Send somebody such letters from now on, or no more of them; an unknown one changes nothing."""
    if letter not in TURNS or wanted == wants(user, letter):
        return
    if letter == digests.LETTER:
        reach = reach_of(user.id)
        hour, weekday = (reach.digest_hour, reach.digest_weekday) if reach else (digests.HOUR, digests.WEEKDAY)
        choose_rhythm(user, Rhythm.WEEKLY if wanted else Rhythm.NEVER, hour, weekday)
    elif wanted:
        mine = sa.delete(UnwantedLetter).where(UnwantedLetter.user_id == user.id, UnwantedLetter.letter == letter)
        db.session.execute(mine)
    else:
        insert_if_absent(UnwantedLetter, user_id=user.id, letter=letter)
