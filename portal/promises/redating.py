"""Other working days or clocks: which promises would get another day by them, and giving it to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.boards.calendars import ALL, Settings, calendar_among, calendar_of, settings_of
from portal.boards.models import Board
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import promises
from portal.ideas.models import Idea
from portal.ideas.promised import Promise, Promised
from portal.ideas.service import clean_reason, lock
from portal.ideas.workflow import Publication, StatusRule, rule_of
from portal.promises.events import PromiseRenewed
from portal.promises.service import ReasonMissing, decide_days
from portal.working_days import Calendar

MOST = 1000  # in one act
_PLACE = (Idea.id, Idea.board_id, Idea.status, Idea.stage)


@dataclass(frozen=True, slots=True)
class Another:
    """A promise that would get another day."""

    promise_id: int
    idea_id: int
    due_at: datetime
    new_at: datetime

    @property
    def is_later(self) -> bool:
        """Whether the team would take longer than it said."""
        return self.new_at > self.due_at


@dataclass(frozen=True, slots=True)
class Shift:
    """What other working days would do to the promises that run."""

    moved: Sequence[Another]  # the first to come first
    kept: int

    @property
    def later(self) -> int:
        """How many would be promised for a later day; that needs a reason."""
        return sum(each.is_later for each in self.moved)

    @property
    def earlier(self) -> int:
        """How many would be promised for an earlier day."""
        return len(self.moved) - self.later

    @property
    def is_too_much(self) -> bool:
        """Whether these are more than can be changed at once."""
        return len(self.moved) > MOST


@dataclass(frozen=True, slots=True)
class Way:
    """By what the days of one board are counted."""

    clocks: dict[str, int]
    calendar: Calendar

    def due(self, rule: StatusRule, since: datetime) -> datetime | None:
        """Return when the next word is owed on what stands there since then."""
        usual = rule.next_word_within
        return self.calendar.due(since, self.clocks.get(rule.key, usual.days)) if usual is not None else None


def shift_by(board: Board | None, settings: Settings | None) -> Shift:
    """Return what these settings, of one board or of all, would do to the promises that run.

    What is late stays late, and a day that somebody named stays: only what follows from the settings moves with them,
    and never to a day that is over.
    """
    now, portal = utcnow(), settings_of(ALL)

    @cache
    def ways(board_id: int) -> tuple[Way, Way]:
        own = settings_of(board_id)
        if board is not None:
            return _way(own, portal), _way(settings, portal)
        return _way(own, portal), _way(own, settings or Settings())

    runs = select(Promise.id, Promise.kind, Promise.made_at, Promise.due_at, *_PLACE).where(Promise.ended_at.is_(None))
    runs = runs.join(Idea, Idea.id == Promise.idea_id).where(Idea.publication == Publication.PUBLISHED)
    if board is not None:
        runs = runs.where(Idea.board_id == board.id)
    moved, kept = [], 0
    for number, kind, made_at, due_at, idea_id, board_id, status, stage in db.session.execute(
        runs.order_by(Promise.due_at, Promise.id)
    ):
        holds, would = ways(board_id)
        if holds == would:
            continue
        rule, new_at = rule_of(status, stage), None
        if kind is not Promised.REVIEW and holds.due(rule, made_at) == due_at > now:
            new_at = would.due(rule, made_at)
        if new_at is not None and new_at < due_at:
            new_at = min(max(new_at, would.calendar.due(now, 0)), due_at)
        if new_at is None or new_at == due_at:
            kept += 1
        else:
            moved.append(Another(number, idea_id, due_at, new_at))
    return Shift(moved, kept)


def decide_and_redate(board: Board | None, settings: Settings | None, reason: str, actor: User) -> int:
    """Decide the working days, and give each promise the day that it has by them; return how many got another.

    Each is a changed promise as if somebody had named the day: an earlier one takes the place of the later; a later one
    needs a reason, and is shown as renewed with what was promised before.
    """
    reason, shift = clean_reason(reason), shift_by(board, settings)
    if shift.is_too_much:
        raise Refusal(_("These are more promises than can be changed at once. They keep their days."))
    if shift.later and not reason:
        raise ReasonMissing
    decide_days(board, settings, actor)
    in_order = sorted(shift.moved, key=lambda each: each.idea_id)  # as whoever holds several ideas does
    return sum(_redate(each, reason, actor) for each in in_order)


def _way(own: Settings | None, portal: Settings) -> Way:
    return Way(dict(own.clocks) if own else {}, calendar_among(own, portal))


def _redate(another: Another, reason: str, actor: User) -> bool:
    """Give one promise another day, unless the team has said something about the idea meanwhile."""
    idea = lock(db.session.get_one(Idea, another.idea_id))
    running = promises.running(idea)
    if running is None or (running.id, running.due_at) != (another.promise_id, another.due_at):
        return False
    if another.is_later:
        promises.renew(idea, another.new_at, reason, utcnow())
    else:
        promises.bring_forward(idea, another.new_at)
    due_on = calendar_of(idea.board_id).today(another.new_at)
    said = reason if another.is_later else ""
    emit(PromiseRenewed(actor_id=actor.id, idea_id=idea.id, due_on=due_on.isoformat(), reason=said))
    return True
