"""Notes for the team: who writes and reads them, whom they call, and that nobody else ever learns of them."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from portal import outbox
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience, BoardMember
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.feeds.queries import inbox_feed
from portal.ideas import moves
from portal.notifications.models import CaughtMail, Mail, Notification
from portal.talk import clocks, service
from portal.talk.models import Note, NoteMention
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user
from tests.support import HTMX, PLAIN, either_way

pytestmark = pytest.mark.usefixtures("app")


def write(idea, author, body="Support hears this often."):
    with transaction():
        note, _found = service.write_note(idea, author, body)
    return note


def told():
    db.session.rollback()
    noted = select(Notification.user_id, Notification.kind, Notification.reason).where(Notification.kind == "noted")
    return set(db.session.execute(noted).all())


@either_way
def test_a_note_is_read_by_the_team_and_by_nobody_else(browse, headers):
    pm, observer, author = make_user(Role.PM), make_user(Role.OBSERVER), make_user()
    idea = make_idea(author=author)

    answer = browse(pm).post(
        f"/triage/first-look/{idea.id}/notes",
        data={"note": "Rang **Quarryman** about it"},
        headers=headers,
        follow_redirects=True,
    )

    assert "Rang <strong>Quarryman</strong>" in answer.text
    assert ("<html" in answer.text) is (headers is PLAIN)
    seen = browse(observer).get(f"/triage/first-look/{idea.id}").text
    assert "Quarryman" in seen and 'name="note"' not in seen
    for person in (author, make_user(), None):
        for page in (f"/ideas/{idea.id}", f"/ideas/{idea.id}/history", "/search?q=quarryman", "/inbox"):
            assert "Rang" not in browse(person).get(page, follow_redirects=True).text


def test_observers_members_and_the_team_of_other_boards_write_none(browse):
    board, idea = make_board("Here"), make_idea(board=make_board("There", Audience.PUBLIC))
    elsewhere = make_user()
    make_place(board, elsewhere, Role.PM)

    codes = [
        browse(person).post(f"/triage/first-look/{idea.id}/notes", data={"note": "No."}).status_code
        for person in (make_user(), make_user(Role.OBSERVER), elsewhere)
    ]

    assert (codes, db.session.scalar(select(Note.id))) == ([403, 403, 403], None)


def test_whoever_is_called_hears_of_it_once_and_by_mail_the_owner_in_the_inbox(settle, smtp):
    ines, tom, owner = (make_user(Role.PM, name=name) for name in ("Ines Keller", "Tom Ashby", "Olga Fern"))
    idea = make_idea(owner_id=owner.id)

    ids = tom.id, owner.id
    number = write(idea, ines, "@Tom, see @Tom Ashby and @Ines").id
    settle()
    with transaction():
        service.edit_note(db.session.get_one(Note, number), "@Olga now")
    settle()

    assert told() == {(ids[0], "noted", "mentioned"), (ids[1], "noted", "owner")}
    assert db.session.scalars(select(Mail.user_id).where(Mail.kind == "noted")).all() == [ids[0]]
    assert db.session.scalars(select(NoteMention.user_id)).all() == [ids[1]]
    assert inbox_feed(db.session.get_one(User, ids[0])).items == []


def test_the_news_of_a_note_is_gone_for_who_left_the_team_and_the_mail_is_not_sent(app, browse, settle):
    board = make_board("Pacts", Audience.MEMBERS)
    helper = make_user(name="Hal Brook")
    make_place(board, helper, Role.MODERATOR)
    idea = make_idea(board=board)
    pm = make_user(Role.PM)
    write(idea, pm, "@Hal: secretword")
    seen, title, at = browse(helper), idea.title, f"/triage/first-look/{idea.id}"
    outbox.work_off()
    assert "secretword" in seen.get("/inbox").text

    with transaction():
        db.session.execute(sa.update(BoardMember).values(role=Role.MEMBER))
    settle()

    page = seen.get("/inbox").text
    assert "secretword" not in page and title not in page
    assert not [mail for mail in db.session.scalars(select(CaughtMail)) if "secretword" in mail.raw]
    assert seen.get(at).status_code == 403


def test_a_note_can_be_changed_by_its_author_and_taken_away_by_a_moderator_for_a_day(browse):
    author, moderator, other = make_user(Role.PM), make_user(Role.MODERATOR), make_user(Role.PM)
    idea = make_idea()
    note = write(idea, author)
    at = f"/triage/first-look/{idea.id}/notes/{note.id}"

    assert browse(other).post(at, data={"body": "Mine now"}).status_code == 403
    assert browse(other).post(f"{at}/delete").status_code == 403
    assert browse(author).post(at, data={"body": " "}).status_code == 422
    browse(author).post(at, data={"body": "Rarely, in fact."})
    gone = browse(moderator).post(f"{at}/delete", headers=HTMX).text
    assert "Rarely" not in gone and f"{at}/restore" in gone
    back = browse(moderator).post(f"{at}/restore", headers=HTMX).text
    assert "Rarely, in fact." in back
    browse(author).post(f"{at}/delete")
    db.session.rollback()
    with transaction():
        db.session.get_one(Note, note.id).deleted_at = utcnow() - timedelta(days=2)

    assert (clocks.forget_deleted_notes(), clocks.forget_deleted_notes()) == (1, 0)


def test_a_deleted_note_counts_as_unread_for_nobody(browse, settle):
    tom, ines = make_user(Role.PM, name="Tom"), make_user(Role.PM)
    number, seen = write(make_idea("A gate that sticks"), ines, "@Tom").id, browse(tom)
    settle()
    with transaction():
        service.delete_note(db.session.get_one(Note, number), db.session.merge(ines))
    settle()

    assert "A gate that sticks" not in seen.get("/inbox").text
    assert (
        db.session.scalar(select(Notification.id).where(Notification.read_at.is_(None), Notification.kind == "noted"))
        is None
    )


@either_way
def test_what_was_typed_stays_when_it_does_not_go_through(browse, headers):
    idea, pm = make_idea(), make_user(Role.PM)
    for number in range(11):
        make_user(Role.PM, name=f"Colleague{number} X")
    text = "Look: " + " ".join(f"@Colleague{number}" for number in range(11))

    answer = browse(pm).post(f"/triage/first-look/{idea.id}/notes", data={"note": text}, headers=headers)

    assert answer.status_code == 422
    assert "at most 10 colleagues" in answer.text and text in answer.text
    assert db.session.scalar(select(Note.id)) is None


@pytest.mark.settings(LIMITS_OVERRIDE="mentions = 2 per day")
def test_nobody_calls_colleagues_all_day():
    idea, pm = make_idea(), make_user(Role.PM)
    for name in ("Ada", "Bea", "Cem"):
        make_user(Role.PM, name=name)
    write(idea, pm, "@Ada @Bea")

    with pytest.raises(Refusal), transaction():
        service.write_note(idea, pm, "@Cem")
    write(idea, pm, "Nobody.")


def test_a_note_that_calls_nobody_says_so_and_names_are_offered(browse):
    make_user(Role.PM, name="Tom Ashby")
    idea, pm = make_idea(), make_user(Role.PM, name="Ines Keller")

    answer = browse(pm).post(f"/triage/first-look/{idea.id}/notes", data={"note": "@Tam @Tom"}, headers=HTMX).text

    assert "Tom will hear of it." in answer and "is called @Tam" in answer
    assert "Mention a colleague with @: Tom" in answer


def test_the_team_looks_for_notes_on_its_boards_and_finds_those_with_all_words(browse):
    board, pm = make_board("Pacts", Audience.PRIVATE), make_user(Role.ADMIN)
    helper, elsewhere = make_user(), make_user()
    make_place(board, helper, Role.OBSERVER)
    make_place(make_board("Other"), elsewhere, Role.PM)
    write(make_idea(board=board), pm, "The quarry gate sticks")
    write(make_idea(board=make_board("Open")), pm, "The quarry road, 100% mud")

    found = {
        (name, words): browse(person).get(f"/triage/notes?q={words}").text.count('class="prose')
        for name, person in (("admin", pm), ("helper", helper), ("elsewhere", elsewhere))
        for words in ("", "quarry", "gate+QUARRY", "0%25", "quarry+lake")
    }

    assert [found["admin", words] for words in ("", "quarry", "gate+QUARRY", "0%25", "quarry+lake")] == [2, 2, 1, 1, 0]
    assert [found["helper", words] for words in ("", "gate+QUARRY", "0%25")] == [1, 1, 0]
    assert found["elsewhere", ""] == 0


def test_notes_stay_with_the_idea_on_its_new_board(browse):
    team, idea = make_board("Inner", Audience.STAFF), make_idea()
    pm = make_user(Role.PM)
    write(idea, pm, "Before the move")
    with transaction():
        moves.change_board(idea, team, pm)

    assert "Before the move" in browse(pm).get(f"/triage/first-look/{idea.id}").text
