"""Two workers at the same mails: whoever lost one to the other neither sends it nor says how its news are heard."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy import select

from portal import leases, outbox
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.ideas import moves
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.choosing import choose_topics
from portal.notifications.mails import asking, folding, sending
from portal.notifications.mails.transport import NotTaken
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Topic, Way
from portal.transactions import transaction
from tests.factories import make_idea, make_user

OTHER = "another worker"


def decided_idea() -> int:
    """An idea that was just decided, so that a mail to its author waits; return the number of the author."""
    idea = make_idea("Offline routes")
    author = idea.author_id
    outbox.work_off(500)
    with transaction():
        db.session.execute(sa.delete(Mail))
        idea = db.session.get_one(Idea, idea.id)
        idea.status = Status.UNDER_REVIEW
    move(Status.PLANNED)
    return author


def move(target: Status) -> None:
    with transaction():
        idea, details = db.session.scalars(select(Idea)).one(), MoveDetails(answer="Yes.", expected="June")
        moves.move_idea(idea, target, make_user(Role.PM, team="Safety team"), details)
    outbox.work_off(500)


def mails() -> list[Mail]:
    db.session.expire_all()
    return list(db.session.scalars(select(Mail).order_by(Mail.id)))


def other_worker_has_it(**ended: object) -> None:
    held = {"locked_by": OTHER, "locked_until": utcnow() + timedelta(seconds=60), **ended}
    db.session.execute(sa.update(Mail).values(**held))


@pytest.mark.parametrize("sent", [False, True], ids=["taken over", "sent by the other"])
def test_a_mail_that_was_lost_changes_nothing_of_what_its_reader_hears_by_which_way(app, smtp, monkeypatch, sent):
    author, load = decided_idea(), asking.load

    def loaded_late(mail_id: int) -> Mail | None:
        with transaction():
            other_worker_has_it(**({"done_at": utcnow(), "locked_by": None} if sent else {}))
            choose_topics(db.session.get_one(User, author), {Topic.DECISIONS: Way.DIGEST}, {})
        return load(mail_id)

    monkeypatch.setattr(asking, "load", loaded_late)
    sending.send_due()

    (mail,) = mails()
    told = select(Notification.way).where(Notification.id == mail.notification_id)
    assert smtp.got == []
    assert (mail.suppressed, mail.unknown_ends, mail.error) == (None, 0, None)
    assert db.session.scalars(told).one() == "mail"  # else it would be in the digest once more


def test_a_mail_that_another_worker_takes_in_the_moment_it_leaves_is_sent_by_that_one_alone(app, smtp, monkeypatch):
    decided_idea()
    note = asking.note_leaving

    def noted_late(mail_id, until):
        other_worker_has_it()
        return note(mail_id, until)

    monkeypatch.setattr(asking, "note_leaving", noted_late)
    sending.send_due()

    (mail,) = mails()
    assert smtp.got == []
    assert (mail.locked_by, mail.unknown_ends, mail.done_at) == (OTHER, 0, None)


def test_what_one_worker_was_refused_after_another_sent_it_is_sent(app, monkeypatch):
    decided_idea()

    class Late:
        def hand_over(self, *_mail: object) -> None:
            with transaction():
                other_worker_has_it(done_at=utcnow(), locked_by=None)
            raise NotTaken("550 5.7.1 too late", for_good=True)

        def close(self) -> None:
            pass

    monkeypatch.setattr(sending, "transport_for", lambda _url: Late())
    sending.send_due()

    (mail,) = mails()
    assert mail.done_at and (mail.given_up_at, mail.error) == (None, None)


def test_a_mail_that_is_to_tell_of_more_is_taken_from_whoever_may_have_written_it_without(app, monkeypatch):
    monkeypatch.setitem(app.config, "FOLD_MINUTES", 10)
    decided_idea()
    move(Status.IN_PROGRESS)
    with time_machine.travel(utcnow() + timedelta(minutes=15), tick=False) as clock:
        earlier, later = mails()
        later_id = later.id
        with transaction():
            later.locked_by, later.locked_until = OTHER, utcnow() + timedelta(seconds=1)
        leases.claim(Mail, 1)
        clock.shift(2)  # the other's lease ran out, while it was writing

        folded = folding.fold(asking.load(earlier.id))

        later = db.session.get_one(Mail, later_id)
        assert folded and later.data["folded"]
        assert (later.locked_by, later.locked_until) == (None, None)
