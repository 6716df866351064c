"""The ledger: what is promised, kept, late, renewed, and what of it anybody may count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.models import Guest
from portal.accounts.roles import Role
from portal.boards.calendars import Holiday, Settings
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.ideas import clocks, moves
from portal.ideas.merging import undo_merge
from portal.ideas.promised import Outcome, Promise, Promised
from portal.ideas.promises import ledger_of, running
from portal.ideas.steps import MoveDetails
from portal.ideas.taking_back import undo_move
from portal.ideas.workflow import Publication, Status
from portal.promises import queries, service
from portal.promises.queries import Share
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user

DAY = timedelta(days=1)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def told(idea):
    """What the ledger says: what was promised, and how it went."""
    return [(promise.kind.value, promise.outcome.value if promise.outcome else "") for promise in ledger_of(idea.id)]


def move(idea, target, actor, at, **details):
    with transaction():
        return moves.move_idea(idea, target, actor, MoveDetails(**details), at=at)


def renew(idea, until, reason, actor, at):
    with time_machine.travel(at, tick=False), transaction():
        return service.renew_promise(idea, until, reason, actor)


@pytest.fixture
def pm(app):
    return make_user(Role.PM)


def test_each_public_word_keeps_a_promise_or_is_late_and_makes_the_next(pm):
    idea = make_idea(at=MONDAY)
    first = running(idea)
    assert (first.kind, first.due_at) == (Promised.ANSWER, datetime(2026, 3, 12, 23, 59, 59, tzinfo=UTC))
    assert idea.due_at == first.due_at

    move(idea, Status.UNDER_REVIEW, pm, MONDAY + 2 * DAY, owner=pm)
    move(idea, Status.PLANNED, pm, MONDAY + 80 * DAY, answer="We do it.")
    with transaction():
        moves.answer_idea(idea, pm, MoveDetails(answer="Nearly."), at=MONDAY + 100 * DAY)

    assert told(idea) == [("answer", "kept"), ("update", "late"), ("update", "kept"), ("update", "")]
    assert running(idea).due_at == idea.due_at > MONDAY + 155 * DAY

    move(idea, Status.SHIPPED, pm, MONDAY + 110 * DAY, answer="It is there.")
    assert running(idea) is None
    assert idea.due_at is None


def test_nothing_is_promised_while_we_wait_for_the_author_and_a_parked_idea_is_looked_at_on_its_day(pm):
    asked, parked = make_idea(at=MONDAY), make_idea(at=MONDAY)
    move(asked, Status.NEEDS_INFO, pm, MONDAY + DAY, answer="Which one?")
    move(parked, Status.NOT_NOW, pm, MONDAY + DAY, answer="Later.", review_on=date(2026, 4, 3))

    assert told(asked) == [("answer", "kept")]
    assert running(parked).kind is Promised.REVIEW
    assert running(parked).due_at == datetime(2026, 4, 3, 23, 59, 59, tzinfo=UTC)

    with time_machine.travel(datetime(2026, 4, 3, 8, tzinfo=UTC), tick=False):
        clocks.return_to_review()
    db.session.expire_all()
    assert parked.status is Status.UNDER_REVIEW
    assert told(parked) == [("answer", "kept"), ("review", "kept"), ("update", "")]
    assert told(asked) == [("answer", "kept"), ("update", "")]


def test_another_day_needs_a_reason_and_what_is_late_stays_late(pm):
    idea = make_idea(at=MONDAY)
    with pytest.raises(service.ReasonMissing):
        renew(idea, date(2026, 3, 20), "  ", pm, MONDAY + DAY)
    with pytest.raises(service.DayNotPossible):
        renew(idea, date(2026, 3, 2), "We like the past.", pm, MONDAY + DAY)
    with pytest.raises(service.DayNotPossible):
        renew(idea, date(2029, 3, 2), "We like the future.", pm, MONDAY + DAY)

    renew(idea, date(2026, 3, 6), "", pm, MONDAY + DAY)
    assert told(idea) == [("answer", "")]
    renew(idea, date(2026, 3, 9), "Anna is ill.", pm, MONDAY + 2 * DAY)
    renew(idea, date(2026, 3, 13), "Still ill.", pm, MONDAY + 10 * DAY)

    assert told(idea) == [("answer", "renewed"), ("answer", "late"), ("answer", "")]
    assert idea.due_at == datetime(2026, 3, 13, 23, 59, 59, tzinfo=UTC)
    with time_machine.travel(MONDAY + 10 * DAY, tick=False):
        assert queries.share() == Share(kept=0, late=1, renewed=1, running=1)
        assert queries.standing_of(idea).renewed.reason == "Still ill."
    with time_machine.travel(MONDAY + 20 * DAY, tick=False):
        assert queries.share() == Share(kept=0, late=2, renewed=1, running=0)
        assert queries.share().percent == 0


def test_what_is_not_promised_cannot_be_put_off(pm):
    idea = make_idea(at=MONDAY)
    move(idea, Status.DECLINED, pm, MONDAY, answer="No.", reversal="A hundred votes.")

    with pytest.raises(Refusal):
        renew(idea, date(2026, 3, 20), "Why not", pm, MONDAY + DAY)


def test_what_is_taken_back_never_was(pm):
    idea, main = make_idea(at=MONDAY), make_idea(at=MONDAY)
    before = running(idea).due_at
    change = move(idea, Status.UNDER_REVIEW, pm, utcnow(), owner=pm)
    assert told(idea) == [("answer", "late"), ("update", "")]
    with transaction():
        undo_move(idea, change, pm, within=DAY)
    assert (told(idea), running(idea).due_at) == ([("answer", "")], before)

    at = MONDAY + DAY
    move(idea, Status.MERGED, pm, at, into=main)
    assert (told(idea), running(idea)) == ([("answer", "dropped")], None)
    with transaction():
        undo_merge(idea, pm, "A mistake.")
    assert (told(idea), running(idea).due_at, idea.due_at) == ([("answer", "")], before, before)


def test_a_word_after_a_move_that_is_taken_back_keeps_the_promise_from_before(pm):
    now = utcnow()
    idea = make_idea(at=now - DAY)
    change = move(idea, Status.UNDER_REVIEW, pm, now - timedelta(minutes=5), owner=pm)
    with transaction():
        moves.answer_idea(idea, pm, MoveDetails(answer="We look at it."), at=now)
    with transaction():
        undo_move(idea, change, pm, within=DAY)

    assert told(idea) == [("answer", "kept"), ("update", "")]
    assert running(idea).due_at == idea.due_at


def test_a_held_idea_is_promised_nothing_until_it_is_out(pm):
    from portal.ideas.service import publish_idea

    idea = make_idea(publication=Publication.HELD, at=MONDAY)
    assert told(idea) == []

    with time_machine.travel(MONDAY + 30 * DAY, tick=False), transaction():
        publish_idea(idea, make_user(Role.MODERATOR))

    assert told(idea) == [("answer", "")]
    assert running(idea).due_at == idea.due_at == datetime(2026, 4, 13, 23, 59, 59, tzinfo=UTC)


def test_boards_have_days_and_clocks_of_their_own(app):
    admin, here, there = make_user(Role.ADMIN), make_board("Here"), make_board("There")
    with transaction():
        service.decide_days(None, Settings(zone="Europe/Berlin"), admin)
        service.decide_days(here, Settings(clocks={"new": 4}, as_portal=True), admin)
        equinox = (Holiday(3, 20, None, "Equinox"),)
        own = Settings(zone="Asia/Tokyo", weekend=(6,), skips=True, holidays=equinox, clocks={"new": 4})
        service.decide_days(there, own, admin)

    thursday = datetime(2026, 3, 26, 20, tzinfo=UTC)  # Friday already in Tokyo
    # four days are Monday, when summer time has begun in Berlin; in Tokyo four working days are Wednesday
    assert running(make_idea(board=here, at=thursday)).due_at == datetime(2026, 3, 30, 21, 59, 59, tzinfo=UTC)
    assert running(make_idea(board=there, at=thursday)).due_at == datetime(2026, 4, 1, 14, 59, 59, tzinfo=UTC)
    assert running(make_idea(board=there, at=datetime(2026, 3, 19, 3, tzinfo=UTC))).due_at == datetime(
        2026, 3, 25, 14, 59, 59, tzinfo=UTC
    )

    with transaction():
        service.decide_days(there, None, admin)
    assert running(make_idea(board=there, at=thursday)).due_at == datetime(2026, 4, 6, 21, 59, 59, tzinfo=UTC)


def test_shares_count_only_what_the_reader_may_see(pm):
    public, private = make_board("Public"), make_board("Private", Audience.STAFF)
    apart = make_board("One way", one_way=True)
    author = make_user()
    for board, kept in ((public, True), (public, False), (private, True), (apart, False)):
        idea = make_idea(board=board, at=MONDAY, author=author)
        move(idea, Status.UNDER_REVIEW, pm, MONDAY + (DAY if kept else 60 * DAY), owner=pm)
    hidden = make_idea(board=public, at=MONDAY)
    move(hidden, Status.UNDER_REVIEW, pm, MONDAY + DAY, owner=pm)
    with transaction():
        hidden.publication = Publication.HIDDEN

    with time_machine.travel(MONDAY + 61 * DAY, tick=False):
        assert queries.share() == Share(1, 2, 0, 1)  # one kept, and one that ran out of time later
        assert queries.share(viewer=make_user()) == Share(1, 2, 0, 1)
        assert queries.share(viewer=author) == Share(1, 2, 0, 1)  # their own on the one-way board is not counted
        assert queries.share(viewer=pm) == Share(2, 4, 0, 2)
        assert queries.share(private, viewer=Guest()) == Share()
        assert [line.name for line in queries.report(queries.open_boards(Guest())).boards] == ["Public"]
        assert {p.idea.board.name for p in queries.late_now(Guest())} == {"Public"}
        assert len(queries.late_now(pm)) == 2


def test_at_most_one_promise_runs(app):
    idea = make_idea()

    with pytest.raises(Exception, match="(?i)unique"), transaction():
        db.session.add(Promise(idea_id=idea.id, kind=Promised.UPDATE, status=Status.NEW, due_at=utcnow()))

    db.session.rollback()
    assert db.session.scalars(select(Promise.outcome)).all() == [None]
    assert Outcome.KEPT == "kept"
