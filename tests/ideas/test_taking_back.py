"""Taking back what was done by mistake: unheard while its mails wait, and exactly."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas import merging, moves, promises, service, taking_back
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.moves import MoveDetails
from portal.ideas.queries import answers, status_changes
from portal.ideas.taking_back import CannotUndo
from portal.ideas.workflow import Publication, Status
from portal.notifications.mails.sending import send_due
from portal.notifications.models import CaughtMail, Mail, Notification
from portal.outbox import work_off
from portal.promises.service import renew_promise
from portal.transactions import transaction
from tests.factories import make_idea, make_user, make_votes
from tests.support import either_way

pytestmark = [pytest.mark.usefixtures("app"), pytest.mark.settings(FOLD_MINUTES=15)]

DECLINED = MoveDetails(answer="We will not.", reversal="If many ask.")
PLANNED = MoveDetails(answer="We will build it.", expected="June")


def state(idea):
    db.session.refresh(idea)
    skipped = {"heat", "comments", "votes"}
    return {c.name: getattr(idea, c.name) for c in Idea.__table__.columns if c.name not in skipped}


def move(idea, target, actor, details, minutes_ago=0):
    with transaction():
        return moves.move_idea(idea, target, actor, details, at=utcnow() - timedelta(minutes=minutes_ago))


def undo(idea, change, actor, **more):
    with transaction():
        moves.undo_move(idea, change, actor, **more)


def settle():
    """Let follow what follows, and send what is due."""
    work_off(500)
    while send_due():
        pass


def forget_mails():
    settle()
    with transaction():
        for mail in [*db.session.scalars(select(Mail)), *db.session.scalars(select(CaughtMail))]:
            db.session.delete(mail)


def let_pass():
    """Let the time pass for which mails wait."""
    work_off(500)
    with transaction():
        passed = utcnow() - timedelta(seconds=1)
        for mail in db.session.scalars(select(Mail).where(Mail.done_at.is_(None))):
            mail.available_at = passed
    settle()


def subjects():
    db.session.rollback()
    return sorted(db.session.scalars(select(CaughtMail.subject)))


@pytest.fixture
def reviewed():
    """An idea under review, with an author, a voter and somebody who looks after it."""
    idea = make_idea("Bells at night", owner_id=make_user(Role.MODERATOR).id)
    make_votes(idea, 1)
    pm = make_user(Role.PM)
    move(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=make_user(Role.PM)), minutes_ago=90)
    forget_mails()
    return idea, pm


@pytest.mark.parametrize(
    ("target", "details"),
    [
        (Status.PLANNED, PLANNED),
        (Status.DECLINED, DECLINED),
        (Status.NOT_NOW, MoveDetails(answer="Later.", review_on=utcnow().date() + timedelta(days=40))),
        (Status.NEEDS_INFO, MoveDetails(answer="Which bells?")),
    ],
)
def test_a_move_taken_back_leaves_the_idea_exactly_as_it_was(reviewed, target, details):
    idea, pm = reviewed
    before, said = state(idea), answers(idea)

    change = move(idea, target, pm, details)
    undo(idea, change, pm)
    undo(idea, change, pm)

    assert state(idea) == before
    assert answers(idea) == said
    assert change.id not in [shown.id for shown in status_changes(idea, pm)]
    assert db.session.scalars(select(EventRecord.name).where(EventRecord.name == "idea.move_undone")).all() == [
        "idea.move_undone"
    ]


def test_a_move_taken_back_in_time_is_mailed_to_nobody_and_leaves_every_inbox(reviewed, browse):
    idea, pm = reviewed

    change = move(idea, Status.PLANNED, pm, PLANNED)
    settle()
    assert "Planned" in browse(idea.author).get("/inbox").text
    undo(idea, change, pm)
    let_pass()

    assert subjects() == []
    assert db.session.scalars(select(Mail.suppressed).distinct()).all() == ["taken back"]
    told = db.session.scalars(select(Notification).where(Notification.kind == "decided")).all()
    assert told and all(line.read_at for line in told)
    assert not db.session.scalars(select(Notification).where(Notification.kind == "move_undone")).all()
    assert "We will build it" not in browse(idea.author).get("/inbox").text
    assert "We will build it" not in browse(idea.author).get(f"/ideas/{idea.id}").text


def test_whoever_read_of_it_reads_that_it_was_taken_back(reviewed, browse):
    idea, pm = reviewed
    change = move(idea, Status.DECLINED, pm, DECLINED)
    work_off(500)
    with transaction():
        mine = select(Notification).where(Notification.user_id == idea.author_id, Notification.kind == "decided")
        db.session.scalars(mine).one().read_at = utcnow()

    undo(idea, change, pm)
    let_pass()

    inbox = browse(idea.author).get("/inbox").text
    assert "a mistake and is taken back" in inbox and "It is Under review again" in inbox
    assert "We will not." not in inbox
    assert subjects() == []


def test_moves_in_a_short_while_are_one_mail_and_moving_back_is_none(reviewed):
    idea, pm = reviewed
    move(idea, Status.PLANNED, pm, PLANNED)
    move(idea, Status.IN_PROGRESS, pm, MoveDetails())
    move(idea, Status.SHIPPED, pm, MoveDetails(answer="It rings."))
    let_pass()
    assert subjects() == ["Shipped: Bells at night"] * 2
    raw = db.session.scalars(select(CaughtMail.raw).order_by(CaughtMail.id)).first()
    assert "Under review" in raw and "Planned" in raw and "We will build it" in raw

    forget_mails()
    move(idea, Status.UNDER_REVIEW, pm, MoveDetails(reason="It does not ring."))
    move(idea, Status.PLANNED, pm, PLANNED)
    move(idea, Status.SHIPPED, pm, MoveDetails(answer="It does."))
    let_pass()
    assert subjects() == []


def test_what_was_undone_last_lets_the_mail_tell_of_what_stands(reviewed):
    idea, pm = reviewed
    move(idea, Status.PLANNED, pm, PLANNED, minutes_ago=16)
    change = move(idea, Status.IN_PROGRESS, pm, MoveDetails())
    settle()
    assert subjects() == ["Planned: Bells at night"], "the author's waits for the newer one"

    undo(idea, change, pm)
    let_pass()

    assert subjects() == ["Planned: Bells at night"] * 2


def test_it_is_refused_too_late_to_others_and_once_somebody_moved_on(reviewed):
    idea, pm = reviewed
    moderator, other = make_user(Role.MODERATOR), make_user(Role.PM)
    first = move(idea, Status.PLANNED, pm, PLANNED, minutes_ago=16)
    with pytest.raises(CannotUndo, match="too late"):
        undo(idea, first, pm)
    undo(idea, first, pm, within=timedelta(hours=24))
    second = move(idea, Status.PLANNED, pm, PLANNED)
    with pytest.raises(CannotUndo, match="Only whoever"):
        undo(idea, second, moderator)
    move(idea, Status.IN_PROGRESS, other, MoveDetails())

    with pytest.raises(CannotUndo, match="Somebody moved it on"):
        undo(idea, second, pm)


def test_what_people_did_meanwhile_stays(reviewed):
    idea, pm = reviewed
    colleague = make_user(Role.PM)
    change = move(idea, Status.PLANNED, pm, PLANNED, minutes_ago=5)
    make_votes(idea, 2)
    with transaction():
        moves.assign_owner(idea, colleague, pm)
        later = moves.answer_idea(idea, pm, MoveDetails(answer="More soon."))

    undo(idea, change, pm)

    assert (idea.status, idea.owner_id, idea.votes) == (Status.UNDER_REVIEW, colleague.id, 4)
    assert [answer.id for answer in answers(idea)] == [later.id] and idea.answered_at == later.at


def test_an_answer_is_taken_back_with_its_clock_and_mails(reviewed):
    idea, pm = reviewed
    before = state(idea)
    with transaction():
        answer = moves.answer_idea(idea, pm, MoveDetails(answer="Not sure."))
    settle()

    with transaction():
        taking_back.undo_answer(idea, answer, pm)
    let_pass()

    assert state(idea) == before and answers(idea) == [] and subjects() == []
    assert db.session.get_one(Answer, answer.id).body == "Not sure."
    assert db.session.scalar(select(StatusChange.id).where(StatusChange.undone_at.is_not(None))) is None


def test_a_merge_taken_back_in_time_is_mailed_to_nobody(reviewed):
    idea, pm = reviewed
    main = make_idea("Bells by day")
    forget_mails()
    move(idea, Status.MERGED, pm, MoveDetails(into=main))
    settle()
    with transaction():
        merging.undo_merge(idea, pm, "A slip.")

    let_pass()

    assert subjects() == []
    assert {"merge taken back", "taken back"} <= set(db.session.scalars(select(Mail.suppressed)))


@either_way
def test_the_desk_offers_to_take_back_what_was_just_done(reviewed, browse, headers):
    idea, pm = reviewed
    before, desk, browser = state(idea), f"/triage/mine/{idea.id}", browse(pm)
    for address, sent in (
        ("move/planned", {"planned-answer": "Yes.", "planned-seen": "under_review"}),
        ("answer", {"answer-answer": "Soon.", "answer-seen": "under_review"}),
        ("hide", {"reason": "By mistake."}),
    ):
        done = browser.post(f"{desk}/{address}", data=sent, headers=headers, follow_redirects=True)
        undo = re.search(r'class="toast".*?action="([^"]*undo-[^"]*)"', done.text, re.S)
        assert undo, address
        db.session.rollback()
        assert state(idea) != before

        back = browser.post(html.unescape(undo[1]), headers=headers, follow_redirects=True)

        assert "Taken back." in back.text and 'id="desk"' in back.text
        db.session.rollback()
        assert state(idea) == before
    let_pass()
    assert subjects() == []
    assert browse(make_user(Role.PM)).post(f"{desk}/undo-hiding").status_code in {200, 303}


@either_way
def test_the_desk_says_why_it_is_too_late(reviewed, browse, headers):
    idea, pm = reviewed
    change = move(idea, Status.PLANNED, pm, PLANNED, minutes_ago=16)

    answer = browse(pm).post(f"/triage/mine/{idea.id}/undo-move/{change.id}", headers=headers)

    assert answer.status_code == 422 and "It is too late to take this back" in answer.text
    db.session.rollback()
    assert idea.status is Status.PLANNED


@either_way
@pytest.mark.parametrize("before", [Publication.HELD, Publication.HIDDEN])
def test_an_idea_let_through_by_mistake_is_held_again_as_if_nothing_had_been(browse, headers, before):
    moderator, author = make_user(Role.MODERATOR), make_user(trusted_at=None)
    idea = make_idea(author=author, publication=before, at=utcnow() - timedelta(days=3))
    forget_mails()
    was, counted, browser = state(idea), idea.board.ideas, browse(moderator)
    ledger = len(promises.ledger_of(idea.id))

    done = browser.post(f"/triage/held/{idea.id}/publish", headers=headers, follow_redirects=True)
    undo = re.search(r'action="([^"]*undo-publishing)"', done.text)
    work_off(500)
    db.session.rollback()
    told = db.session.scalars(select(Notification.kind)).all()
    assert undo and idea.is_published and author.trusted_at and set(told) == {"received", "published"}
    back = browser.post(html.unescape(undo[1]), headers=headers, follow_redirects=True)
    let_pass()

    db.session.expire_all()
    assert "Taken back." in back.text
    assert state(idea) == was and idea.board.ideas == counted and author.trusted_at is None
    assert len(promises.ledger_of(idea.id)) == ledger
    assert subjects() == [] and db.session.scalars(select(Notification.kind)).all() == ["received"]


def test_what_was_let_through_stays_once_somebody_else_has_gone_on_with_it():
    moderator, idea = make_user(Role.MODERATOR), make_idea(publication=Publication.HELD)
    with transaction():
        service.publish_idea(idea, moderator)

    with pytest.raises(CannotUndo, match="Only whoever"), transaction():
        taking_back.undo_publishing(idea, make_user(Role.MODERATOR))
    move(idea, Status.UNDER_REVIEW, moderator, MoveDetails(owner=make_user(Role.PM)))
    with pytest.raises(CannotUndo, match="answered or moved"), transaction():
        taking_back.undo_publishing(idea, moderator)

    db.session.rollback()
    assert idea.is_published and idea.status is Status.UNDER_REVIEW


def test_a_promise_that_went_on_keeps_the_day_it_was_given_meanwhile():
    moderator, pm, idea = make_user(Role.MODERATOR), make_user(Role.PM), make_idea()
    with transaction():
        service.hide_idea(idea, moderator, "Is this an advertisement?")
    with transaction():
        service.publish_idea(idea, moderator)
    with transaction():
        renew_promise(idea, (utcnow() + timedelta(days=40)).date(), "We measure first.", pm)

    with transaction():
        taking_back.undo_publishing(idea, moderator)

    db.session.refresh(idea)
    assert idea.publication is Publication.HIDDEN and idea.due_at == promises.running(idea).due_at
