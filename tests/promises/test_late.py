"""Who hears of a promise that is late: whoever looks after the idea, then those who decide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.ideas import moves
from portal.ideas.models import Idea
from portal.ideas.promises import running
from portal.ideas.steps import MoveDetails
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Kind
from portal.promises import clocks
from portal.promises.letters import late_promises_letter
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user

pytestmark = pytest.mark.usefixtures("app")

DAY = timedelta(days=1)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = datetime(2026, 3, 12, 23, 59, 59, tzinfo=UTC)


def at(moment):
    return time_machine.travel(moment, tick=False)


def letters():
    """The mails about late promises, by who gets them: what each says, or why it says nothing."""
    db.session.rollback()
    found = db.session.scalars(select(Mail).where(Mail.kind == clocks.LETTER).order_by(Mail.id))
    return [(mail.user.name, late_promises_letter(mail)) for mail in found]


def lines(letter):
    return [f"{entry.title}: {entry.text}" for section in letter.sections for entry in section.entries]


def test_the_owner_hears_once_and_no_more_when_the_word_has_come(browse, settle):
    owner = make_user(Role.PM, name="Ines")
    idea = make_idea("Wider paths", at=MONDAY, owner_id=owner.id)
    idea_id, owner_id = idea.id, owner.id

    with at(DUE):
        assert clocks.note_missed() == 0
    with at(DUE + timedelta(seconds=2)):
        reader = browse(owner)
        assert clocks.note_missed() == 1
        assert clocks.note_missed() == 0
        settle()
        inbox = reader.get("/inbox").text
        told = select(Notification).where(Notification.kind == Kind.PROMISE_LATE)
        assert [(n.user_id, n.idea_id, n.read_at) for n in db.session.scalars(told)] == [(owner_id, idea_id, None)]
        assert db.session.scalars(select(Mail.kind).where(Mail.kind == Kind.PROMISE_LATE)).all() == [Kind.PROMISE_LATE]
        assert "A promise on an idea you look after is late" in inbox
        assert "Everybody reads that we promised a word by 12 March." in inbox

        with transaction():
            idea = db.session.get_one(Idea, idea_id)
            moves.answer_idea(idea, make_user(Role.PM), MoveDetails(answer="Here it is."))
        settle()
        assert "is late" not in reader.get("/inbox").text
        db.session.rollback()
        assert db.session.scalars(told).one().read_at is not None


def test_after_some_days_those_who_decide_get_one_mail_of_what_is_theirs(browse):
    away = make_board("Away", Audience.PRIVATE)
    owner, pm = make_user(Role.MODERATOR, name="Olga"), make_user(Role.PM, name="Paula")
    of_board = make_user(name="Bea")
    make_place(away, of_board, Role.PM)
    make_user(Role.PM, name="Silent", wants_mail=False)
    make_user(Role.OBSERVER, name="Watching")
    make_idea("Owned", at=MONDAY, owner_id=owner.id)
    make_idea("Hidden from Paula", board=away, at=MONDAY, owner_id=owner.id)
    answered = make_idea("Answered late", at=MONDAY, owner_id=owner.id)

    with at(DUE + 2 * DAY):
        assert clocks.raise_late() == 0
    with at(datetime(2026, 3, 16, 7, 59, tzinfo=UTC)):
        assert clocks.raise_late() == 0
    with at(datetime(2026, 3, 16, 8, 1, tzinfo=UTC)):
        assert clocks.raise_late() == 2
        assert clocks.raise_late() == 0
        with transaction():
            moves.answer_idea(answered, pm, MoveDetails(answer="Sorry."))
        said = dict(letters())

    assert set(said) == {"Bea", "Paula"}
    assert lines(said["Paula"]) == ["Owned: Promised by 12 March, Olga"]
    assert said["Paula"].subject == "1 promise is late"
    assert lines(said["Bea"]) == ["Hidden from Paula: Promised by 12 March, Olga"]
    assert said["Paula"].url.endswith("/triage/answer-due")


def test_what_nobody_looks_after_is_raised_the_next_morning_and_only_once():
    make_user(Role.PM, name="Paula")
    idea = make_idea("Nobody's", at=MONDAY)

    with at(DUE + timedelta(hours=9)):
        assert clocks.raise_late() == 1
        assert lines(letters()[0][1]) == ["Nobody's: Promised by 12 March, nobody looks after it"]
        assert running(idea).raised_at == DUE + timedelta(hours=9)
    with at(DUE + DAY + timedelta(hours=9)):
        assert clocks.raise_late() == 0
