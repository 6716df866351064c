"""Calling somebody by name in a discussion: who can be called, who hears of it, and who never does."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from portal import outbox
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board
from portal.comments import calling, service
from portal.comments.models import Comment, CommentMention
from portal.db import db
from portal.ideas import service as ideas
from portal.ideas.models import Idea
from portal.limits import TooMuch
from portal.notifications.models import Mail, Notification
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_place, make_user
from tests.support import PLAIN, either_way, on_one_database
from tests.support.mails import mails_to, words_of

pytestmark = pytest.mark.usefixtures("app")


def say(idea: Idea, author: User, words: str) -> Comment:
    with transaction():
        return service.post_comment(idea, author, words)


def told() -> set[tuple[int, str, str]]:
    db.session.rollback()
    rows = select(Notification.user_id, Notification.kind, Notification.reason).where(Notification.idea_id.is_not(None))
    return set(db.session.execute(rows.where(Notification.kind != "received")).all())


@either_way
def test_who_is_called_reads_it_in_the_inbox_and_by_mail_and_the_name_leads_to_them(browse, settle, headers):
    author, speaker = make_user(name="Ada Lund"), make_user(name="Tom Ashby")
    called = make_user(name="Ines Keller")
    idea = make_idea(author=author, title="Ropes that do not freeze")
    ada, ines, address, number = author.id, called.id, called.email, idea.id
    reader = browse(called)

    browse(speaker).post(
        f"/ideas/{idea.id}/comments", data={"body": "@Ada and @ines keller, <i> you know this."}, headers=headers
    )
    settle()

    assert told() == {(ada, "mentioned", "mentioned"), (ines, "mentioned", "mentioned")}
    page = reader.get(f"/ideas/{number}").text
    assert f'<a href="/people/{ines}">@ines keller</a>' in page and "Mention somebody with @: Tom, Ada" in page
    assert "Tom Ashby mentions you in a discussion" in reader.get("/inbox?show=replies").text
    (mail,) = mails_to(address)
    assert mail["Subject"] == "Tom Ashby mentions you: Ropes that do not freeze"
    assert "You get this because somebody mentioned you." in " ".join(words_of(mail).split())
    assert reader.get(f"/people/{ines}").status_code == 200


def test_one_who_is_answered_or_follows_hears_once_of_the_strongest_and_whoever_muted_nothing(settle):
    author, speaker, quiet = make_user(name="Ada Lund"), make_user(), make_user(name="Ines Keller")
    idea, ada = make_idea(author=author), author.id
    first = make_comment(idea, author=author, body="Mine")
    while outbox.work_off():
        pass
    with transaction():
        ideas.unfollow(idea, quiet)
        service.post_comment(idea, speaker, "@Ada @Ines Keller look", reply_to=first)
    settle()

    assert told() == {(ada, "replied", "commenter")}


def test_nobody_is_called_by_code_quotes_links_old_words_or_an_edit_and_names_in_them_stay_text(settle):
    called, ada = make_user(name="Ines Keller").id, make_user().id
    idea = make_idea(author=db.session.get_one(User, ada))

    words = "`@Ines Keller`\n\n> @Ines Keller said\n\n[@Ines Keller](https://x.example) x@Ines Keller"
    comment = say(idea, make_user(), words).id
    settle()
    with transaction():
        service.edit_comment(
            db.session.get_one(Comment, comment), "Now @Ines Keller **@Ines Keller**, and @Ines Kellers"
        )
    settle()

    assert told() == {(ada, "commented", "author")}
    db.session.rollback()
    link = f'<a href="/people/{called}">@Ines Keller</a>'
    words = db.session.get_one(Comment, comment).body_html
    assert words == f"<p>Now {link} <strong>{link}</strong>, and @Ines Kellers</p>\n"


@pytest.mark.parametrize("audience", [Audience.STAFF, Audience.PRIVATE])
def test_where_not_all_may_look_only_those_who_take_part_or_work_there_can_be_called(settle, audience):
    board = make_board(audience=audience)
    speaker, colleague = make_user(Role.ADMIN), make_user(Role.PM, name="Ines Keller")
    outside = make_user(name="Tom Ashby")
    for person in (speaker, colleague):
        make_place(board, person, Role.PM)
    idea, ines, tom = make_idea(board=board, author=speaker), colleague.id, outside.id

    comment = say(idea, speaker, "@Ines and @Tom Ashby").id
    settle()

    assert told() == {(ines, "mentioned", "mentioned")}
    assert f"/people/{tom}" not in db.session.get_one(Comment, comment).body_html


def test_who_loses_sight_before_the_mail_leaves_gets_none_and_reads_nothing(browse, settle):
    called, board = make_user(name="Ines Keller"), make_board()
    ines, address, reader = called.id, called.email, browse(called)
    say(make_idea(title="Quarry lamps", board=board), make_user(), "@Ines Keller")

    while outbox.work_off():
        pass
    with transaction():
        db.session.execute(sa.update(Board).where(Board.id == board.id).values(audience=Audience.PRIVATE))
    settle()

    mail = db.session.scalars(select(Mail).where(Mail.user_id == ines)).one()
    assert mail.suppressed == "no longer visible"
    assert mails_to(address) == []
    assert "Quarry lamps" not in reader.get("/inbox").text


def test_ten_can_be_called_at_once_and_fifty_a_day_and_what_was_typed_stays(app, browse):
    app.config["LIMITS"] = True
    speaker, idea = make_user(), make_idea()
    people = [make_user(name=f"Person Number{number}") for number in range(11)]
    names = " ".join(f"@{person.name}" for person in people)
    browser = browse(speaker)

    answer = browser.post(f"/ideas/{idea.id}/comments", data={"body": names}, headers=PLAIN)
    assert answer.status_code == 422 and "at most 10 people" in answer.text and names in answer.text
    comment = make_comment(idea, author=speaker)
    answer = browser.post(f"/comments/{comment.id}/edit", data={"body": names}, headers=PLAIN)
    assert answer.status_code == 422 and names in answer.text
    ten = names.rpartition(" @")[0]
    for number in range(5):
        make_comment(idea, author=speaker, body=f"{ten} {number}")
    answer = browser.post(f"/ideas/{idea.id}/comments", data={"body": "@Person Number3 again"}, headers=PLAIN)
    assert answer.status_code == 429 and "@Person Number3 again" in answer.text
    db.session.rollback()
    assert db.session.scalar(select(sa.func.count()).select_from(CommentMention)) == 50


def test_deleting_or_editing_gives_nobody_more_people_to_call(app):
    app.config["LIMITS"] = True
    speaker, idea = make_user(), make_idea()
    ten = " ".join(f"@{make_user(name=f'Person Number{number}').name}" for number in range(10))
    for number in range(5):
        comment = say(idea, speaker, f"{ten} {number}")
        with transaction():
            comment = db.session.get_one(Comment, comment.id)
            if number % 2:
                service.delete_comment(comment, speaker)
            else:
                service.edit_comment(comment, "Nobody")

    with pytest.raises(TooMuch):
        say(idea, speaker, "@Person Number1 again")


def test_an_erased_name_is_gone_from_the_words_that_called_it_and_the_others_stay():
    gone, stays = make_user(name="Ines Keller"), make_user(name="Ada Lund")
    idea = make_idea()
    comment = say(idea, make_user(), "@Ines Keller and @Ada Lund")

    with transaction():
        calling.forget_name(gone)

    db.session.rollback()
    comment = db.session.get_one(Comment, comment.id)
    assert comment.body == "@… and @Ada Lund"
    assert "Ines" not in comment.body_html and f"/people/{stays.id}" in comment.body_html


@on_one_database
def test_names_are_linked_only_where_they_were_spoken():
    html = (
        '<p>@A&amp;B @a <a href="#">@a</a> <code>@a</code></p>\n<blockquote>\n<p>@a</p>\n</blockquote>\n<p>@a @ab</p>'
    )

    linked = calling.with_links(html, {1: "a", 2: "A&B"})
    alike = calling.with_links("<p>@sam @ſam</p>", {1: "Sam"})

    assert linked == (
        '<p><a href="/people/2">@A&amp;B</a> <a href="/people/1">@a</a> <a href="#">@a</a> <code>@a</code></p>\n'
        '<blockquote>\n<p>@a</p>\n</blockquote>\n<p><a href="/people/1">@a</a> @ab</p>'
    )
    assert alike == '<p><a href="/people/1">@sam</a> @ſam</p>'
