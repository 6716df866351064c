"""Searches that the team keeps: who sees them, and alerts that tell of each new idea once, and of nothing hidden."""

from datetime import UTC, datetime

import pytest
import time_machine
from flask import current_app
from sqlalchemy import delete, select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board, BoardMember
from portal.db import db
from portal.errors import Refusal
from portal.ideas import moves, service
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication
from portal.labels import service as labels
from portal.notifications import leaving
from portal.notifications.models import Notification
from portal.search import index, saved, watching
from portal.search.models import Alert, SavedMatch, SavedSearch
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_place, make_user, make_votes
from tests.support.mails import mails_to, words_of

pytestmark = pytest.mark.usefixtures("app")


def keep(user, line, alert=Alert.INBOX, **more):
    with transaction():
        search = saved.save_search(user, line, name=more.pop("name", line[:60]), alert=alert, **more)
    return search.id


def told(user_id):
    """Return which ideas somebody was told of, one list a notification, oldest first."""
    db.session.rollback()
    mine = select(Notification).where(Notification.user_id == user_id, Notification.kind == "matched")
    return [n.record.data["idea_ids"] for n in db.session.scalars(mine.order_by(Notification.id))]


@pytest.fixture
def manager():
    """Somebody on the team, while there is one idea about maps."""
    make_idea("Maps of huts")
    index.rebuild()
    return make_user(Role.PM, name="Petra")


def test_an_alert_tells_of_what_comes_to_match_once_and_of_all_at_once(manager, settle):
    who = manager.id
    keep(manager, "maps status:new")
    settle()
    first = make_idea("Maps of lakes").id
    second = make_idea("More maps, of caves").id
    make_idea("Bells for sheep")
    settle()
    with transaction():
        service.edit_idea(
            db.session.get(Idea, first), make_user(Role.PM), title="Maps of two lakes", need="", proposal=""
        )
    settle()
    third = make_idea("Ferries").id
    settle()
    make_comment(db.session.get(Idea, third), body="They need maps, too.")
    settle()

    assert told(who) == [[second, first], [third]]


def test_the_inbox_names_the_search_and_leads_to_all_that_it_found(browse, manager, settle):
    keep(manager, "maps", name="All of maps")
    browser = browse(manager)
    make_idea("Maps of lakes")
    make_idea("Maps of caves")
    settle()

    inbox = browser.get("/inbox").text
    number = db.session.scalars(select(Notification.id).where(Notification.kind == "matched")).one()
    opened = browser.post(f"/inbox/{number}")

    assert "2 new ideas for your search “All of maps”" in inbox
    assert "Maps of caves" in inbox and "And: Maps of lakes" in inbox
    assert browser.get(opened.location).location == "/search?q=maps"


def test_s05_an_alert_tells_of_nothing_that_its_reader_may_not_see_until_they_may(manager, settle):
    who, closed = manager.id, make_board("Vault", Audience.PRIVATE)
    keep(manager, "maps")
    make_idea("Maps of the vault", board=closed)
    held = make_idea("Maps, held", publication=Publication.HELD).id
    settle()
    before = told(who)
    with transaction():
        service.publish_idea(db.session.get(Idea, held), make_user(Role.MODERATOR))
    settle()

    assert before == []
    assert told(who) == [[held]]


def test_nobody_hears_who_left_the_team(manager, settle):
    who = manager.id
    keep(manager, "maps")
    with transaction():
        db.session.get(User, who).role = Role.MEMBER
    make_idea("Maps of lakes")
    settle()

    assert told(who) == []


def test_limits_without_words_tags_and_votes_are_watched_too(manager, settle):
    who, tagged, backed = manager.id, make_idea("Ferries").id, make_idea("Bells").id
    with transaction():
        moves.set_tags(make_idea("Springs"), ["water"], db.session.get(User, who))
    for line in ("tag:water", "votes:>3", "-is:open", '"of lakes" -big'):
        keep(manager, line)
    settle()
    with transaction():
        moves.set_tags(db.session.get(Idea, tagged), ["water"], db.session.get(User, who))
    make_votes(db.session.get(Idea, backed), 4)
    lakes = make_idea("Maps of lakes").id
    make_idea("Maps of lakes, big ones")
    settle()
    db.session.rollback()
    current_app.extensions.pop(watching.COUNTED)
    settle()

    assert sorted(told(who)) == sorted([[tagged], [backed], [lakes]])


def test_a_letter_a_day_folds_what_several_searches_found(manager, settle):
    address = manager.email
    with time_machine.travel(datetime(2026, 5, 4, 9, tzinfo=UTC)):
        keep(manager, "maps", Alert.MAIL, name="All of maps")
        keep(manager, "lakes", Alert.MAIL, name="Water")
        keep(manager, "caves", Alert.INBOX)
        make_idea("Maps of lakes")
        make_idea("Maps of caves")
        settle()
        at_once = letters_to(address)
    with time_machine.travel(datetime(2026, 5, 5, 8, tzinfo=UTC)):
        settle()
        make_idea("Lakes again")
        settle()
    letter = words_of(letters_to(address)[0])

    assert at_once == []
    assert len(letters_to(address)) == 1
    assert letter.index("All of maps") < letter.index("Maps of caves") < letter.index("Maps of lakes")
    assert letter.rindex("Maps of caves") < letter.index("Water") < letter.rindex("Maps of lakes")
    assert "Lakes again" not in letter


def test_whoever_turns_to_mail_gets_no_letter_of_what_they_were_told_before(manager, settle):
    address, who = manager.email, manager.id
    with time_machine.travel(datetime(2026, 5, 4, 9, tzinfo=UTC)):
        number = keep(manager, "maps", Alert.INBOX)
        old = make_idea("Maps of lakes").id
        settle()
        with transaction():
            search = db.session.get(SavedSearch, number)
            saved.change_search(search, name="Maps", shared=False, alert=Alert.MAIL)
    with time_machine.travel(datetime(2026, 5, 5, 8, tzinfo=UTC)):
        settle()
        at_first = letters_to(address)
        new = make_idea("Maps of caves").id
        settle()
    with time_machine.travel(datetime(2026, 5, 6, 8, tzinfo=UTC)):
        settle()

    assert (at_first, told(who)) == ([], [[old], [new]])
    assert "lakes" not in words_of(letters_to(address)[0])


def test_a_letter_that_was_late_takes_nothing_from_the_next_one(settle):
    index.rebuild()
    reader = make_user(Role.PM, name="Lara", timezone="America/Los_Angeles")
    address = reader.email
    with time_machine.travel(datetime(2026, 5, 4, 12, tzinfo=UTC)):
        keep(reader, "maps", Alert.MAIL)
        make_idea("Maps of lakes")
        settle()
    with time_machine.travel(datetime(2026, 5, 5, 0, 30, tzinfo=UTC)):  # the worker had been down since the morning
        settle()
        make_idea("Maps of caves")
        settle()
    with time_machine.travel(datetime(2026, 5, 5, 15, tzinfo=UTC)):  # seven in the morning, on the same day of UTC
        settle()

    assert ["caves" in words_of(letter) for letter in letters_to(address)] == [False, True]


def test_s05_a_letter_holds_nothing_that_was_hidden_meanwhile(manager, settle):
    address = manager.email
    with time_machine.travel(datetime(2026, 5, 4, 9, tzinfo=UTC)):
        keep(manager, "maps", Alert.MAIL)
        idea = make_idea("Maps of lakes").id
        settle()
        with transaction():
            db.session.get(Idea, idea).publication = Publication.REMOVED
    with time_machine.travel(datetime(2026, 5, 5, 8, tzinfo=UTC)):
        settle()

    assert letters_to(address) == []


def test_s09_a_letter_tells_nothing_by_labels_of_boards_that_one_works_on_no_more(settle):
    here, there, local = make_board("Near"), make_board("Far"), make_user()
    for board in (here, there):
        make_place(board, local, Role.MODERATOR)
    address, away = local.email, there.id
    known, caves, lakes = (
        make_idea(title, board=board).id for title, board in (("Maps", here), ("Caves", here), ("Lakes", there))
    )

    def label(*ideas):
        with transaction():
            for number in ideas:
                labels.set_labels(db.session.get_one(Idea, number), ["legal"], make_user(Role.PM))

    label(known)
    with time_machine.travel(datetime(2026, 5, 4, 9, tzinfo=UTC)):
        keep(local, "label:legal", Alert.MAIL)
        settle()
        label(caves, lakes)
        settle()
        found = set(db.session.scalars(select(SavedMatch.idea_id)))
        with transaction():
            db.session.execute(delete(BoardMember).where(BoardMember.board_id == away))
    with time_machine.travel(datetime(2026, 5, 5, 8, tzinfo=UTC)):
        settle()

    (letter,) = letters_to(address)
    assert found == {caves, lakes}
    assert "Caves" in words_of(letter) and "Lakes" not in words_of(letter)


def test_s09_a_line_of_what_was_found_goes_with_the_place_by_which_it_was_found(browse, settle):
    here, there, local = make_board("Near"), make_board("Far"), make_user()
    for board in (here, there):
        make_place(board, local, Role.MODERATOR)
    known, lakes, caves = (
        make_idea(title, board=board).id for title, board in (("Maps", here), ("Lakes", there), ("Caves", here))
    )
    pm, away, who = make_user(Role.PM).id, there.id, local.id
    with transaction():
        labels.set_labels(db.session.get_one(Idea, known), ["legal"], db.session.get_one(User, pm))
    keep(local, "label:legal")
    for number in (lakes, caves):
        with transaction():
            labels.set_labels(db.session.get_one(Idea, number), ["legal"], db.session.get_one(User, pm))
        settle()
    before, admin = told(who), make_user(Role.ADMIN).id

    with transaction():
        board, leaver = db.session.get_one(Board, away), db.session.get_one(User, who)
        leaving.take_off(board, leaver, db.session.get_one(User, admin))
    left = told(who)
    inbox = browse(db.session.get_one(User, who)).get("/inbox").text
    with transaction():
        db.session.execute(delete(BoardMember).where(BoardMember.user_id == who))
    later = browse(db.session.get_one(User, who)).get("/inbox").text

    assert before == [[lakes], [caves]] and left == [[caves]]
    assert "Caves" in inbox and "Lakes" not in inbox
    assert "Caves" not in later


def test_s09_a_shared_search_shows_no_label_of_a_board_that_its_reader_does_not_work_on(browse, manager):
    secret = make_board("Secret", Audience.PRIVATE)
    make_place(secret, manager, Role.PM)
    with transaction():
        labels.set_labels(make_idea("Bells", board=secret), ["takeover"], manager)
        labels.set_labels(make_idea("Gates"), ["open-label"], manager)
    line = "maps label:takeover -label:open-label"
    mine, only = keep(manager, line, shared=True), keep(manager, "label:takeover", shared=True)
    colleague, own = browse(make_user(Role.PM)), browse(manager)

    pages = [colleague.get(page).text for page in ("/search/saved", "/search", "/triage/mine", f"/triage/saved-{mine}")]
    opened = colleague.get(f"/search/saved/{mine}").location

    assert not any("takeover" in page for page in pages)
    assert all("maps -label:open-label" in page for page in pages)
    assert opened == "/search?q=maps+-label:open-label"
    assert "takeover" not in colleague.get(f"/search/saved/{only}").location
    assert line in own.get("/search/saved").text
    assert db.session.get_one(SavedSearch, mine).query == line


def letters_to(address):
    return [mail for mail in mails_to(address) if "searches you keep" in mail["Subject"]]


def test_members_keep_nothing_and_observers_do(browse, manager):
    member, observer = browse(make_user()), browse(make_user(Role.OBSERVER))
    form = {"q": "maps", "name": "Maps", "alert": "none"}

    assert "Keep this search" not in member.get("/search?q=maps").text
    assert member.post("/search/saved", data=form).status_code == 403
    assert "Keep this search" in observer.get("/search?q=maps").text
    assert observer.post("/search/saved", data=form).status_code == 303
    assert "Maps" in observer.get("/search/saved").text


def test_what_is_kept_is_for_oneself_or_shared_and_changed_by_its_owner_alone(browse, manager):
    private, shared = keep(manager, "maps", name="Mine"), keep(manager, "huts", name="Ours", shared=True)
    colleague = browse(make_user(Role.MODERATOR))

    page = colleague.get("/search/saved").text

    assert "Ours" in page and "Mine" not in page
    assert colleague.get(f"/search/saved/{private}").status_code == 404
    assert colleague.get(f"/search/saved/{shared}").location == "/search?q=huts"
    for act in (f"/search/saved/{shared}", f"/search/saved/{shared}/delete"):
        assert colleague.post(act, data={"name": "Theirs", "alert": "none"}).status_code == 404


def test_what_somebody_shared_goes_with_them_from_the_team(browse, manager):
    shared, leaver = keep(manager, "huts", name="Ours", shared=True), manager.id
    colleague = browse(make_user(Role.MODERATOR))
    with transaction(wake=False):
        db.session.get_one(User, leaver).role = Role.MEMBER

    assert "Ours" not in colleague.get("/search/saved").text
    assert colleague.get(f"/search/saved/{shared}").status_code == 404


def test_a_search_is_renamed_told_of_from_then_on_and_deleted(browse, manager, settle):
    who, browser = manager.id, browse(manager)
    number = keep(manager, "maps", Alert.NONE, name="Maps")
    make_idea("Maps of lakes")
    settle()
    browser.post(f"/search/saved/{number}", data={"name": "All of maps", "alert": "inbox"})
    new = make_idea("Maps of caves").id
    settle()
    heard = told(who)
    browser.post(f"/search/saved/{number}/delete")
    make_idea("Maps of towns")
    settle()

    assert heard == told(who) == [[new]]
    assert db.session.scalars(select(SavedMatch)).all() == []
    assert "your search “…”" in browser.get("/inbox").text


def test_what_cannot_be_kept_is_refused(manager, monkeypatch):
    monkeypatch.setattr(saved, "MOST", 1)
    for line in ("", "***", "maps status:nonsense"):
        with pytest.raises(Refusal):
            keep(manager, line)
    db.session.rollback()
    keep(db.session.get(User, manager.id), "maps")
    with pytest.raises(Refusal):
        keep(db.session.get(User, manager.id), "huts")


def test_a_status_is_kept_as_everybody_types_it(browse):
    german = browse(make_user(Role.PM, locale="de"))

    german.post("/search/saved", data={"q": "status:geplant status:open", "name": "G", "alert": "none"})

    db.session.rollback()
    assert db.session.scalars(select(SavedSearch.query)).all() == ["status:planned status:open"]
