"""The page of a quarter: what stands in it, for whom, and who gets it by mail."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import Guest
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.ideas.merging import undo_merge
from portal.ideas.moves import MoveDetails, move_idea
from portal.ideas.workflow import Status
from portal.notifications.models import CaughtMail, Mail
from portal.options import decide
from portal.quarters import letters
from portal.quarters.calendar import Quarter
from portal.quarters.queries import report
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user, make_votes
from tests.support.databases import on_one_database

SPRING = datetime(2026, 5, 20, 12, tzinfo=UTC)


def move(idea, status, at, **details):
    with transaction():
        move_idea(idea, status, make_user(Role.PM), MoveDetails(**details), at=at)


def test_quarters_follow_each_other_and_begin_and_end_at_midnight():
    autumn = Quarter.of(date(2026, 12, 31))

    assert (autumn.name, autumn.next.name, autumn.before.name) == ("2026-q4", "2027-q1", "2026-q3")
    assert (autumn.begins, autumn.ends) == (datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert Quarter.read("2026-q4") == autumn
    assert [Quarter.read(text) for text in ("", "2026-q5", "2026-q4x", "1999-q1", "²026-q1", "2026-Q4")] == [None] * 6


@on_one_database
def test_a_quarter_tells_what_came_out_what_was_refused_and_why_and_what_is_late(browse):
    shipped = make_idea("Show the wells", status=Status.PLANNED, at=SPRING)
    make_votes(shipped, 3)
    declined = make_idea("Sell the sheep", status=Status.UNDER_REVIEW, at=SPRING)
    make_idea("Nobody answered this", at=datetime(2026, 4, 2, tzinfo=UTC), due_at=SPRING)
    move(shipped, Status.SHIPPED, SPRING, answer="It is out.")
    move(declined, Status.DECLINED, SPRING, answer="The sheep are **ours**.", reversal="If they ask.")

    page = browse().get("/quarters/2026-q2").text
    did, _sep, rest = page.partition("We did not, and why")
    refused, _sep, late = rest.partition("What we promised and were late with")

    assert "Show the wells" in did and "4 people asked for it" in did
    assert "Sell the sheep" in refused and "Declined" in refused and "The sheep are ours." in refused
    assert "3 ideas came in." in page and "1 came out." in page and "April to June 2026" in page
    assert "Show the wells" not in browse().get("/quarters/2026-q3").text
    assert browse().get("/quarters").text.count("/quarters/2026-q2") == 1
    assert [browse().get(f"/quarters/{name}").status_code for name in ("2025-q1", "2199-q1", "x")] == [404] * 3


@on_one_database
def test_s05_a_quarter_holds_nothing_its_reader_may_not_see(browse):
    staff = make_board("Quiet", audience=Audience.STAFF)
    make_idea("In the open", at=SPRING)
    hidden = make_idea("Quillhidden", status=Status.PLANNED, board=staff, at=SPRING)
    move(hidden, Status.SHIPPED, SPRING, answer="Out.")

    for address in ("/quarters/2026-q2", "/feeds/quarters.atom"):
        text = browse(make_user()).get(address).text
        assert "Quillhidden" not in text and "1 idea came in." in text and "1 came out" not in text
    assert "Quillhidden" in browse(make_user(Role.PM)).get("/quarters/2026-q2").text


def test_two_days_after_a_quarter_its_page_goes_once_to_those_who_want_it(settle, monkeypatch):
    make_idea("Show the wells", at=SPRING)
    with transaction():
        decide("quarter_readers", ["board@example.org", "partner@example.org"])
    sent = []

    for day in (datetime(2026, 7, 2, tzinfo=UTC), datetime(2026, 7, 3, tzinfo=UTC), datetime(2026, 7, 4, tzinfo=UTC)):
        monkeypatch.setattr(letters, "utcnow", lambda day=day: day)
        sent.append(letters.send_last_quarter())
    settle()

    assert sent == [0, 2, 0]
    told = select(CaughtMail).where(CaughtMail.subject.startswith("You said")).order_by(CaughtMail.recipient)
    mails = db.session.scalars(told).all()
    assert [mail.recipient for mail in mails] == ["board@example.org", "partner@example.org"]
    assert mails[0].subject == "You said, we did: April to June 2026"
    assert "1 idea came in." in mails[0].raw and "/quarters/2026-q2" in mails[0].raw


@on_one_database
def test_who_was_taken_off_the_list_gets_no_more(settle, monkeypatch):
    make_idea(at=SPRING)
    with transaction():
        decide("quarter_readers", ["board@example.org"])
    monkeypatch.setattr(letters, "utcnow", lambda: datetime(2026, 7, 5, tzinfo=UTC))
    letters.send_last_quarter()
    with transaction():
        decide("quarter_readers", [])
    settle()

    assert db.session.scalars(select(CaughtMail).where(CaughtMail.subject.startswith("You said"))).all() == []
    assert db.session.scalars(select(Mail.suppressed).where(Mail.kind == letters.LETTER)).all() == ["wants no mail"]


@pytest.mark.parametrize(("typed", "status"), [("a@example.org\n\n b@example.org\na@example.org", 303), ("me", 422)])
@on_one_database
def test_admins_enter_whole_addresses_and_lose_nothing_they_typed(browse, typed, status):
    answer = browse(make_user(Role.ADMIN)).post("/admin/quarters", data={"addresses": typed})
    db.session.rollback()

    assert answer.status_code == status
    if status == 303:
        from portal.options import option

        assert option("quarter_readers") == ["a@example.org", "b@example.org"]
    else:
        assert "“me” is no mail address." in answer.text and ">me</textarea>" in answer.text.replace("\r\n", "")


@on_one_database
def test_what_was_refused_and_planned_again_counts_once(app):
    idea, planned = (make_idea(status=Status.UNDER_REVIEW, at=SPRING) for _number in range(2))
    for days in (1, 20):
        move(idea, Status.DECLINED, SPRING + timedelta(days=days), answer="No.", reversal="Law.")
        move(planned, Status.PLANNED, SPRING + timedelta(days=days), answer="Yes.")
        if days == 1:
            for each in (idea, planned):
                move(each, Status.UNDER_REVIEW, SPRING + timedelta(days=10), reason="We look again.")

    told = report(Quarter(2026, 2), Guest())

    assert (told.refused_in_all, len(told.refused), told.planned) == (1, 1, 1)


@on_one_database
def test_what_came_back_from_a_merge_was_not_planned_then(app):
    idea, main, pm = make_idea(status=Status.PLANNED, at=SPRING), make_idea(at=SPRING), make_user(Role.PM)
    with transaction():
        move_idea(idea, Status.MERGED, pm, MoveDetails(into=main))
        undo_merge(idea, pm, "Not the same.")

    assert report(Quarter.of(utcnow().date()), Guest()).planned == 0
