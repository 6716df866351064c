"""Entries come out: at once or by themselves, with their ideas or not at all, and can be taken back."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import Guest
from portal.accounts.roles import Role
from portal.changelog import clocks, queries, service
from portal.changelog.models import Entry, Kind
from portal.changelog.service import CannotShip, ChangedMeanwhile, Words
from portal.db import db, utcnow
from portal.ideas import objections
from portal.ideas.models import Answer, Idea
from portal.ideas.moves import move_idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.transactions import transaction
from tests.changelog.entries import let_out, seen_by, told_of, write
from tests.factories import make_idea, make_user, make_votes, move_to

pytestmark = pytest.mark.usefixtures("app")


def test_publishing_ships_its_ideas_with_the_entry_as_release_note(settle):
    idea, second = make_idea(status=Status.PLANNED), make_idea(status=Status.IN_PROGRESS)
    behind = {idea.author_id, second.author_id, *(voter.id for voter in make_votes(idea, 2))}
    entry = write(idea, second)

    told = let_out(entry, idea, second)

    assert told == len(behind)
    assert (idea.status, second.status) == (Status.SHIPPED, Status.SHIPPED)
    note = db.session.scalar(select(Answer).where(Answer.idea_id == idea.id))
    assert note.body == "**Routes offline**\n\nOpen a route and press **Keep**."
    assert queries.entry_of(idea, Guest()) is entry
    assert told_of(entry).asked == 4
    settle()
    heard = db.session.scalars(select(Notification.user_id).where(Notification.kind == "decided")).all()
    assert sorted(heard) == sorted(behind)


def test_an_idea_that_cannot_be_moved_stops_everything_and_is_named():
    ready, early = make_idea("Ready", status=Status.PLANNED), make_idea("Too early")
    entry = write(ready, early)

    with pytest.raises(CannotShip) as refusal:
        let_out(entry, ready, early)
    db.session.rollback()

    assert [title for title, _why in refusal.value.refused] == ["Too early"]
    assert "From New an idea cannot be moved to Shipped." in refusal.value.message
    assert (ready.status, early.status, entry.published_at) == (Status.PLANNED, Status.NEW, None)


def test_an_entry_alone_tells_nobody(settle):
    idea = make_idea(status=Status.PLANNED)
    make_votes(idea, 2)
    entry = write(idea)

    let_out(entry)
    status = idea.status
    settle()

    assert status is Status.PLANNED
    assert set(db.session.scalars(select(Notification.kind))) == {"received", "voted", "credited"}


def test_people_behind_several_ideas_are_counted_once_also_through_merged_ones():
    both = make_user()
    first, second, merged = (make_idea(author=both, status=Status.UNDER_REVIEW) for _n in range(3))
    make_votes(merged, 1)
    with transaction(wake=False):
        move_idea(merged, Status.MERGED, make_user(Role.PM), MoveDetails(into=first))
    make_votes(second, 2)
    for idea in (first, second):
        move_to(idea, Status.SHIPPED)
    entry = write(first, second)

    let_out(entry)

    assert told_of(entry).asked == 4


def test_whoever_objects_to_a_merge_is_not_counted_as_having_asked():
    main, other = (make_idea(title, status=Status.IN_PROGRESS) for title in ("Keep routes", "Bigger labels"))
    joined = make_idea("Hold on to my routes")
    voters = make_votes(joined, 2)
    with transaction(wake=False):
        move_idea(joined, Status.MERGED, make_user(Role.PM), MoveDetails(into=main))
        objections.object_to_merge(joined, voters[0])

    assert told_of(write(main, other)).asked == main.votes + other.votes == 4


def test_what_is_edited_afterwards_says_so_and_nobody_overwrites_what_they_have_not_seen():
    idea, pm = make_idea(status=Status.SHIPPED), make_user(Role.PM)
    entry = write(idea)
    with transaction(wake=False):
        service.change_entry(entry, Words("Draft two", "Better.", Kind.BETTER, None, [idea]), pm, 1)
    unmarked = entry.edited_at
    let_out(entry)
    with transaction(wake=False):
        service.change_entry(entry, Words("Out", "Better.", Kind.BETTER, None, []), pm, 2)

    with pytest.raises(ChangedMeanwhile), transaction(wake=False):
        service.change_entry(entry, Words("Lost", "", Kind.NEW, None, []), pm, 2)

    assert unmarked is None
    assert entry.edited_at is not None
    assert (entry.title, told_of(entry).ideas) == ("Out", [])


def test_unpublished_it_is_a_draft_again_and_what_it_moved_stays():
    idea, pm = make_idea(status=Status.PLANNED), make_user(Role.PM)
    entry = write(idea)
    let_out(entry, idea)

    with transaction(wake=False):
        service.withdraw(entry, pm)

    assert seen_by(Guest()) == []
    assert [draft.title for draft in queries.drafts_of(pm)] == [entry.title]
    assert queries.entry_of(idea, Guest()) is None
    assert idea.status is Status.SHIPPED


def test_what_is_scheduled_comes_out_at_its_moment_and_moves_its_ideas(monkeypatch):
    idea, pm = make_idea(status=Status.PLANNED), make_user(Role.PM)
    entry = write(idea)
    with transaction(wake=False):
        service.schedule(entry, pm, utcnow() + timedelta(hours=1), "Europe/London", [idea.id])

    early = clocks.publish_due()
    monkeypatch.setattr(clocks, "utcnow", lambda: utcnow() + timedelta(hours=2))
    due, again = clocks.publish_due(), clocks.publish_due()
    db.session.rollback()

    assert (early, due, again) == (0, 1, 0)
    assert db.session.get_one(Idea, idea.id).status is Status.SHIPPED
    assert (entry.is_published, entry.publish_at, entry.scheduled_by_id) == (True, None, None)


@pytest.mark.parametrize("how", ["not ready", "suspended", "no longer a manager"])
def test_what_cannot_come_out_stays_a_draft_and_says_why(monkeypatch, browse, how):
    idea, pm = make_idea("Too early", status=Status.PLANNED), make_user(Role.PM)
    entry = write(idea)
    with transaction(wake=False):
        service.schedule(entry, pm, utcnow() + timedelta(hours=1), "Europe/London", [idea.id])
        if how == "not ready":
            idea.status = Status.NEEDS_INFO
        elif how == "suspended":
            pm.suspended_at = utcnow()
        else:
            pm.role = Role.MODERATOR

    monkeypatch.setattr(clocks, "utcnow", lambda: utcnow() + timedelta(hours=2))
    clocks.publish_due()
    db.session.rollback()

    assert (entry.is_published, entry.publish_at) == (False, None)
    assert entry.trouble
    assert db.session.get_one(Idea, idea.id).status is not Status.SHIPPED
    assert "did not come out" in browse(make_user(Role.PM)).get("/changelog").text


def test_a_moment_is_taken_in_the_writers_own_time(browse):
    pm = make_user(Role.PM, timezone="Europe/Berlin")
    entry, browser = write(), browse(pm)
    year = utcnow().year + 1
    last_sunday = max(day for day in range(25, 32) if datetime(year, 3, day, tzinfo=UTC).weekday() == 6)

    skipped = browser.post(
        f"/changelog/{entry.id}/publish", data={"do": "later", "at": f"{year}-03-{last_sunday}T02:30"}
    )
    past = browser.post(f"/changelog/{entry.id}/publish", data={"do": "later", "at": "2020-01-01T09:00"})
    summer = browser.post(f"/changelog/{entry.id}/publish", data={"do": "later", "at": f"{year}-07-01T09:00"})
    db.session.rollback()

    assert (skipped.status_code, past.status_code, summer.status_code) == (422, 409, 303)
    assert "The clocks skip this hour" in skipped.text
    assert db.session.get_one(Entry, entry.id).publish_at == datetime(year, 7, 1, 7, tzinfo=UTC)
    assert "09:00" in browser.get("/changelog/drafts").text
    stopped = browser.post(f"/changelog/{entry.id}/publish", data={"do": "stop"})
    db.session.rollback()
    assert stopped.status_code == 303
    assert db.session.get_one(Entry, entry.id).publish_at is None


def test_the_preview_counts_exactly_who_will_hear(browse):
    idea, early, pm = make_idea(status=Status.PLANNED), make_idea("Too early"), make_user(Role.PM)
    make_votes(idea, 2)
    browser = browse(pm)

    made = browser.post(
        "/changelog/new",
        data={"title": "Routes offline", "body": "Now.", "kind": "new", "board": "", "ideas": [str(idea.id)]},
    )
    preview = browser.get(made.location).text
    entry_id = int(re.search(r"/changelog/(\d+)/publish", made.location)[1])
    with transaction(wake=False):
        service.change_entry(
            db.session.get_one(Entry, entry_id),
            Words("Routes offline", "Now.", Kind.NEW, None, [db.session.get_one(Idea, idea.id), early]),
            pm,
            1,
        )
    both = browser.get(made.location).text
    stopped = browser.post(made.location, data={"do": "now", "ships": [str(idea.id), str(early.id)]})
    done = browser.post(made.location, data={"do": "now", "ships": [str(idea.id)]})

    assert "Move it to Shipped, tell 3 people." in preview
    assert "From New you cannot move it to Shipped." in both
    assert stopped.status_code == 409
    assert "“Too early”" in stopped.text
    assert done.status_code == 303
    assert "3 people will hear about it." in browser.get(done.location).text
    db.session.rollback()
    assert db.session.get_one(Idea, idea.id).status is Status.SHIPPED


def test_what_is_typed_can_be_looked_at_before_it_is_kept(browse):
    browser = browse(make_user(Role.PM))

    shown = browser.post(
        "/changelog/new", data={"title": "T", "body": "It is **here**.", "kind": "new", "board": "", "preview": "1"}
    ).text

    assert "It is <strong>here</strong>." in shown
    assert db.session.scalars(select(Entry.id)).all() == []


def test_numbers_that_are_none_do_no_harm(browse):
    entry = write(make_idea("Labels", status=Status.IN_PROGRESS))
    browser, here = browse(make_user(Role.PM)), f"/changelog/{entry.id}"
    words = {"title": "Labels", "body": "Bigger.", "kind": "new", "board": ""}

    saved = [browser.post(f"{here}/edit", data=words | {"seen": seen}).status_code for seen in ("²", "9" * 5000, "-")]
    published = browser.post(f"{here}/publish", data={"do": "now", "ships": ["²", "9" * 5000]})

    assert saved == [409, 409, 409]
    assert published.status_code == 303
