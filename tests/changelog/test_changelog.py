"""The changelog: what publishing does, who reads it, and who is named."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import Guest, User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.changelog import clocks, queries, service
from portal.changelog.models import Choice, Credit, Entry, Kind, Part
from portal.changelog.service import CannotShip, ChangedMeanwhile, TooNarrow, Words
from portal.db import db, utcnow
from portal.ideas.models import Answer, Idea
from portal.ideas.moves import move_idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.models import Mail, Notification
from portal.privacy import service as privacy
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user, make_votes, move_to
from tests.support import queries as statements

pytestmark = pytest.mark.usefixtures("app")


def write(*ideas, title="Routes offline", board=None, author=None, body="Open a route and press **Keep**."):
    with transaction(wake=False):
        return service.write_entry(Words(title, body, Kind.NEW, board, ideas), author or make_user(Role.PM))


def let_out(entry, *ships, actor=None, at=None):
    with transaction(wake=False):
        return service.publish(entry, actor or make_user(Role.PM), [idea.id for idea in ships], at)


def seen_by(viewer):
    return [telling.entry.title for telling in queries.list_entries(viewer).tellings]


def told_of(entry, viewer=None):
    return queries.tell([entry], viewer or Guest())[0]


# Publishing


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


# Who reads it


@pytest.mark.parametrize("audience", [Audience.MEMBERS, Audience.PRIVATE, Audience.STAFF])
def test_nothing_of_a_board_reaches_those_who_do_not_know_it(browse, audience):
    inside, open_board, listed = make_board("Inside", audience), make_board("Open"), make_user(name="Listed One")
    make_place(inside, listed, Role.OBSERVER)
    pm, teller = make_user(Role.OWNER), make_user(name="Quiet Author")
    hushed = make_idea("Buy the other company", board=inside, status=Status.PLANNED, author=teller)
    public = make_idea("Bigger labels", board=open_board, status=Status.PLANNED)
    make_votes(hushed, 5)
    secret, mixed = write(hushed, title="Merger", board=inside, author=pm), write(hushed, public, title="Two things")
    for entry in (secret, mixed):
        let_out(entry, hushed, public, actor=pm)
    with transaction(wake=False):
        service.choose(teller, Choice.ALWAYS)

    assert seen_by(Guest()) == ["Two things"]
    assert set(seen_by(listed)) == {"Two things", "Merger"}
    guest, reader = told_of(mixed), told_of(mixed, listed)
    assert ([idea.title for idea in guest.ideas], guest.asked, guest.thanks, guest.unnamed) == (
        ["Bigger labels"],
        1,
        [],
        1,
    )
    assert (len(reader.ideas), reader.asked, [thanks.user.name for thanks in reader.thanks]) == (
        2,
        7,
        ["Quiet Author"],
    )
    assert browse().get(f"/changelog/{secret.id}").status_code == 404
    for page in ("/changelog", f"/changelog/{mixed.id}", "/roadmap"):
        assert not re.search("Buy the other company|Merger|Quiet Author|Inside", browse().get(page).text)


def test_an_entry_about_a_closed_board_tells_of_its_own_ideas_only():
    inside, elsewhere = make_board("Inside", Audience.STAFF), make_idea(status=Status.PLANNED)

    with pytest.raises(TooNarrow):
        write(elsewhere, board=inside, author=make_user(Role.OWNER))


def test_who_writes_sees_only_ideas_that_are_theirs_to_see_and_loses_none_of_the_others(browse):
    inside, owner = make_board("Inside", Audience.PRIVATE), make_user(Role.OWNER)
    hushed = make_idea("Buy the other company", board=inside, status=Status.PLANNED, author=make_user(name="Quiet One"))
    entry, browser = write(hushed, author=owner), browse(make_user(Role.PM))

    pages = [browser.get(f"/changelog/{entry.id}/{page}").text for page in ("edit", "publish", "people")]
    words = {"seen": "1", "title": "Better", "body": "Now.", "kind": "new", "board": ""}
    browser.post(f"/changelog/{entry.id}/edit", data=words)
    browser.post(f"/changelog/{entry.id}/publish", data={"do": "now", "ships": [str(hushed.id)]})
    db.session.rollback()

    assert not any(re.search("Buy the other company|Quiet One", page) for page in pages)
    assert (entry.title, entry.is_published) == ("Better", True)
    assert [shipment.idea_id for shipment in queries.shipments_of(entry)] == [hushed.id]
    assert db.session.get_one(Idea, hushed.id).status is Status.PLANNED


def test_a_board_that_the_changelog_speaks_of_stays(browse):
    board = make_board("Maps")
    write(board=board)

    answer = browse(make_user(Role.OWNER)).post(f"/admin/boards/{board.id}/delete")

    assert "The changelog speaks of this board" in answer.text
    db.session.rollback()
    assert db.session.get(type(board), board.id) is not None


def test_drafts_are_for_those_who_may_publish_them(browse):
    here, there, on_board = make_board("Here"), make_board("There"), make_user()
    make_place(here, on_board, Role.PM)
    mine, theirs = write(title="Mine", board=here), write(title="Theirs", board=there)
    browsers = {"guest": browse(), "member": browse(make_user()), "pm here": browse(on_board)}

    answers = {
        who: [browser.get(f"/changelog/{entry.id}").status_code for entry in (mine, theirs)]
        for who, browser in browsers.items()
    }

    assert answers == {"guest": [404, 404], "member": [404, 404], "pm here": [200, 404]}
    assert [draft.title for draft in queries.drafts_of(on_board)] == ["Mine"]
    assert browsers["pm here"].post(f"/changelog/{theirs.id}/publish", data={"do": "now"}).status_code == 404
    whole = {"title": "All", "body": "Now.", "kind": "new", "board": ""}
    assert browsers["pm here"].post("/changelog/new", data=whole).status_code in {403, 422}
    assert browsers["pm here"].post("/changelog/new", data=whole | {"board": "here"}).status_code == 303


def test_the_list_goes_on_page_by_page_and_costs_the_same_however_many_there_are(browse):
    pm, idea = make_user(Role.PM), make_idea(status=Status.SHIPPED)
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    for number in range(23):
        let_out(write(idea, title=f"Entry {number}", author=pm), actor=pm, at=now - timedelta(days=3 * number))
    browser = browse()

    browser.get("/changelog")
    with statements() as asked:
        first = browser.get("/changelog").text
    older = re.search(r'href="(/changelog\?after=[^"]+)"', first)[1]
    second = browser.get(older.replace("&amp;", "&")).text

    assert len(asked) <= 7
    assert re.findall(r'id="month-\d">([^<]+)<', first) == ["May 2026", "April 2026", "March 2026"]
    assert len(re.findall("<article", first)) == 20
    assert re.findall(r">(Entry \d+)</a>", second) == ["Entry 20", "Entry 21", "Entry 22"]


# Thanking people


def test_nobody_is_named_who_has_not_agreed_and_each_is_asked_once(browse, settle, app):
    author, twin, tester = make_user(name="Ann Author"), make_user(name="Tom Twin"), make_user(name="Tess Tester")
    main, same = (make_idea(author=who, status=Status.PLANNED) for who in (author, twin))
    pm = make_user(Role.PM)
    with transaction(wake=False):
        move_idea(same, Status.MERGED, pm, MoveDetails(into=main))
    entry = write(main)
    with transaction(wake=False):
        service.name_person(entry, tester, main, Part.TESTED, pm)
    let_out(entry, main, actor=pm)
    with transaction(wake=False):
        service.change_entry(entry, Words("Said better", "Yes.", Kind.NEW, None, [main]), pm, 1)
    before, entry_id = told_of(entry), entry.id
    people = {author.id, twin.id, tester.id}
    member = browse(author)
    question = member.get(f"/changelog/{entry_id}/credit").text
    yes = member.post(f"/changelog/{entry_id}/credit", data={"answer": "yes"})
    browse(twin).post(f"/changelog/{entry_id}/credit", data={"answer": "no"})
    browse(tester).post(f"/changelog/{entry_id}/credit", data={"answer": "always"})
    page = browse().get(f"/changelog/{entry_id}").text

    assert (before.thanks, before.unnamed) == ([], 3)
    assert "May we name you?" in question
    assert yes.status_code == 303
    assert "Ann Author" in page and "suggested it" in page
    assert "Tess Tester" in page and "tested it" in page
    assert "Tom Twin" not in page and "and a member" in page
    settle()
    asked = db.session.scalars(select(Notification.user_id).where(Notification.kind == "credited")).all()
    assert sorted(asked) == sorted(people)
    assert len(db.session.scalars(select(Mail.id).where(Mail.kind == "credited")).all()) == 3


def test_whoever_chose_is_not_asked(settle):
    always, never = make_user(name="Always"), make_user(name="Never")
    ideas = [make_idea(author=who, status=Status.SHIPPED) for who in (always, never)]
    with transaction(wake=False):
        service.choose(always, Choice.ALWAYS)
        service.choose(never, Choice.NEVER)
    entry = write(*ideas)

    let_out(entry)

    shown = told_of(entry)
    assert ([thanks.user.name for thanks in shown.thanks], shown.unnamed) == (["Always"], 1)
    settle()
    assert db.session.scalars(select(Notification.id).where(Notification.kind == "credited")).all() == []


@pytest.mark.parametrize("how", ["never", "suspended", "leaving", "erased"])
def test_a_name_goes_with_its_person(browse, how):
    author = make_user(name="Ann Author")
    idea = make_idea(author=author, status=Status.SHIPPED)
    entry = write(idea)
    let_out(entry)
    with transaction(wake=False):
        service.answer_credit(db.session.get(Credit, (entry.id, author.id)), True)
    named = [
        browse().get(page).text.count("Ann Author") for page in ("/changelog", f"/changelog/{entry.id}", "/roadmap")
    ]
    with transaction(wake=False):
        author = db.session.get_one(User, author.id)
        match how:
            case "never":
                service.choose(author, Choice.NEVER)
            case "suspended":
                author.suspended_at = utcnow()
            case "leaving":
                privacy.leave(author)
            case "erased":
                privacy.erase(author)

    unnamed = [
        browse().get(page).text.count("Ann Author") for page in ("/changelog", f"/changelog/{entry.id}", "/roadmap")
    ]

    assert named == [1, 1, 1]
    assert unnamed == [0, 0, 0]


def test_only_whoever_knows_the_idea_can_have_had_a_part():
    inside = make_board("Inside", Audience.STAFF)
    idea, stranger = make_idea(board=inside, status=Status.PLANNED), make_user(name="Stranger")
    entry = write(idea, board=inside, author=make_user(Role.OWNER))

    with pytest.raises(Exception, match="does not know of this idea"), transaction(wake=False):
        service.name_person(entry, stranger, idea, Part.TESTED, make_user(Role.OWNER))


# By itself


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


# In the browser


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
