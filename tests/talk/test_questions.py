"""A question to an author: what they read, who hears of its end, and what happens by itself."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal import outbox
from portal.accounts.roles import Role
from portal.comments import service as comments
from portal.db import db
from portal.ideas import clocks
from portal.ideas.models import Idea
from portal.ideas.moves import move_idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.transactions import transaction
from tests.factories import make_idea, make_user

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def clock():
    """Sunday, the first of March, 9 o’clock."""
    with time_machine.travel(datetime(2026, 3, 1, 9, tzinfo=UTC), tick=False) as clock:
        yield clock


def ask(idea, pm, question="Which map?"):
    with transaction():
        move_idea(idea, Status.NEEDS_INFO, pm, MoveDetails(answer=question))


def settled():
    outbox.work_off()
    db.session.rollback()
    told = select(Notification.user_id).where(Notification.kind == "question_settled")
    return db.session.scalars(told.order_by(Notification.id)).all()


def test_whoever_asked_hears_of_the_answer_unless_they_own_the_idea(clock):
    pm, owner = make_user(Role.PM), make_user(Role.PM)
    unowned, owned, own = make_idea(), make_idea(owner_id=owner.id), make_idea(owner_id=pm.id)
    for idea in (unowned, owned, own):
        ask(idea, pm)

    for idea in (unowned, owned, own):
        with transaction():
            comments.post_comment(idea, idea.author, "The blue one.")

    assert settled() == [pm.id, pm.id]


def test_a_second_question_is_reminded_of_anew_and_its_end_is_told_to_who_asked_it(clock):
    first, second, idea = make_user(Role.PM), make_user(Role.PM), make_idea()
    ask(idea, first)
    clock.shift(timedelta(days=8))
    assert clocks.remind_of_questions() == 1
    with transaction():
        comments.post_comment(idea, idea.author, "The blue one.")
    ask(idea, second, "And which scale?")
    clock.shift(timedelta(days=8))
    assert clocks.remind_of_questions() == 1

    clock.shift(timedelta(days=14))
    assert clocks.return_to_review() == 1

    assert settled() == [first.id, second.id]


def test_the_page_says_until_when_we_wait_and_the_desk_what_happens_by_itself(browse, clock):
    pm, idea = make_user(Role.PM), make_idea()
    ask(idea, pm)
    author, staff = browse(idea.author), browse(pm)

    assert "We wait for the answer until" in author.get(f"/ideas/{idea.id}").text
    assert "is reminded once, after a week" in staff.get(f"/triage/needs-info/{idea.id}").text
    clock.shift(timedelta(days=8))
    clocks.remind_of_questions()
    clock.shift(timedelta(days=14))
    assert "late" not in author.get(f"/ideas/{idea.id}").text.split("answer-h")[1].split("</section>")[0]
    clocks.return_to_review()

    db.session.rollback()
    assert db.session.get_one(Idea, idea.id).status is Status.UNDER_REVIEW
    assert "We wait for the answer" not in author.get(f"/ideas/{idea.id}").text
