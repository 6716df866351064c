"""The discussion under an idea: said, answered, put differently, taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.accounts.roles import Role
from portal.comments import queries, service
from portal.comments.models import Comment, Helpful
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import EventRecord
from portal.ideas import followers
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_user
from tests.support import either_way, on_one_database

pytestmark = pytest.mark.usefixtures("app")


def said(idea: Idea, person: Any = None) -> list[Any]:
    """The threads as one person sees them: each comment, and what answers it."""
    return [
        (view.comment.body, [reply.comment.body for reply in view.replies])
        for view in queries.threads(idea, person or make_user())
    ]


def names() -> list[str]:
    said = select(EventRecord.name).where(EventRecord.name.startswith("comment.")).order_by(EventRecord.id)
    return list(db.session.scalars(said))


# The rules


def test_a_comment_is_counted_rendered_and_followed():
    idea, author = make_idea(), make_user()

    comment = make_comment(idea, author=author, body="I need it **too**.")

    assert comment.body_html == "<p>I need it <strong>too</strong>.</p>\n"
    assert idea.comments == 1
    assert followers.following(idea, author).reason == "commenter"
    assert names() == ["comment.posted"]


def test_replies_stand_under_what_they_answer_one_level_deep():
    idea = make_idea()
    first = make_comment(idea, body="First")
    make_comment(idea, body="Second")
    reply = make_comment(idea, body="Reply", reply_to=first)
    make_comment(idea, body="Reply to the reply", reply_to=reply)

    assert said(idea) == [("First", ["Reply", "Reply to the reply"]), ("Second", [])]


def test_who_takes_a_comment_back_leaves_its_place_only_where_replies_need_it():
    idea, author = make_idea(), make_user()
    alone = make_comment(idea, author=author, body="Nobody answered")
    answered = make_comment(idea, author=author, body="Somebody answered")
    make_comment(idea, body="Me", reply_to=answered)

    for comment in (alone, answered, answered):
        with transaction():
            service.delete_comment(comment, author)

    assert said(idea) == [("", ["Me"])]
    assert idea.comments == 1
    assert (answered.body, answered.body_html, answered.deleted_by_id) == ("", "", author.id)
    assert names().count("comment.deleted") == 2


def test_a_comment_put_differently_says_so_and_tells_nobody_again():
    comment = make_comment(body="Before")

    for body in ("After", "After", "After "):
        with transaction():
            service.edit_comment(comment, body)

    assert (comment.body, comment.body_html) == ("After", "<p>After</p>\n")
    assert comment.edited_at
    assert names() == ["comment.posted", "comment.edited"]


def test_a_comment_helps_each_person_once_and_never_its_author():
    comment, person = make_comment(), make_user()

    for _ in range(2):
        with transaction():
            service.mark_helpful(comment, person)
    with pytest.raises(Refusal), transaction():
        service.mark_helpful(comment, comment.author)
    assert comment.helpful == 1

    for _ in range(2):
        with transaction():
            service.unmark_helpful(comment, person)
    assert comment.helpful == 0


@pytest.mark.parametrize("status", list(Status))
@on_one_database
def test_a_discussion_is_open_as_long_as_the_status_says(status):
    idea = make_idea(status=status, status_since=utcnow() - timedelta(days=29))
    late = make_idea(status=status, status_since=utcnow() - timedelta(days=31))
    rule = status.rule

    assert can_comment(idea) is rule.takes_comments
    assert can_comment(late) is (rule.takes_comments and rule.comments_for is None)


@pytest.mark.parametrize("publication", [Publication.HELD, Publication.HIDDEN, Publication.REMOVED])
def test_nothing_is_said_about_an_idea_out_of_sight(publication):
    assert not can_comment(make_idea(publication=publication))


def can_comment(idea: Idea) -> bool:
    try:
        with transaction():
            service.post_comment(idea, make_user(), "One word more.")
    except service.CommentsClosed:
        return False
    return True


def test_a_long_discussion_is_folded_in_the_middle_and_can_be_shown_in_full():
    idea = make_idea()
    with transaction():
        for number in range(30):
            service.post_comment(idea, idea.author, f"Comment {number}", at=utcnow() + timedelta(seconds=number))

    folded, full = (queries.discussion(idea, idea.author, [], show_all=show_all) for show_all in (False, True))

    assert (len(folded.entries), folded.folded, len(folded.newest)) == (20, 5, 5)
    assert folded.newest[-1].thread.comment.body == "Comment 29"
    assert (len(full.entries), full.folded) == (30, 0)


# The answers


@either_way
def test_a_member_comments_and_reads_it_on_the_page(browse, headers):
    idea, author = make_idea(), make_user()
    browser = browse(author)

    answer = browser.post(f"/ideas/{idea.id}/comments", data={"body": "I need it **too**."}, headers=headers)

    place = answer.headers["HX-Redirect"] if headers else answer.location
    assert answer.status_code == (204 if headers else 303)
    page = browser.get(place.partition("#")[0]).text
    assert "<strong>too</strong>" in page
    assert f'id="{place.partition("#")[2]}"' in page


@either_way
def test_nothing_said_is_shown_again_with_what_is_missing(browse, headers):
    idea = make_idea()

    answer = browse(make_user()).post(f"/ideas/{idea.id}/comments", data={"body": " "}, headers=headers)

    assert answer.status_code == 422
    assert "Write something first." in answer.text
    assert ("<html" in answer.text) is not bool(headers)
    assert count(Comment) == 0


@either_way
def test_a_reply_needs_something_to_answer_here(browse, headers):
    idea, elsewhere = make_idea(), make_comment()
    browser = browse(make_user())

    answers = {
        str(wrong): browser.post(
            f"/ideas/{idea.id}/comments", data={"body": "Yes!", "reply_to": wrong}, headers=headers
        )
        for wrong in (elsewhere.id, 987_654, "x", "-1", "1.5")
    }

    assert {answer.status_code for answer in answers.values()} == {404}


@either_way
def test_marking_as_helpful_is_shown_on_the_button(browse, headers):
    comment, person = make_comment(), make_user()
    browser = browse(person)

    on = browser.post(f"/comments/{comment.id}/helpful", headers=headers, follow_redirects=True)
    off = browser.post(f"/comments/{comment.id}/helpful/withdraw", headers=headers, follow_redirects=True)

    assert 'aria-pressed="true"' in on.text
    assert f"/comments/{comment.id}/helpful/withdraw" in on.text
    assert f'"/comments/{comment.id}/helpful"' in off.text
    assert count(Helpful) == 0


@either_way
def test_an_author_edits_and_takes_back(browse, headers):
    comment = make_comment(body="Before")
    browser = browse(comment.author)

    form = browser.get(f"/comments/{comment.id}/edit", headers=headers)
    wrong = browser.post(f"/comments/{comment.id}/edit", data={"body": ""}, headers=headers)
    right = browser.post(f"/comments/{comment.id}/edit", data={"body": "After"}, headers=headers)
    sure = browser.get(f"/comments/{comment.id}/delete", headers=headers)
    gone = browser.post(f"/comments/{comment.id}/delete", headers=headers)

    done = 204 if headers else 303
    assert [answer.status_code for answer in (form, wrong, right, sure, gone)] == [200, 422, done, 200, done]
    assert "Before" in form.text
    assert "After" in sure.text
    db.session.rollback()
    assert comment.deleted_at
    assert "After" not in browser.get(f"/ideas/{comment.idea_id}").text


def test_a_moderator_removes_what_others_said_and_puts_no_words_in_their_mouth(browse):
    comment = make_comment(body="Before")
    moderator = browse(make_user(Role.MODERATOR))

    edited = moderator.post(f"/comments/{comment.id}/edit", data={"body": "After"})
    removed = moderator.post(f"/comments/{comment.id}/delete")

    assert (edited.status_code, removed.status_code) == (403, 303)


def test_what_is_gone_is_not_edited_answered_or_thanked_for(browse):
    comment, person = make_comment(), make_user()
    author = browse(comment.author)
    author.post(f"/comments/{comment.id}/delete")

    assert author.post(f"/comments/{comment.id}/edit", data={"body": "Back"}).status_code == 403
    reply = {"body": "Yes", "reply_to": comment.id}
    assert browse(person).post(f"/ideas/{comment.idea_id}/comments", data=reply).status_code == 404
    browse(person).post(f"/comments/{comment.id}/helpful")
    assert count(Helpful) == 0


@either_way
def test_a_closed_discussion_says_so_and_keeps_what_is_there(browse, headers):
    idea = make_idea(status=Status.CONFIRMED)

    answer = browse(make_user()).post(f"/ideas/{idea.id}/comments", data={"body": "But"}, headers=headers)

    assert answer.status_code == 409
    assert "discussion is closed" in answer.text
    assert ("<html" in answer.text) is not bool(headers)


def test_the_same_words_sent_twice_at_once_make_no_error(browse):
    idea, person = make_idea(), make_user()
    browser = browse(person)

    answers = [browser.post(f"/ideas/{idea.id}/comments", data={"body": "Me too."}) for _ in range(2)]

    assert {answer.status_code for answer in answers} == {303}
    db.session.rollback()
    assert idea.comments == count(Comment)


def count(table: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0
