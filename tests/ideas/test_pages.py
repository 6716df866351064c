"""The pages of ideas, and what can be done on them, by htmx and without."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.ideas.models import Draft, Idea, Revision, Vote
from portal.ideas.moves import MoveDetails, move_idea
from portal.ideas.workflow import Publication, Status
from portal.search import index
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_user
from tests.support import either_way

pytestmark = pytest.mark.usefixtures("app")

WORDS = {
    "title": "Let me name my routes",
    "need": "Today they have numbers, and I forget which is which.",
    "proposal": "A name beside the number.",
    "board": "",
    "follow": "y",
    "checked": "1",
}


@pytest.fixture
def boards() -> tuple[Any, Any]:
    return make_board("Maps"), make_board("Account")


def only_idea() -> Idea:
    db.session.rollback()
    return db.session.scalars(select(Idea)).one()


def number_of(table: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


# Posting


@either_way
def test_a_member_posts_an_idea_and_sees_it(browse, boards, headers):
    browser = browse(make_user())

    answer = browser.post("/ideas", data=WORDS | {"board": boards[1].slug}, headers=headers)

    assert answer.status_code == (204 if headers else 303)
    page = browser.get(answer.headers["HX-Redirect"] if headers else answer.location).text
    assert "Let me name my routes" in page
    assert "A name beside the number." in page
    idea = only_idea()
    assert (idea.board_id, idea.votes, idea.publication) == (boards[1].id, 1, Publication.PUBLISHED)


@either_way
def test_what_is_missing_is_said_beside_what_was_typed(browse, boards, headers):
    answer = browse(make_user()).post("/ideas", data=WORDS | {"title": "Hm"}, headers=headers)

    assert answer.status_code == 422
    assert "short sentence" in answer.text
    assert WORDS["need"] in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert number_of(Idea) == 0


def test_a_first_idea_waits_for_a_moderator_and_its_author_is_told_so(browse, boards):
    newcomer = make_user(trusted_at=None)
    browser = browse(newcomer)

    page = browser.post("/ideas", data=WORDS, follow_redirects=True)

    idea = only_idea()
    assert idea.publication is Publication.HELD
    assert "A moderator looks at first ideas" in page.text
    assert browse().get(f"/ideas/{idea.id}").status_code == 404
    assert browse(make_user()).get(f"/ideas/{idea.id}").status_code == 404
    assert browse(make_user(Role.MODERATOR)).get(f"/ideas/{idea.id}").status_code == 200


@pytest.mark.settings(HOLD_FIRST_POST=False)
def test_a_portal_that_holds_nothing_publishes_at_once(browse, boards):
    browse(make_user(trusted_at=None)).post("/ideas", data=WORDS)

    assert only_idea().publication is Publication.PUBLISHED


def test_nobody_posts_on_a_board_that_is_not_theirs_to_know(browse, boards):
    inside = make_board("Inside", Audience.STAFF)

    answer = browse(make_user()).post("/ideas", data=WORDS | {"board": inside.slug})

    assert answer.status_code == 422
    assert number_of(Idea) == 0


def test_the_board_is_guessed_from_where_similar_ideas_are(browse, boards):
    for title in ("Give names to routes", "Routes with a name of my own", "Name the routes I walk"):
        make_idea(title, board=boards[1], need="Routes have numbers and no name.")
    slug = boards[1].slug
    index.rebuild()

    browse(make_user()).post("/ideas", data=WORDS | {"title": "Let me give my routes a name"})

    db.session.rollback()
    newest = db.session.scalars(select(Idea).order_by(Idea.id.desc()).limit(1)).one()
    assert newest.board.slug == slug


def test_similar_ideas_are_shown_before_the_first_post_and_not_again(browse, boards):
    make_idea("Let me name my routes", need="Today they have numbers, and I forget which is which.")
    index.rebuild()
    browser = browse(make_user())

    asked = browser.post("/ideas", data=WORDS | {"checked": ""})
    between = number_of(Idea)
    posted = browser.post("/ideas", data=WORDS)

    assert (asked.status_code, between, posted.status_code) == (200, 1, 303)
    assert "Is it one of these?" in asked.text
    assert 'name="checked" value="1"' in asked.text


def test_the_form_sent_twice_is_no_error(browse, boards):
    browser = browse(make_user())

    answers = [browser.post("/ideas", data=WORDS).status_code for _ in range(2)]

    assert answers == [303, 303]


# Drafts


@either_way
def test_what_is_typed_is_kept_until_it_is_posted_or_thrown_away(browse, boards, headers):
    browser = browse(make_user())

    saved = browser.post("/ideas/draft", data=WORDS, headers=headers)
    found = browser.get("/ideas/new").text
    thrown = browser.post("/ideas/draft/discard", headers=headers)

    assert saved.status_code == (200 if headers else 303)
    assert WORDS["need"] in found
    assert thrown.status_code == (204 if headers else 303)
    assert number_of(Draft) == 0


def test_posting_uses_the_draft_up_and_nobody_else_sees_it(browse, boards):
    author = make_user()
    browse(author).post("/ideas/draft", data=WORDS)

    others = browse(make_user()).get("/ideas/new").text
    browse(author).post("/ideas", data=WORDS)

    assert WORDS["need"] not in others
    assert number_of(Draft) == 0


def test_an_empty_draft_is_none(browse):
    browser = browse(make_user())
    browser.post("/ideas/draft", data=WORDS)

    browser.post("/ideas/draft", data={"title": " ", "need": "", "proposal": ""})

    assert number_of(Draft) == 0


# Reading


def test_a_visitor_reads_an_idea_with_its_trail_answer_and_discussion(browse):
    pm, idea = (
        make_user(Role.PM, team="Maps team"),
        make_idea("Offline maps", need="There is no signal on the **fells**."),
    )
    make_comment(idea, body="I need it too.")
    with transaction():
        move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))
    with transaction():
        move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="We build it.", expected="June"))

    page = browse().get(f"/ideas/{idea.id}").text

    for words in (
        "Offline maps",
        "<strong>fells</strong>",
        "We build it.",
        "Maps team",
        "I need it too.",
        "Planned",
        "June",
    ):
        assert words in page
    assert pm.email not in page
    assert idea.author.email not in page


def test_what_is_late_is_called_late(browse):
    idea = make_idea(due_at=utcnow() - timedelta(days=2))

    assert "are late" in browse().get(f"/ideas/{idea.id}").text


def test_a_visitors_vote_is_a_link_to_sign_in_and_a_members_a_button(browse):
    idea = make_idea()

    guest, member = browse().get(f"/ideas/{idea.id}").text, browse(make_user()).get(f"/ideas/{idea.id}").text

    assert f"/sign-in?next=/ideas/{idea.id}&amp;then=vote" in guest
    assert f'action="/ideas/{idea.id}/vote"' in member
    assert f'action="/ideas/{idea.id}/vote"' not in guest


def test_an_observer_sees_and_takes_no_part(browse):
    idea = make_idea()
    observer = browse(make_user(Role.OBSERVER))

    page = observer.get(f"/ideas/{idea.id}").text

    assert f'action="/ideas/{idea.id}/vote"' not in page
    assert observer.post(f"/ideas/{idea.id}/vote").status_code == 403


def test_earlier_wording_stays_readable(browse):
    idea = make_idea("Offline maps", need="There is no signal up there.")
    browse(idea.author).post(f"/ideas/{idea.id}/edit", data={"title": "Maps without a signal", "need": idea.need})

    history = browse().get(f"/ideas/{idea.id}/history").text

    assert "Offline maps" in history
    assert number_of(Revision) == 1


# Acting


@either_way
def test_a_vote_and_its_withdrawal_are_shown_on_the_button(browse, headers):
    idea, voter = make_idea(), make_user()
    browser = browse(voter)

    on = browser.post(f"/ideas/{idea.id}/vote", headers=headers, follow_redirects=True)
    off = browser.post(f"/ideas/{idea.id}/vote/withdraw", headers=headers, follow_redirects=True)

    assert 'aria-pressed="true"' in on.text
    assert f'action="/ideas/{idea.id}/vote/withdraw"' in on.text
    assert f'action="/ideas/{idea.id}/vote"' in off.text
    assert number_of(Vote) == 1  # the author's


@either_way
def test_following_and_its_end_are_shown_on_the_button(browse, headers):
    idea = make_idea()
    browser = browse(make_user())

    on = browser.post(f"/ideas/{idea.id}/follow", headers=headers, follow_redirects=True)
    off = browser.post(f"/ideas/{idea.id}/unfollow", headers=headers, follow_redirects=True)

    assert f'action="/ideas/{idea.id}/unfollow"' in on.text
    assert f'action="/ideas/{idea.id}/follow"' in off.text


@either_way
@pytest.mark.parametrize("act", ["vote", "vote/withdraw"])
def test_an_idea_that_takes_no_votes_says_why(browse, headers, act):
    idea = make_idea(status=Status.SHIPPED)

    answer = browse(make_user()).post(f"/ideas/{idea.id}/{act}", headers=headers)

    assert answer.status_code == 409
    assert "Voting is closed" in answer.text
    assert ("<html" in answer.text) is not bool(headers)


@either_way
def test_an_author_edits_while_the_idea_is_open(browse, headers):
    idea = make_idea()
    browser = browse(idea.author)

    wrong = browser.post(f"/ideas/{idea.id}/edit", data={"title": "", "need": ""}, headers=headers)
    right = browser.post(f"/ideas/{idea.id}/edit", data=WORDS, headers=headers)
    with transaction():
        idea.status = Status.PLANNED
    late = browser.post(f"/ideas/{idea.id}/edit", data=WORDS, headers=headers)

    assert [answer.status_code for answer in (wrong, right, late)] == [422, 204 if headers else 303, 403]
    db.session.rollback()
    assert idea.title == WORDS["title"]


@either_way
def test_an_author_takes_an_idea_back_while_nobody_is_behind_it(browse, headers):
    alone, shared = make_idea(), make_idea()
    make_comment(shared)

    sure = browse(alone.author).get(f"/ideas/{alone.id}/remove", headers=headers)
    gone = browse(alone.author).post(f"/ideas/{alone.id}/remove", headers=headers)
    kept = browse(shared.author).post(f"/ideas/{shared.id}/remove", headers=headers)

    assert [answer.status_code for answer in (sure, gone, kept)] == [200, 204 if headers else 303, 409]
    assert "theirs too" in kept.text
    db.session.rollback()
    assert (alone.publication, shared.publication) == (Publication.REMOVED, Publication.PUBLISHED)


def test_asking_first_changes_nothing_whatever_the_verb(browse):
    idea = make_idea()
    comment = make_comment()

    browse(idea.author).head(f"/ideas/{idea.id}/remove")
    browse(comment.author).head(f"/comments/{comment.id}/delete")

    db.session.rollback()
    assert idea.is_published
    assert comment.deleted_at is None
