"""What people put aside: until a day, or done with in a queue; it comes back by itself."""

from datetime import timedelta

import pytest
import time_machine

from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.ideas.workflow import Status
from portal.transactions import transaction
from portal.triage import asides, queues
from portal.triage.models import Aside
from tests.factories import make_comment, make_idea, make_user
from tests.support import either_way, on_one_database

pytestmark = pytest.mark.usefixtures("app")

DAY = timedelta(days=1)


def waiting(name, viewer):
    queue = queues.queue_named(name, viewer)
    return [row.idea.title for row in queues.page_of(queue, viewer, None).rows]


def put(act, *arguments):
    with transaction(wake=False):
        act(*arguments)


def test_what_is_snoozed_leaves_all_queues_of_one_person_and_returns_by_itself():
    now, pm, other = utcnow(), make_user(Role.PM), make_user(Role.PM)
    late = make_idea("Late", at=now - 20 * DAY, owner_id=pm.id)
    later = make_idea("Later", at=now - 19 * DAY)

    put(asides.snooze, later, now + 9 * DAY, pm)
    put(asides.snooze, late, now + 3 * DAY, pm)

    assert [waiting(name, pm) for name in ("first-look", "answer-due", "mine")] == [[], [], []]
    assert waiting("snoozed", pm) == ["Late", "Later"]
    assert queues.count_all(pm, None)["snoozed"] == 2
    assert (waiting("first-look", other), waiting("snoozed", other)) == (["Late", "Later"], [])
    with time_machine.travel(now + 3 * DAY + timedelta(seconds=1), tick=False):
        assert waiting("first-look", pm) == ["Late"]
        assert waiting("snoozed", pm) == ["Later"]


def test_snoozing_takes_a_day_to_come_within_a_year_and_can_be_moved():
    now, pm, idea = utcnow(), make_user(Role.PM), make_idea()

    for until in (now - DAY, now + 400 * DAY):
        with pytest.raises(Refusal, match="within a year"), transaction():
            asides.snooze(idea, until, pm)
    put(asides.snooze, idea, now + DAY, pm)
    put(asides.snooze, idea, now + 5 * DAY, pm)

    assert asides.snoozed_until(idea, pm) == now + 5 * DAY
    put(asides.wake, idea, pm)
    assert asides.snoozed_until(idea, pm) is None


def test_what_is_done_leaves_one_queue_until_somebody_comments_or_moves_it():
    now, pm = utcnow(), make_user(Role.PM)
    talked, moved, still = (make_idea(title, at=now - DAY) for title in ("Talked about", "Moved", "Still"))
    for idea in (talked, moved, still):
        put(asides.finish, idea, "first-look", pm)
    assert waiting("first-look", pm) == []

    make_comment(talked)
    with transaction():
        moved.status_since = utcnow()

    assert waiting("first-look", pm) == ["Talked about", "Moved"]
    put(asides.finish, talked, "first-look", pm)
    assert waiting("first-look", pm) == ["Moved"]


def test_being_done_does_not_silence_a_word_that_is_due():
    now, pm = utcnow(), make_user(Role.PM)
    soon = make_idea("Soon due", status=Status.UNDER_REVIEW, due_at=now + DAY)
    late = make_idea("Late", status=Status.UNDER_REVIEW, due_at=now - DAY)
    for idea in (soon, late):
        put(asides.finish, idea, "answer-due", pm)
    assert waiting("answer-due", pm) == []

    with time_machine.travel(now + DAY + timedelta(minutes=1), tick=False):
        assert waiting("answer-due", pm) == ["Late", "Soon due"]
        put(asides.finish, soon, "answer-due", pm)
        assert waiting("answer-due", pm) == ["Late"]


def test_what_came_back_is_forgotten():
    now, pm = utcnow(), make_user(Role.PM)
    short, long, done = (make_idea() for _ in range(3))
    put(asides.snooze, short, now + DAY, pm)
    put(asides.snooze, long, now + 9 * DAY, pm)
    put(asides.finish, done, "first-look", pm)

    with time_machine.travel(now + 3 * DAY, tick=False):
        assert asides.forget_old() == 1

    kept = db.session.scalars(db.select(Aside.idea_id).order_by(Aside.idea_id)).all()
    assert kept == [long.id, done.id]


@either_way
def test_each_is_taken_back_with_one_press(browse, headers):
    pm, idea = make_user(Role.PM), make_idea("Only one")
    browser = browse(pm)
    address, day = f"/triage/first-look/{idea.id}", (utcnow() + 4 * DAY).date()

    for act, back, data in (("done", "undone", {}), ("snooze", "snooze?until=", {"until": day.isoformat()})):
        answer = browser.post(f"{address}/{act}", data=data, headers=headers, follow_redirects=True)
        assert "That was the last one." in answer.text
        assert f'action="{address}/{back}"' in answer.text
        db.session.rollback()
        assert waiting("first-look", pm) == []

        browser.post(f"{address}/{back}", headers=headers)
        db.session.rollback()
        assert waiting("first-look", pm) == ["Only one"]


@on_one_database
def test_a_day_that_cannot_be_is_said_and_nothing_is_lost(browse):
    pm, idea = make_user(Role.PM), make_idea()

    past = browse(pm).post(f"/triage/first-look/{idea.id}/snooze", data={"day": "2020-01-01"})
    none = browse(pm).post(f"/triage/first-look/{idea.id}/snooze", data={"day": "soon"})

    assert past.status_code == 422
    assert "Choose a day after today, within a year." in past.text
    assert none.status_code == 400


def test_gone_quiet_is_what_is_in_hand_while_nobody_says_anything():
    now, pm = utcnow(), make_user(Role.PM)
    since = {"status": Status.PLANNED, "status_since": now - 70 * DAY, "heat": 0.0}
    make_idea("Silent", at=now - 90 * DAY, **since)
    make_idea("Answered", at=now - 90 * DAY, answered_at=now - DAY, **since)
    make_idea("Voted for", at=now - 90 * DAY, **since | {"heat": 10_000.0})
    make_idea("New", at=now - 90 * DAY)
    make_comment(make_idea("Talked about", at=now - 90 * DAY, **since))
    make_idea("Young", **since | {"status_since": now - 50 * DAY})

    assert waiting("quiet", pm) == ["Silent"]
