"""What people see of promises: on ideas, on the desk, on the public page, and where admins set the days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.boards.calendars import ALL, Holiday, settings_of
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas import moves
from portal.ideas.promises import ledger_of, running
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.promises import service
from portal.promises.events import PromiseRenewed
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user
from tests.support import either_way

pytestmark = pytest.mark.usefixtures("app")

DAY = timedelta(days=1)


def reviewed(idea, pm, at):
    with transaction():
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm), at=at)


def test_an_idea_says_what_was_promised_and_how_it_went(browse):
    pm, now = make_user(Role.PM), utcnow()
    idea = make_idea(at=now - 60 * DAY)
    reviewed(idea, pm, now - 55 * DAY)
    with transaction():
        moves.answer_idea(idea, pm, MoveDetails(answer="We are at it."), at=now - 2 * DAY)
        service.renew_promise(idea, (now + 200 * DAY).date(), "The <b>frost</b> was late.", pm)

    text = browse().get(f"/ideas/{idea.id}").text

    assert "1 of 2 promises kept" in text
    assert "The &lt;b&gt;frost&lt;/b&gt; was late." in text
    assert "Late: it came on" in text
    history = browse().get(f"/ideas/{idea.id}/history").text
    assert "promised the next word by" in history
    assert "The &lt;b&gt;frost&lt;/b&gt; was late." in history


@either_way
def test_the_team_names_another_day_and_says_why(browse, headers):
    pm, idea = make_user(Role.PM), make_idea()
    day, address = (utcnow() + 40 * DAY).date(), f"/triage/first-look/{idea.id}/promise"

    refused = browse(pm).post(address, data={"until": day.isoformat(), "reason": ""}, headers=headers)
    nonsense = browse(pm).post(address, data={"until": "soon", "reason": "Anna is ill."}, headers=headers)
    done = browse(pm).post(
        address, data={"until": day.isoformat(), "reason": "Anna is ill."}, headers=headers, follow_redirects=True
    )

    db.session.rollback()
    assert (refused.status_code, nonsense.status_code, done.status_code) == (422, 422, 200)
    assert "Say why it takes longer" in refused.text
    assert "Anna is ill." in nonsense.text
    assert "Anna is ill." in done.text
    assert running(idea).due_at.date() == day
    assert browse(make_user(Role.OBSERVER)).post(address, data={"until": day.isoformat()}).status_code == 403
    assert browse(make_user()).post(address, data={"until": day.isoformat()}).status_code == 403


def test_the_public_page_counts_and_lists_what_its_reader_may_see(browse):
    pm, now = make_user(Role.PM), utcnow()
    open_board, closed = make_board("Open board"), make_board("Secret board", Audience.STAFF)
    kept, late = make_idea("A kept one", board=open_board, at=now - 5 * DAY), make_idea("A late one", at=now - 30 * DAY)
    hidden = make_idea("A secret one", board=closed, at=now - 30 * DAY)
    reviewed(kept, pm, now - 4 * DAY)

    text, of_team = browse().get("/promises").text, browse(pm).get("/promises?period=quarter").text

    assert "We kept 1 of 2 promises: 50%." in text
    assert late.title in text
    assert "secret" not in text.lower()
    assert "We kept 1 of 3 promises: 33%." in of_team
    assert hidden.title in of_team
    assert "Secret board" in of_team
    assert 'id="how-we-count"' in text


def test_a_portal_without_ideas_promises_nothing(browse):
    text = browse().get("/promises").text

    assert "No promise has had to be kept yet." in text
    assert "Nothing is promised yet." in text


def test_admins_decide_on_which_days_people_work(browse):
    admin, board = make_user(Role.ADMIN), make_board("Fell")
    typed = {
        "zone": "Europe/Berlin",
        "weekend": ["5", "6"],
        "holidays": "2026-12-24 Christmas Eve\n\n12-25 Christmas Day\n",
        "skips": "1",
    }

    wrong = browse(admin).post("/admin/working-days/0", data=typed | {"holidays": "12-25\n2026-02-30 Never"})
    nobody = browse(admin).post("/admin/working-days/0", data=typed | {"weekend": list("0123456")})
    never = browse(admin).post(f"/admin/working-days/{board.id}", data=typed | {"clock_new": "999"})
    done = browse(admin).post("/admin/working-days/0", data=typed, follow_redirects=True)
    own = browse(admin).post(
        f"/admin/working-days/{board.id}", data={"as_portal": "y", "clock_new": "5"}, follow_redirects=True
    )

    db.session.rollback()
    assert wrong.status_code == nobody.status_code == 422
    assert "2026-02-30 Never" in wrong.text
    assert "Leave at least one day" in nobody.text
    assert "Write a number of days from 1 to 366." in never.text
    assert "Off: Saturday, Sunday." in done.text
    assert "2 holidays." in done.text
    decided = settings_of(ALL)
    assert decided.holidays == (Holiday(12, 24, 2026, "Christmas Eve"), Holiday(12, 25, None, "Christmas Day"))
    assert (decided.zone, decided.skips, dict(decided.clocks)) == ("Europe/Berlin", True, {})
    assert "Working days as the portal, clocks of its own." in own.text
    assert "12-25 Christmas Day" in browse(admin).get("/admin/working-days/0").text
    with time_machine.travel(datetime(2026, 12, 21, 8, tzinfo=UTC), tick=False):
        assert running(make_idea(board=board)).due_at == datetime(2026, 12, 30, 22, 59, 59, tzinfo=UTC)

    for number in (board.id, 0):
        assert "1 promise that runs keeps its day." in browse(admin).get(f"/admin/working-days/{number}").text
    browse(admin).post(f"/admin/working-days/{board.id}", data={"do": "as-portal", "running": "keep"})
    browse(admin).post("/admin/working-days/late", data={"days": "9"})

    db.session.rollback()
    assert settings_of(board.id) is None
    assert browse(admin).post("/admin/working-days/late", data={"days": "-1"}).status_code == 422
    assert 'value="9"' in browse(admin).get("/admin/working-days").text
    assert browse(make_user(Role.PM)).get("/admin/working-days").status_code == 403


MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday


def test_other_working_days_ask_what_becomes_of_promises_that_run(browse):
    admin, pm, board = make_user(Role.ADMIN), make_user(Role.PM), make_board("Fell")
    with time_machine.travel(MARCH, tick=False):
        first, named = make_idea("Bells", board=board), make_idea("Gates", board=board)
        elsewhere = make_idea(board=make_board("Other"))
        late = make_idea(board=board, at=MARCH - 40 * DAY)
        with transaction():
            service.renew_promise(named, (MARCH + 30 * DAY).date(), "We measure first.", pm)
        reviewed(named, pm, MARCH)
        with transaction():
            service.renew_promise(named, (MARCH + 50 * DAY).date(), "We measure first.", pm)
    ideas = (first, named, elsewhere, late)
    before = [running(idea).due_at for idea in ideas]
    days = {"as_portal": "y", "clock_new": "20"}
    where = f"/admin/working-days/{board.id}"

    with time_machine.travel(MARCH + DAY, tick=False):
        asked = browse(admin).post(where, data=days)
        unexplained = browse(admin).post(where, data=days | {"running": "move"})
        db.session.rollback()
        assert "By these working days 1 promise would get another day." in asked.text
        assert "Bells" in asked.text and "2 promises that run keep their days" in asked.text
        assert 'name="clock_new" value="20"' in asked.text
        assert unexplained.status_code == 422 and "Say why it takes longer." in unexplained.text
        assert settings_of(board.id) is None
        done = browse(admin).post(
            where, data=days | {"running": "move", "reason": "We are fewer."}, follow_redirects=True
        )
        again = browse(admin).post(where, data=days | {"clock_new": "3", "running": "keep"})

    db.session.rollback()
    db.session.expire_all()
    assert "1 promise has another day." in done.text and again.status_code == 303
    assert [running(idea).due_at for idea in ideas[1:]] == before[1:]
    assert running(first).due_at.date() == (MARCH + 21 * DAY).date() and first.due_at == running(first).due_at
    page = browse().get(f"/ideas/{first.id}").text
    assert "We are fewer." in page


def test_ideas_get_their_new_days_in_the_order_in_which_everybody_holds_them(browse):
    admin, board = make_user(Role.ADMIN), make_board("Fell")
    with time_machine.travel(MARCH, tick=False):
        ideas = [make_idea(board=board, at=MARCH - number * DAY) for number in range(3)]  # the last is due first
        browse(admin).post(
            f"/admin/working-days/{board.id}",
            data={"as_portal": "y", "clock_new": "20", "running": "move", "reason": "We are fewer."},
        )

    db.session.rollback()
    renewed = select(EventRecord.idea_id).where(EventRecord.name == PromiseRenewed.name).order_by(EventRecord.id)
    assert db.session.scalars(renewed).all() == [idea.id for idea in ideas]


def test_earlier_days_take_the_place_of_later_ones_but_never_before_today(browse):
    admin, board = make_user(Role.ADMIN), make_board("Fell")
    with time_machine.travel(MARCH, tick=False):
        idea = make_idea(board=board)
        new = make_idea(board=board, at=MARCH + 4 * DAY)

    with time_machine.travel(MARCH + 4 * DAY, tick=False):
        answer = browse(admin).post(
            f"/admin/working-days/{board.id}", data={"as_portal": "y", "clock_new": "2", "running": "move"}
        )

    db.session.rollback()
    db.session.expire_all()
    assert answer.status_code == 303
    assert running(idea).due_at.date() == (MARCH + 4 * DAY).date()  # two days after Monday is over
    assert running(new).due_at.date() == (MARCH + 7 * DAY).date()  # Sunday gives way to Monday
    assert [row.outcome for row in ledger_of(idea.id)] == [None]
