"""The spine: one journal, what follows from it, and the worker that carries it out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal import leases, outbox, worker
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.comments import service as comments
from portal.db import db, utcnow
from portal.events import Event, EventRecord, OutboxRow, Recorded, emit, name_of, quietly
from portal.ideas import clocks, queries, service
from portal.ideas.models import Idea, StatusChange
from portal.ideas.moves import MoveDetails, move_idea
from portal.ideas.workflow import Publication, Status
from portal.leases import ATTEMPTS, LEASE, claim
from portal.notifications.models import Notification
from portal.outbox import work_off
from portal.search.models import IndexTask
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support.side_by_side import at_once

pytestmark = pytest.mark.usefixtures("app")


@dataclass(frozen=True, kw_only=True)
class Rang(Event, name="test.rang"):
    """Something that happens in these tests only."""

    number: int = 0


carried_out: list[int] = []


def mark_down(recorded: Recorded) -> None:
    """A reaction that writes a row, so that one can see whether it was kept."""
    carried_out.append(recorded.event.number)
    db.session.add(EventRecord(name="test.heard", data={"number": recorded.event.number}))


def mark_down_and_fail(recorded: Recorded) -> None:
    """A reaction that fails after it has written."""
    db.session.add(EventRecord(name="test.heard_in_vain", data={}))
    db.session.flush()
    raise RuntimeError("the bell broke")


@pytest.fixture
def react(app: Flask) -> Callable[..., None]:
    """Let these reactions follow when it rang."""

    def to_ringing(*reactions: Callable[[Recorded], None]) -> None:
        app.extensions["reactions"] = {Rang: reactions}
        app.extensions["reactions_by_name"] = {name_of(reaction): reaction for reaction in reactions}

    carried_out.clear()
    return to_ringing


def ring(*numbers: int) -> None:
    for number in numbers:
        with transaction():
            emit(Rang(number=number))


def heard(name: str = "test.heard") -> int:
    return db.session.scalar(select(func.count()).where(EventRecord.name == name)) or 0


def rows() -> list[OutboxRow]:
    db.session.rollback()
    return list(db.session.scalars(select(OutboxRow).order_by(OutboxRow.id)))


# The journal


def test_an_event_and_what_has_to_follow_are_written_with_the_change(react):
    react(mark_down)

    with transaction():
        number = emit(Rang(number=7))

    [row] = rows()
    assert (row.event_id, row.reaction, row.done_at) == (number, "tests.mark_down", None)
    assert db.session.get_one(EventRecord, number).data == {"number": 7}


def test_what_is_not_committed_never_happened(react):
    react(mark_down)

    with pytest.raises(ZeroDivisionError), transaction():
        emit(Rang())
        raise ZeroDivisionError

    worker.settle()
    assert (heard("test.rang"), rows(), carried_out) == (0, [], [])


def test_history_that_is_brought_in_quietly_is_recorded_and_followed_by_nothing(react):
    react(mark_down)

    with quietly(), transaction():
        emit(Rang(), at=datetime(2020, 1, 1, tzinfo=UTC))

    assert (heard("test.rang"), rows()) == (1, [])


def test_the_journal_only_grows(settle):
    number = make_idea().id
    written = {}

    for role, act in (
        (Role.MEMBER, lambda idea, who: service.cast_vote(idea, who)),
        (Role.MEMBER, lambda idea, who: comments.post_comment(idea, who, "Me too.")),
        (Role.PM, lambda idea, who: move_idea(idea, Status.NEEDS_INFO, who, MoveDetails(answer="Which map?"))),
        (Role.MODERATOR, lambda idea, who: service.hide_idea(idea, who, "It names a person.")),
    ):
        who = make_user(role)
        with transaction():
            act(db.session.get_one(Idea, number), who)
        settle()
        journal = {
            record.id: (record.name, record.at, record.actor_id, str(record.data))
            for record in db.session.scalars(select(EventRecord).order_by(EventRecord.id))
        }
        assert written.items() <= journal.items()
        written = journal

    assert [name for name, *_ in written.values() if name.startswith("idea.")][-2:] == ["idea.moved", "idea.hidden"]


# Carrying out


def test_a_reaction_is_carried_out_once(react):
    react(mark_down)
    ring(1, 2, 3)

    worker.settle()
    worker.settle()

    assert carried_out == [1, 2, 3]
    assert all(row.done_at and row.attempts == 1 for row in rows())


def test_a_reaction_and_the_mark_that_it_is_done_are_one_transaction(react):
    react(mark_down_and_fail)
    ring(1)

    work_off()

    [row] = rows()
    assert heard("test.heard_in_vain") == 0
    assert (row.done_at, row.attempts) == (None, 1)
    assert row.error == "RuntimeError: the bell broke"


def test_a_reaction_that_fails_harms_no_other(react):
    react(mark_down_and_fail, mark_down)
    ring(1, 2)

    work_off()

    assert carried_out == [1, 2]
    assert [bool(row.done_at) for row in rows()] == [False, True, False, True]


def test_what_failed_is_tried_again_after_a_delay_that_grows_and_is_given_up_in_sight(react):
    react(mark_down_and_fail)
    waits = []
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False) as clock:
        ring(1)
        for _ in range(ATTEMPTS):
            assert work_off() == 1
            [row] = rows()
            waits.append((row.available_at - utcnow()).total_seconds())
            assert work_off() == 0  # not due yet
            clock.move_to(row.available_at + timedelta(seconds=1))
        [row] = rows()

    assert all(0.5 * 2**n <= wait <= 1.5 * 2**n for n, wait in enumerate(waits, start=1))
    assert row.given_up_at is not None
    assert (row.attempts, row.error) == (ATTEMPTS, "RuntimeError: the bell broke")
    assert work_off() == 0


def test_staff_see_what_was_given_up_and_have_it_tried_again(react, browse, app):
    react(mark_down_and_fail)
    ring(1)
    with transaction():
        row = db.session.scalars(select(OutboxRow)).one()
        row.given_up_at, row.error = utcnow(), "RuntimeError: the bell broke"
    admin = browse(make_user(Role.ADMIN))

    shown = admin.get("/mail/health").text
    app.extensions["reactions_by_name"]["tests.mark_down_and_fail"] = mark_down
    admin.post(f"/mail/health/outbox/{row.id}/again")
    work_off()

    assert "the bell broke" in shown
    assert carried_out == [1]


def test_what_a_dead_worker_held_is_taken_over_when_its_lease_runs_out(react, monkeypatch):
    react(mark_down)
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False) as clock:
        ring(1)
        monkeypatch.setattr(leases, "WORKER_NAME", "somebody who dies now")
        held = claim(OutboxRow, 10)
        monkeypatch.setattr(leases, "WORKER_NAME", "the next one")

        assert (len(held), work_off(), carried_out) == (1, 0, [])
        clock.shift(LEASE + timedelta(seconds=1))
        work_off()

    assert carried_out == [1]
    assert rows()[0].attempts == 2


def test_a_worker_whose_lease_ran_out_leaves_the_work_to_whoever_took_it_over(react, monkeypatch):
    react(mark_down)
    ring(1)
    [row_id] = claim(OutboxRow, 10)
    with transaction():
        db.session.get_one(OutboxRow, row_id).locked_by = "whoever took it over"

    with transaction():
        outbox._carry_out(row_id)

    assert carried_out == []
    assert rows()[0].done_at is None


def test_what_is_claimed_is_claimed_by_one(react):
    react(mark_down)
    ring(*range(10))

    first, second, third = claim(OutboxRow, 4), claim(OutboxRow, 4), claim(OutboxRow, 4)

    assert [len(first), len(second), len(third)] == [4, 4, 2]
    assert len({*first, *second, *third}) == 10


def test_workers_side_by_side_carry_out_each_once(react, app):
    react(mark_down)
    ring(*range(40))

    in_threads(app, 3, lambda: [work_off(5) for _ in range(10)])

    assert sorted(carried_out) == list(range(40))
    assert heard() == 40
    assert all(row.done_at for row in rows())


def test_people_are_told_once_however_often_and_by_however_many_it_is_tried(app):
    idea, voters = make_idea(), [make_user() for _ in range(5)]
    for voter in voters:
        with transaction():
            service.cast_vote(idea, voter)
    pm = make_user(Role.PM)
    with transaction():
        move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))
    with transaction():
        move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="We build it."))

    in_threads(app, 2, worker.settle)
    with transaction():  # as if no mark had been kept
        for row in db.session.scalars(select(OutboxRow)):
            row.done_at = row.locked_until = row.locked_by = None
    in_threads(app, 2, worker.settle)

    told = db.session.execute(select(Notification.user_id, Notification.event_id)).all()
    assert len(told) == len(set(told))
    decided = db.session.scalars(select(Notification.user_id).where(Notification.kind == "decided")).all()
    assert sorted(decided) == sorted([idea.author_id, *(voter.id for voter in voters)])


def test_settling_works_until_nothing_is_due(settle):
    make_idea()

    settle()

    assert all(row.done_at for row in rows())
    assert db.session.scalars(select(IndexTask)).all() == []


def test_a_chore_that_fails_keeps_no_other_back(app):
    done = []

    def broken() -> int:
        raise RuntimeError("no luck")

    def fine() -> int:
        done.append(1)
        return 1

    app.extensions["chores"] = (broken, fine, broken, fine)

    assert worker.work_once() == 2
    assert done == [1, 1]


def test_a_worker_that_is_told_to_stop_begins_no_further_chore(app):
    stop, done = threading.Event(), []

    def told_meanwhile() -> int:
        stop.set()
        return 1

    app.extensions["chores"] = (told_meanwhile, lambda: done.append(1) or 1)
    worker.run(app, stop)

    assert done == []


def test_a_worker_that_is_told_to_stop_leaves_the_rest_of_its_work_to_the_next_at_once(react, app):
    stop = threading.Event()

    def mark_down_and_stop(recorded: Recorded) -> None:
        mark_down(recorded)
        stop.set()

    react(mark_down_and_stop)
    ring(1, 2, 3)
    app.extensions["chores"] = (outbox.work_off,)
    worker.run(app, stop)
    [first, *left] = rows()

    assert carried_out == [1]
    assert first.done_at is not None
    assert [(row.attempts, row.locked_until, row.locked_by, row.done_at) for row in left] == [(0, None, None, None)] * 2
    assert work_off() == 2
    assert carried_out == [1, 2, 3]


def test_the_worker_is_woken_by_what_happens_and_stops_when_told(react, app):
    react(mark_down)
    app.extensions["chores"] = (outbox.work_off,)
    end = worker.start_inside(app)
    try:
        ring(5)
        wait_until(lambda: carried_out == [5])
    finally:
        end()

    ring(6)
    assert carried_out == [5]
    assert not any(thread.name == "portal-worker" for thread in threading.enumerate())


# What the passing of time does


@pytest.fixture
def asked() -> Iterator[tuple[Idea, User, Any]]:
    """An idea whose author was asked something, and a clock to wait with."""
    with time_machine.travel(datetime(2026, 3, 1, 9, tzinfo=UTC), tick=False) as clock:
        idea, pm = make_idea(), make_user(Role.PM)
        with transaction():
            move_idea(idea, Status.NEEDS_INFO, pm, MoveDetails(answer="Which map do you use?"))
        yield idea, pm, clock


def test_an_author_is_reminded_once_after_a_week(asked, settle):
    idea, _pm, clock = asked

    clock.shift(timedelta(days=7, seconds=-1))
    early = clocks.remind_of_questions()
    clock.shift(timedelta(seconds=2))
    reminded = [clocks.remind_of_questions() for _ in range(3)]
    settle()

    assert (early, reminded) == (0, [1, 0, 0])
    told = db.session.scalars(select(Notification.user_id).where(Notification.kind == "question_reminder")).all()
    assert told == [idea.author_id]


def test_a_question_without_an_answer_goes_back_to_review_after_21_days(asked):
    idea, _pm, clock = asked

    clock.shift(timedelta(days=21, seconds=-1))
    early = clocks.return_to_review()
    clock.shift(timedelta(seconds=2))
    done = [clocks.return_to_review() for _ in range(2)]

    db.session.refresh(idea)
    assert (early, done) == (0, [1, 0])
    assert idea.status is Status.UNDER_REVIEW
    change = queries.status_changes(idea, idea.author)[-1]
    assert (change.actor_id, "21 days" in change.reason) == (None, True)


def test_the_authors_answer_puts_the_idea_back_under_review_at_once(asked):
    idea, _pm, _clock = asked

    with transaction():
        comments.post_comment(idea, make_user(), "I use the old one.")
    others = idea.status
    with transaction():
        comments.post_comment(idea, idea.author, "The blue one.")

    assert (others, idea.status) == (Status.NEEDS_INFO, Status.UNDER_REVIEW)


def test_what_is_parked_comes_back_on_its_day():
    pm = make_user(Role.PM)
    with time_machine.travel(datetime(2026, 3, 1, 9, tzinfo=UTC), tick=False) as clock:
        parked, forever = make_idea(), make_idea()
        with transaction():
            day = utcnow().date() + timedelta(days=30)
            move_idea(parked, Status.NOT_NOW, pm, MoveDetails(answer="Later.", review_on=day))
            move_idea(forever, Status.NOT_NOW, pm, MoveDetails(answer="Later.", reversal="Ten more."))
        clock.move_to(datetime(2026, 3, 30, 23, 59, tzinfo=UTC))
        early = clocks.return_to_review()
        clock.move_to(datetime(2026, 3, 31, 0, 1, tzinfo=UTC))
        done = clocks.return_to_review()

    assert (early, done) == (0, 1)
    assert (parked.status, forever.status) == (Status.UNDER_REVIEW, Status.NOT_NOW)


def test_what_is_out_of_sight_has_no_clock(asked):
    idea, _pm, clock = asked
    with transaction():
        idea.publication = Publication.HIDDEN

    clock.shift(timedelta(days=30))

    assert clocks.remind_of_questions() + clocks.return_to_review() == 0


def test_clocks_of_two_workers_move_an_idea_once(asked, app):
    _idea, _pm, clock = asked
    clock.shift(timedelta(days=22))

    in_threads(app, 3, clocks.return_to_review)

    back = db.session.scalars(select(StatusChange).where(StatusChange.target == Status.UNDER_REVIEW)).all()
    assert len(back) == 1


def test_reminders_of_two_workers_reach_the_author_once(asked, app):
    _idea, _pm, clock = asked
    clock.shift(timedelta(days=8))

    in_threads(app, 3, clocks.remind_of_questions)

    assert len(db.session.scalars(select(EventRecord).where(EventRecord.name == "idea.info_still_needed")).all()) == 1


def in_threads(app: Flask, number: int, work: Callable[[], Any]) -> None:
    """Do the same work several times at once."""
    assert at_once(app, [work] * number) == []


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        pause.wait(0.02)
    raise AssertionError("it did not happen in time")
