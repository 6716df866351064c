"""What a comment said before it was edited: who reads it, where, and where it is found no more."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.comments import service
from portal.comments.models import Comment, CommentRevision, RevisionMention
from portal.db import db
from portal.notifications.models import Notification
from portal.privacy.service import erase
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_place, make_user
from tests.support import assert_accessible, on_one_database, with_and_without_javascript

pytestmark = pytest.mark.usefixtures("app")


def edited(body: str = "It *thaws* slowly.", to: str = "It freezes fast.", **details) -> Comment:
    comment = make_comment(body=body, **details)
    with transaction():
        service.edit_comment(comment, to)
    return comment


def test_the_word_edited_leads_to_what_a_comment_said_before_newest_first(browse):
    comment = edited()
    with transaction():
        service.edit_comment(comment, "It freezes fast.")  # the same again is no edit
        service.edit_comment(comment, "It freezes at night.")
    guest = browse()

    page = guest.get(f"/ideas/{comment.idea_id}").text
    history = guest.get(f"/comments/{comment.id}/history").text

    assert f'href="/comments/{comment.id}/history"' in page and "thaws" not in page
    places = [
        history.index(words) for words in ("It freezes at night.", "It freezes fast.", "It <em>thaws</em> slowly.")
    ]
    assert places == sorted(places)
    assert history.count('id="revision-') == 2


@on_one_database
def test_of_very_many_wordings_a_page_renders_ten_and_no_search_engine_keeps_them(browse):
    comment = edited()
    with transaction():
        for number in range(12):
            service.edit_comment(comment, f"Wording {number}.")
    guest = browse()

    newest = guest.get(f"/comments/{comment.id}/history").text
    older = re.search(rf'href="(/comments/{comment.id}/history\?after=[^"]+)"', newest)
    rest = guest.get(older[1]).text

    assert (newest.count('id="revision-'), rest.count('id="revision-')) == (10, 3)
    assert "thaws" not in newest and "thaws" in rest
    assert '<meta name="robots" content="noindex">' in newest


@on_one_database
@pytest.mark.settings(LIMITS=True, LIMITS_OVERRIDE="comments.post = 2 per hour")
def test_s49_a_comment_is_edited_so_often_and_no_more(browse):
    comment = make_comment()
    author = browse(comment.author)

    answers = [author.post(f"/comments/{comment.id}/edit", data={"body": f"Said {n} times."}) for n in range(3)]

    assert [answer.status_code for answer in answers] == [303, 303, 429]
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(CommentRevision)) == 2


@on_one_database
def test_what_was_never_edited_and_what_was_edited_before_wording_was_kept_say_so(browse):
    plain, old = make_comment(), edited()
    with transaction():
        db.session.query(CommentRevision).delete()

    assert "This comment was never edited." in browse().get(f"/comments/{plain.id}/history").text
    assert "What it said before was not kept." in browse().get(f"/comments/{old.id}/history").text


def test_the_history_of_a_removed_comment_is_gone_for_all_but_moderators_of_its_board(browse):
    board = make_board("Maps")
    here, elsewhere = make_user(), make_user()
    make_place(board, here, Role.MODERATOR)
    make_place(make_board("Ropes"), elsewhere, Role.MODERATOR)
    comment = edited(idea=make_idea(board=board), author=make_user())
    make_comment(comment.idea, reply_to=comment)
    with transaction():
        service.delete_comment(comment, comment.author)
    others = {
        "a guest": None,
        "its author": comment.author,
        "a moderator elsewhere": elsewhere,
        "PM": make_user(Role.PM),
    }
    address, idea = f"/comments/{comment.id}/history", comment.idea_id

    answers = {who: browse(person).get(address).status_code for who, person in others.items()}
    read = browse(here).get(address)

    assert answers == dict.fromkeys(others, 404)
    assert "thaws" in read.text and "It freezes fast." not in read.text
    assert address in browse(here).get(f"/ideas/{idea}").text
    assert address not in browse().get(f"/ideas/{idea}").text


@on_one_database
def test_whoever_may_not_see_the_idea_knows_of_no_history(browse):
    comment = edited(idea=make_idea(board=make_board(audience=Audience.STAFF)))

    assert browse(make_user()).get(f"/comments/{comment.id}/history").status_code == 404


def test_earlier_words_are_found_by_no_search_and_stand_in_no_feed_and_an_edit_tells_nobody(browse, settle):
    reader = browse(make_user(name="Ines Keller"))
    comment = make_comment(body="Quicksilver thaws.", author=make_user())
    idea, number = comment.idea_id, comment.id
    settle()
    found_before = f"/ideas/{idea}" in browse().get("/search?q=quicksilver").text
    told = list(db.session.scalars(select(Notification.id)))
    with transaction():
        service.edit_comment(db.session.get_one(Comment, number), "It freezes, @Ines Keller.")
    settle()

    assert found_before
    assert f"/ideas/{idea}" not in reader.get("/search?q=quicksilver").text
    for address in ("/feeds/ideas.atom", f"/feeds/ideas/{idea}.atom", f"/ideas/{idea}", "/search?q=freezes"):
        answer = reader.get(address)
        assert answer.status_code == 200 and "Quicksilver" not in answer.text, address
    assert list(db.session.scalars(select(Notification.id))) == told


def test_a_name_that_is_erased_goes_out_of_earlier_words_too(settle):
    called, moderator = make_user(name="Ines Keller"), make_user(Role.OWNER)
    comment = edited("Ask @Ines Keller.", "Ask somebody.")
    kept = db.session.scalars(select(RevisionMention.handle)).all()

    with transaction():
        erase(db.session.get_one(User, called.id), moderator)

    assert kept == ["Ines Keller"]
    before = db.session.scalars(select(CommentRevision.body).where(CommentRevision.comment_id == comment.id)).all()
    assert before == ["Ask @…."]
    assert db.session.scalars(select(RevisionMention.handle)).all() == []


@with_and_without_javascript
def test_it_is_read_by_keyboard_on_a_phone(open_page, page):
    comment = edited()
    reader = open_page(javascript=page.evaluate("1") == 1, width=390)

    reader.goto(f"/ideas/{comment.idea_id}")
    link = reader.get_by_role("link", name="edited what it said before")
    link.focus()
    reader.keyboard.press("Enter")
    reader.wait_for_url(f"**/comments/{comment.id}/history")

    assert reader.get_by_text("It thaws slowly.").is_visible()
    assert reader.evaluate("document.documentElement.scrollWidth") <= 390
    assert_accessible(reader)
