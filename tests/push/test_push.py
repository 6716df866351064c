"""Browsers that are told at once: who is told what, how it gets there, and when it does not."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy import select

from portal import outbox, outgoing
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board
from portal.comments import service as comments
from portal.db import db, utcnow
from portal.events import emit
from portal.ideas import service as ideas
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails, move_idea
from portal.ideas.taking_back import undo_move
from portal.ideas.workflow import Status
from portal.notifications import choosing, pushing
from portal.notifications.models import Notification
from portal.notifications.policy import Topic
from portal.push import keys
from portal.push import service as pushes
from portal.push.models import Push, Subscription
from portal.talk import service as talk
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_user
from tests.support.databases import on_one_database

here_allowed = pytest.mark.settings(OUTGOING_ALLOW="127.0.0.1")


def tell(user, browser):
    with transaction(wake=False):
        keys.make_keys()
        return pushes.subscribe(user, **browser, session_hash=None, browser_hash="", browser="Firefox").id


def vote(idea, voter):
    with transaction():
        ideas.cast_vote(idea, voter)


def plan(idea):
    pm = make_user(Role.PM)
    with transaction():
        move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))
        change = move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="We **build** it.", expected="June"))
    return pm, change


def end_of(row):
    return row.suppressed or ("sent" if row.done_at else "set aside" if row.given_up_at else "waits")


def ends():
    db.session.rollback()
    return [end_of(row) for row in db.session.scalars(select(Push).order_by(Push.id))]


@here_allowed
def test_a_voter_is_told_of_a_decision_in_words_that_only_their_browser_can_read(service, settle):
    idea, voter = make_idea("Show the wells"), make_user()
    vote(idea, voter)
    tell(voter, service.browser())
    idea_id = idea.id

    plan(idea)
    settle()

    (told,) = service.got
    assert told.message == {
        "title": "Show the wells",
        "body": "An idea you voted for has moved",
        "url": f"/ideas/{idea_id}",
        "tag": f"idea-{idea_id}",
        "lang": "en",
    }
    assert told.is_signed and b"wells" not in told.body
    assert told.headers["Content-Encoding"] == "aes128gcm" and told.headers["TTL"] == "86400"
    assert "idea" not in told.headers["Topic"] and len(told.headers["Topic"]) == 32
    assert ends()[-1] == "sent"


@here_allowed
def test_s09_what_a_reader_may_not_see_any_more_is_not_sent(service, settle):
    board, voter = make_board(), make_user()
    idea = make_idea("Show the wells", board=board)
    vote(idea, voter)
    tell(voter, service.browser())
    plan(idea)
    outbox.work_off()
    with transaction():
        db.session.get_one(Board, board.id).audience = Audience.STAFF
    settle()

    assert service.got == [] and set(ends()) == {"no longer visible"}


@here_allowed
def test_s05_what_the_team_says_among_itself_goes_to_no_browser(service, settle):
    idea, author, called = make_idea(), make_user(Role.PM), make_user(Role.PM, name="Wren Hollow")
    tell(called, service.browser())
    with transaction():
        talk.write_note(idea, author, "@Wren Hollow what do you think?")
    settle()

    assert "noted" in db.session.scalars(select(Notification.kind)).all()
    assert service.got == [] and ends() == []


@here_allowed
@pytest.mark.settings(FOLD_MINUTES=15)
def test_what_follows_within_a_while_is_one_message_and_what_is_taken_back_is_none(service, settle):
    idea, other, voter = make_idea("Show the wells"), make_idea("Draw the fences"), make_user()
    vote(idea, voter)
    vote(other, voter)
    tell(voter, service.browser())
    start = datetime(2026, 11, 20, 9, tzinfo=UTC)
    with time_machine.travel(start):
        pm, _change = plan(idea)
        _pm, taken_back = plan(other)
        outbox.work_off()
        with transaction():
            move_idea(idea, Status.NOT_NOW, pm, MoveDetails(answer="Not this year.", reversal="Money."))
            undo_move(other, taken_back, _pm)
        settle()
        assert service.got == []
    with time_machine.travel(start + timedelta(minutes=16)):
        settle()

    assert [told.message["title"] for told in service.got] == ["Show the wells"]
    assert sorted(ends()) == ["read already", "sent", "told with what came next"]


@here_allowed
def test_quiet_hours_and_a_pause_hold_and_what_waited_for_a_day_is_no_news(service, settle):
    night = datetime(2026, 11, 20, 23, tzinfo=UTC)
    idea, sleeper = make_idea("Show the wells"), make_user(timezone="UTC")
    idea_id, sleeper_id = idea.id, sleeper.id
    vote(idea, sleeper)
    tell(sleeper, service.browser())
    with time_machine.travel(night):
        with transaction(wake=False):
            choosing.choose_quiet_hours(sleeper, 22, 7)
        plan(idea)
        settle()
        assert service.got == [] and ends() == ["waits"]
    with time_machine.travel(night + timedelta(hours=7, minutes=59)):
        settle()
        assert service.got == []
    with time_machine.travel(night + timedelta(hours=8, minutes=1)):
        settle()
    assert len(service.got) == 1

    with time_machine.travel(night + timedelta(days=2, hours=12)):
        say_something(idea_id, sleeper_id)
        outbox.work_off()
        with transaction(wake=False):
            choosing.pause(db.session.get_one(User, sleeper_id))
        settle()
    with time_machine.travel(night + timedelta(days=40)):
        settle()
    assert len(service.got) == 1 and ends() == ["too late"]  # the first was kept for a month


def say_something(idea_id, to_id):
    """Reply to this person, which is told at once."""
    idea, person = db.session.get_one(Idea, idea_id), db.session.get_one(User, to_id)
    mine = make_comment(idea, author=person)
    with transaction():
        comments.post_comment(idea, make_user(name="Bram"), "Yes!", reply_to=mine)


@here_allowed
def test_a_topic_that_is_not_wanted_at_once_is_not_told_also_where_that_came_later(service, settle):
    idea, voter = make_idea(), make_user()
    idea_id, voter_id = idea.id, voter.id
    vote(idea, voter)
    tell(voter, service.browser())
    plan(idea)
    outbox.work_off()
    with transaction(wake=False):
        choosing.choose_topics(voter, {}, {Topic.DECISIONS: False})
    settle()
    say_something(idea_id, voter_id)
    settle()

    assert service.bodies == ["Bram replied to you"]
    assert ends() == ["not wanted", "sent"]
    assert service.got[0].message["tag"].endswith("-talk")


@here_allowed
def test_what_was_read_meanwhile_or_concerns_nobody_any_more_is_left_out(service, settle):
    idea, reader, muting = make_idea(), make_user(), make_user()
    for person, path in ((reader, "/one"), (muting, "/two")):
        vote(idea, person)
        tell(person, service.browser(path))
    plan(idea)
    outbox.work_off()
    with transaction(wake=False):
        told = sa.update(Notification).where(Notification.user_id == reader.id)
        db.session.execute(told.values(read_at=utcnow()))
        ideas.unfollow(idea, muting)
    settle()

    assert service.got == [] and sorted(ends()) == ["idea muted", "read already"]


@here_allowed
def test_a_browser_that_is_gone_is_forgotten_and_a_service_that_is_away_is_asked_again(service, settle):
    idea, here, gone, refused = make_idea(), make_user(), make_user(), make_user()
    paths = {here.id: "/away", gone.id: "/gone", refused.id: "/refused"}
    for person, path in ((here, "/away"), (gone, "/gone"), (refused, "/refused")):
        vote(idea, person)
        tell(person, service.browser(path))
    service.answers = {"/away": (429, {"Retry-After": "120"}), "/gone": (410, {}), "/refused": (403, {})}
    start = datetime(2026, 11, 20, 9, tzinfo=UTC)
    with time_machine.travel(start):
        plan(idea)
        settle()
        waited = db.session.scalars(select(Push.available_at).where(Push.error.like("%429")))
        assert [moment - utcnow() > timedelta(seconds=100) for moment in waited] == [True]
    service.answers["/away"] = (201, {})
    with time_machine.travel(start + timedelta(minutes=3)):
        settle()

    db.session.rollback()
    assert {paths[row.user_id]: end_of(row) for row in db.session.scalars(select(Push))} == {
        "/away": "sent",
        "/gone": "browser is gone",
        "/refused": "set aside",
    }
    assert db.session.scalar(select(sa.func.count()).select_from(Subscription)) == 2


@here_allowed
def test_s50_a_browser_whose_address_leads_into_our_own_net_is_asked_nothing(service, settle, monkeypatch):
    voter, idea = make_user(), make_idea()
    vote(idea, voter)
    tell(voter, service.browser())
    monkeypatch.setattr(outgoing, "_resolve", lambda host, port: ["10.0.0.7"])
    plan(idea)
    settle()

    assert service.got == [] and ends() == ["browser is gone"]


@here_allowed
def test_a_worker_that_dies_while_sending_leaves_the_message_to_the_next(service, settle, monkeypatch):
    idea, voter = make_idea(), make_user()
    vote(idea, voter)
    tell(voter, service.browser())
    plan(idea)
    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(pushing, "_note", lambda ends: (_ for _ in ()).throw(SystemExit()))
        outbox.work_off()
        pushing.send_due()
    with time_machine.travel(utcnow() + pushing.LEASE + timedelta(seconds=1)):
        settle()

    assert len(service.got) == 2 and ends() == ["sent"]
    assert service.got[0].message == service.got[1].message
    assert service.got[0].headers["Topic"] == service.got[1].headers["Topic"]


@here_allowed
@on_one_database
def test_admins_hear_by_push_that_no_mail_goes_out(service, settle):
    from portal.notifications.events import MailStuck

    admin = make_user(Role.ADMIN)
    tell(admin, service.browser())
    with transaction():
        emit(MailStuck(since=utcnow().isoformat(), said="no route to host"))
    settle()

    (told,) = service.got
    assert told.message["title"].startswith("No mail goes out since") and told.message["url"] == "/inbox"
