"""The promise ledger: by when the team owes its next word on an idea, and whether it kept what it promised before.

Every idea has at most one promise that runs. It ends with the team's next public word: a move or an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import select

from portal.boards.calendars import calendar_of, days_for
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.promised import Outcome, Promise, Promised
from portal.ideas.workflow import Category, Status

DAY = timedelta(days=1)


def next_word_due(idea: Idea, since: datetime) -> datetime | None:
    """Return when the team owes its next word on an idea that stands where it does since then.

    A promise holds until the end of a working day of the idea's board. While the author is asked, nobody of the team
    owes anything: that clock only says when the team goes on without an answer.
    """
    within = clock_of(idea)
    if within is None:
        return None
    if idea.status is Status.NEEDS_INFO:
        return since + within
    return calendar_of(idea.board_id).due(since, within.days)


def clock_of(idea: Idea) -> timedelta | None:
    """Return within what time the next word is owed where the idea stands; None: nothing is owed."""
    within = idea.rule.next_word_within
    if within is None:
        return None
    days = days_for(idea.board_id, idea.rule.key)
    return days * DAY if days is not None else within


def begin(idea: Idea, at: datetime) -> Promise | None:
    """Write down what is promised of an idea as it stands now, if anything is; what runs already goes on."""
    kind, due_at = _kind(idea), _due(idea)
    if kind is None or due_at is None or running(idea) is not None:
        return None
    promise = Promise(idea_id=idea.id, kind=kind, status=idea.status, made_at=at, due_at=due_at)
    db.session.add(promise)
    db.session.flush()
    return promise


def begin_again(idea: Idea, at: datetime) -> None:
    """Promise anew what was out of sight and of which nothing was promised; what runs goes on, however late."""
    if running(idea) is None:
        idea.due_at = next_word_due(idea, at)
        begin(idea, at)


def end_again(idea: Idea, at: datetime, due_at: datetime | None) -> bool:
    """Let what was promised anew at this moment never have been; say no if the team has said something since."""
    made = select(Promise).where(Promise.idea_id == idea.id, Promise.made_at == at)
    promise = db.session.scalar(made)
    if promise is not None and promise.ended_at is not None:
        return False
    if promise is not None:
        db.session.delete(promise)
        db.session.flush()
    if running(idea) is None:  # what ran before went on, and may have another day by now
        idea.due_at = due_at
    return True


def begin_all(ideas: Iterable[Idea], at: datetime) -> None:
    """Write down what is promised of many ideas of which nothing was promised before."""
    rows = [
        {"idea_id": idea.id, "kind": kind, "status": idea.status, "made_at": at, "due_at": due_at}
        for idea in ideas
        if (kind := _kind(idea)) is not None and (due_at := _due(idea)) is not None
    ]
    if rows:
        db.session.execute(sa.insert(Promise), rows)


def turn_over(idea: Idea, at: datetime, *, by_word: bool = True) -> None:
    """End what ran by the team's word, and begin what is promised from now on.

    Not ``by_word`` (a merge): what was in time is dropped and counts for nothing; what was late stays late.
    """
    promise = running(idea)
    if promise is not None:
        in_time = Outcome.KEPT if by_word else Outcome.DROPPED
        _end(promise, in_time if at <= promise.due_at else Outcome.LATE, at)
    begin(idea, at)


def renew(idea: Idea, due_at: datetime, reason: str, at: datetime) -> Promise:
    """Promise another day for the same thing; a promise that was late already stays late for good."""
    before = running(idea)
    if before is not None:
        _end(before, Outcome.RENEWED if at <= before.due_at else Outcome.LATE, at)
        before.reason = reason
    _name_day(idea, due_at)
    promise = begin(idea, at)
    assert promise is not None  # only what was promised is renewed
    return promise


def bring_forward(idea: Idea, due_at: datetime) -> None:
    """Promise an earlier day: the same promise, to be kept sooner."""
    _name_day(idea, due_at)
    _align(idea, due_at)


def park_until(idea: Idea, day: date | None, at: datetime) -> None:
    """Look at a parked idea again on another day, or on none; a later one counts as renewed."""
    if idea.review_on == day:
        return
    idea.review_on = day
    due_at, before = _due(idea), running(idea)
    if due_at is not None and before is not None and due_at > before.due_at:
        renew(idea, due_at, "", at)
    else:
        _align(idea, at)


def take_back(idea: Idea, at: datetime) -> None:
    """Let the ledger be as if what happened to the idea at this moment never had; the idea is as it was already."""
    moments = sa.or_(Promise.made_at == at, Promise.ended_at == at)
    touched = list(db.session.scalars(select(Promise).where(Promise.idea_id == idea.id, moments)))
    made = next((promise for promise in touched if promise.made_at == at), None)
    if made is not None:
        db.session.delete(made)
        db.session.flush()
    for before in (promise for promise in touched if promise.ended_at == at and promise is not made):
        before.ended_at, before.outcome, before.reason = None, None, ""
        if made is not None and made.ended_at is not None:  # by a word that stands
            in_time = made.outcome if made.outcome is not Outcome.LATE else Outcome.KEPT
            _end(before, (in_time or Outcome.KEPT) if made.ended_at <= before.due_at else Outcome.LATE, made.ended_at)
            before.reason = made.reason
    db.session.flush()
    _align(idea, at)


def running(idea: Idea) -> Promise | None:
    """Return the promise that holds now, if there is one."""
    return db.session.scalar(select(Promise).where(Promise.idea_id == idea.id, Promise.ended_at.is_(None)))


def ledger_of(idea_id: int) -> list[Promise]:
    """Return all that was ever promised of an idea, oldest first."""
    return list(
        db.session.scalars(select(Promise).where(Promise.idea_id == idea_id).order_by(Promise.made_at, Promise.id))
    )


def _kind(idea: Idea) -> Promised | None:
    if idea.status is Status.NOT_NOW:
        return Promised.REVIEW
    if idea.status is Status.NEEDS_INFO or idea.status.category not in {Category.OPEN, Category.COMMITTED}:
        return None
    return Promised.ANSWER if idea.status is Status.NEW and idea.answered_at is None else Promised.UPDATE


def _name_day(idea: Idea, due_at: datetime) -> None:
    if idea.status is Status.NOT_NOW:
        idea.review_on = calendar_of(idea.board_id).today(due_at)
    else:
        idea.due_at = due_at


def _due(idea: Idea) -> datetime | None:
    if idea.status is not Status.NOT_NOW:
        return idea.due_at
    return calendar_of(idea.board_id).end_of(idea.review_on) if idea.review_on else None


def _align(idea: Idea, at: datetime) -> None:
    """Let what runs say what the idea says."""
    promise, kind, due_at = running(idea), _kind(idea), _due(idea)
    if promise is None:
        begin(idea, at)
    elif kind is None or due_at is None:
        db.session.delete(promise)
    else:
        promise.kind, promise.status, promise.due_at = kind, idea.status, due_at
    db.session.flush()


def _end(promise: Promise, outcome: Outcome, at: datetime) -> None:
    promise.outcome, promise.ended_at = outcome, at
    db.session.flush()
