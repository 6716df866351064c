"""Calendars: what stands in them, who may read it, and that calendar programs can."""

from datetime import date, timedelta

import icalendar

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.calendars import Settings, calendar_of
from portal.boards.models import Audience
from portal.changelog import service as changelog
from portal.changelog.models import Kind
from portal.db import db, utcnow
from portal.feeds import service
from portal.ideas import service as ideas
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails, move_idea
from portal.ideas.taking_back import undo_move
from portal.ideas.workflow import Status
from portal.promises.service import decide_days, renew_promise
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user


def read(answer):
    """The appointments of a calendar by their names, after looking whether the file is well-formed."""
    assert answer.status_code == 200 and answer.mimetype == "text/calendar"
    lines = answer.data.split(b"\r\n")
    assert lines[-1] == b"" and not any(b"\n" in line or b"\r" in line for line in lines)
    assert all(len(line) <= 75 for line in lines) and lines[0] == b"BEGIN:VCALENDAR"
    calendar = icalendar.Calendar.from_ical(answer.data)
    assert calendar["version"] == "2.0" and not calendar.errors and calendar["prodid"]
    found = {str(event["uid"]).partition("@")[0]: event for event in calendar.walk("VEVENT")}
    assert len(found) == len(calendar.walk("VEVENT"))
    assert all(not event.errors and event["dtstamp"].dt.tzinfo is not None for event in found.values())
    return found


def plan(idea, expected="June 2030", at=None):
    pm = make_user(Role.PM)
    with transaction():
        move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm), at=at)
        change = move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="We **build** it.", expected=expected), at=at)
    return pm, change


def feeds_of(user):
    with transaction(wake=False):
        return f"/feeds/private/{service.token_of(service.make_address(user))}"


def test_a_calendar_has_what_is_expected_what_is_promised_and_what_came_out(browse):
    board = make_board("Maps, and; more")
    idea = make_idea("Draw the fences, gates; and " + "Wälle " * 15, board=board)
    idea_id = idea.id
    pm, _change = plan(idea, "Q2 2030")
    with transaction():
        words = changelog.Words("Routes offline", "They **work** now.\nAt last.", Kind.NEW, board, [])
        entry = changelog.write_entry(words, pm)
        changelog.publish(entry, pm, ())
    entry_id, due = entry.id, calendar_of(board.id).today(db.session.get(Idea, idea_id).due_at)

    found = read(browse().get("/feeds/calendar.ics"))

    expected, promised = found[f"ideas-{idea_id}-expected"], found[f"ideas-{idea_id}-next-word"]
    assert expected["dtstart"].dt == date(2030, 6, 30) and expected["dtend"].dt == date(2030, 7, 1)
    assert expected["summary"].startswith("Expected: Draw the fences, gates; and Wälle")
    assert expected["status"] == "TENTATIVE" and "Q2 2030" in expected["description"]
    assert promised["dtstart"].dt == due and promised["status"] == "CONFIRMED"
    assert promised["url"] == f"http://127.0.0.1:8000/ideas/{idea_id}"
    assert [str(name) for name in promised["categories"].cats] == ["Maps, and; more"]
    out = found[f"changelog-{entry_id}"]
    assert (out["summary"], out["dtstart"].dt) == ("Routes offline", calendar_of(board.id).today(utcnow()))
    assert set(read(browse().get(f"/feeds/calendar.ics?board={board.slug}"))) == set(found)
    assert read(browse().get(f"/feeds/calendar.ics?board={make_board().slug}")) == {}
    assert browse().get("/feeds/calendar.ics?board=nowhere").status_code == 404


def test_an_appointment_keeps_its_name_and_counts_its_versions_until_it_is_off(browse):
    idea = make_idea("Show the wells")
    idea_id = idea.id
    pm, change = plan(idea, "June 2030")
    expected, word = f"ideas-{idea_id}-expected", f"ideas-{idea_id}-next-word"
    first = read(browse().get("/feeds/calendar.ics"))

    until = calendar_of(idea.board_id).today(utcnow() + timedelta(days=300))
    with transaction():
        renew_promise(idea, until, "The tiles come later.", pm)
    renewed = read(browse().get("/feeds/calendar.ics"))
    with transaction():
        undo_move(idea, change, pm, within=timedelta(hours=1))
    undone = read(browse().get("/feeds/calendar.ics"))
    with transaction():
        move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="We build it.", expected="May 2030"))
        move_idea(idea, Status.DECLINED, pm, MoveDetails(answer="It cannot be done.", reversal="Money."))
    over = read(browse().get("/feeds/calendar.ics"))

    assert renewed[word]["dtstart"].dt == until > first[word]["dtstart"].dt
    assert first[word]["sequence"] < renewed[word]["sequence"] < undone[word]["sequence"] < over[word]["sequence"]
    assert undone[word]["dtstart"].dt < until and undone[word]["status"] == "CONFIRMED" and expected not in undone
    assert [over[name]["status"] for name in (word, expected)] == ["CANCELLED", "CANCELLED"]
    assert over[expected]["dtstart"].dt == date(2030, 5, 31)
    assert over[expected]["sequence"] > first[expected]["sequence"]


def test_a_day_is_the_day_of_the_board_and_not_of_the_clock_in_utc(browse):
    far = make_board("Far")
    idea = make_idea("Show the wells", board=far)
    with transaction():
        decide_days(far, Settings(zone="Pacific/Honolulu"), make_user(Role.ADMIN))
    plan(idea)
    due_at = db.session.get(Idea, idea.id).due_at

    (word,) = (event for name, event in read(browse().get("/feeds/calendar.ics")).items() if "next-word" in name)

    assert due_at.hour == 9, "the last second of that day in Honolulu"
    assert word["dtstart"].dt == due_at.date() - timedelta(days=1)


def test_s05_a_public_calendar_has_only_what_visitors_may_see_and_is_the_same_for_all(browse):
    staff = make_user(Role.ADMIN)
    for audience in (Audience.MEMBERS, Audience.PRIVATE, Audience.STAFF):
        plan(make_idea("Quillhidden", board=make_board(f"Quill{audience}", audience=audience), author=staff))
    plan(make_idea("Quillapart", board=make_board("Quillone", one_way=True)))
    plan(make_idea("Show the wells", board=make_board()))

    for viewer in (None, staff):
        answer = browse(viewer).get("/feeds/calendar.ics")
        assert len(read(answer)) == 2 and "Quill" not in answer.text
        assert answer.headers["Cache-Control"] == "public, max-age=300" and "Set-Cookie" not in answer.headers
    slug = make_board(audience=Audience.STAFF).slug
    assert browse(staff).get(f"/feeds/calendar.ics?board={slug}").status_code == 404


def test_s26_ones_own_calendar_has_what_one_follows_and_owes_and_follows_ones_rights(browse):
    quiet = make_board("Quiet", audience=Audience.STAFF)
    pm, other = make_user(Role.PM), make_user()
    owed, followed, waits = make_idea("Owed", board=quiet), make_idea("Followed"), make_idea("Waits")
    make_idea("Of others")
    with transaction():
        move_idea(owed, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))
        ideas.follow(followed, pm)
        ideas.follow(waits, other)
        ideas.follow(followed, other)
        ideas.unfollow(followed, other)
    mine, theirs, pm_id, quiet_idea = feeds_of(pm), feeds_of(other), pm.id, f"ideas-{owed.id}-next-word"

    found = {str(event["summary"]) for event in read(browse().get(f"{mine}/calendar.ics")).values()}
    assert found == {"You owe a word: Owed", "First answer due: Followed"}
    assert [str(e["summary"]) for e in read(browse().get(f"{theirs}/calendar.ics")).values()] == [
        "First answer due: Waits"
    ]
    assert "no-cache" in browse().get(f"{mine}/calendar.ics").headers["Cache-Control"]

    with transaction():
        db.session.get_one(User, pm_id).role = Role.MEMBER
    assert quiet_idea not in read(browse().get(f"{mine}/calendar.ics"))
    assert browse().get("/feeds/private/1-x/calendar.ics").status_code == 404


def test_who_has_the_calendar_is_told_only_that_nothing_is_new(browse):
    idea = make_idea("Show the wells")
    pm, _change = plan(idea)
    had = browse().get("/feeds/calendar.ics")

    again = browse().get("/feeds/calendar.ics", headers={"If-None-Match": had.headers["ETag"]})
    with transaction():
        renew_promise(idea, calendar_of(idea.board_id).today(utcnow() + timedelta(days=200)), "Later.", pm)
    changed = browse().get("/feeds/calendar.ics", headers={"If-None-Match": had.headers["ETag"]})

    assert (again.status_code, again.data, changed.status_code) == (304, b"", 200)
    assert "calendar.ics" in browse().get("/feeds").text
