"""What can be done about promises, and the refusals that raises."""

from __future__ import annotations

from datetime import date, timedelta

from flask_babel import gettext as _

from portal.accounts.models import User
from portal.boards.calendars import ALL, Settings, calendar_of, decide_settings, settings_of
from portal.boards.models import Board
from portal.db import utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import promises
from portal.ideas.models import Idea
from portal.ideas.promised import Promise
from portal.ideas.service import clean_reason, lock
from portal.options import decide
from portal.promises.events import PromiseRenewed, WorkingDaysDecided

FARTHEST = timedelta(days=731)


class DayNotPossible(Refusal):
    """The day that was named cannot be promised."""

    status = 422


class ReasonMissing(Refusal):
    """Who takes longer says why."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("Say why it takes longer. Everybody who sees the idea reads it."))


def renew_promise(idea: Idea, until: date, reason: str, actor: User) -> Promise:
    """Name another day for the team's next word. A later one needs a reason, and is shown as renewed.

    A promise that is late already stays late; an earlier day takes the place of the later one, as nobody minds that.
    """
    reason = clean_reason(reason)
    lock(idea)
    now, running = utcnow(), promises.running(idea)
    if not idea.is_published or running is None:
        raise Refusal(_("Nothing is promised on this idea now. Somebody may have moved it meanwhile."))
    calendar = calendar_of(idea.board_id)
    today, due_at = calendar.today(now), calendar.end_of(until)
    if until < today:
        raise DayNotPossible(_("This day is over. Name one that is to come."))
    if until > today + FARTHEST:
        raise DayNotPossible(_("Name a day within the next two years."))
    if calendar.today(running.due_at) == until:
        return running
    if due_at > running.due_at and not reason:
        raise ReasonMissing
    if due_at < running.due_at:
        promises.bring_forward(idea, due_at)
    else:
        running = promises.renew(idea, due_at, reason, now)
    emit(PromiseRenewed(actor_id=actor.id, idea_id=idea.id, due_on=until.isoformat(), reason=reason))
    return running


def decide_days(board: Board | None, settings: Settings | None, actor: User) -> None:
    """Decide the working days and clocks of one board, or of all; what was promised before stays as it was."""
    number = board.id if board else ALL
    if settings_of(number) == settings:
        return
    decide_settings(number, settings)
    emit(WorkingDaysDecided(actor_id=actor.id, board_id=number))


def decide_raising(days: int) -> None:
    """Decide after how many days a late promise is in the managers' mail."""
    decide("late_raised_after", days)
