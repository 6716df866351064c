"""Wording kept for answers: whose it is, what fills its gaps, and how it gets into an answer."""

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.talk import snippets
from portal.talk.models import Snippet
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user
from tests.support import either_way

pytestmark = pytest.mark.usefixtures("app")


def make_snippet(owner, name="Thanks", body="Thank you, {author}.", shared=False, board=None):
    with transaction():
        return snippets.save_snippet(owner, name, body, shared=shared, board_id=board.id if board else None)


@either_way
def test_wording_goes_below_what_was_written_and_nothing_is_published(browse, headers):
    pm, idea = make_user(Role.PM), make_idea("Mend [the] gate", author=make_user(name="Wanda Moor"))
    chosen = make_snippet(pm, body="Thank you, {author}, for “{title}” on {board}.")

    answer = browse(pm).post(
        f"/triage/first-look/{idea.id}/answer",
        data={"answer-seen": "new", "answer-answer": "Dear all,", "insert": "1", "snippet": chosen.id},
        headers=headers,
    )

    assert answer.status_code == 200
    assert f"Dear all,\n\nThank you, Wanda Moor, for “Mend \\[the\\] gate” on {idea.board.name}." in answer.text
    again = browse(pm).post(
        f"/triage/first-look/{idea.id}/answer",
        data={"answer-seen": "new", "answer-answer": "Dear all,", "insert": "1", "snippet": ""},
        headers=headers,
    )
    assert "Choose the wording first." in again.text and "Dear all," in again.text


def test_own_wording_is_nobody_elses_and_shared_wording_is_its_teams(browse):
    pm, other, board = make_user(Role.PM), make_user(Role.PM), make_board("Pacts", Audience.PRIVATE)
    helper = make_user()
    make_place(board, helper, Role.MODERATOR)
    make_snippet(pm, "Only mine")
    make_snippet(pm, "For all teams", shared=True)
    make_snippet(make_user(Role.ADMIN), "For pacts", shared=True, board=board)
    seen = {person: browse(person).get("/triage/snippets").text for person in (pm, other, helper)}

    names = ("Only mine", "For all teams", "For pacts")
    assert [[name in seen[person] for name in names] for person in (pm, other, helper)] == [
        [True, True, False],
        [False, True, False],
        [False, True, True],
    ]
    desk = browse(pm).get(f"/triage/first-look/{make_idea().id}").text
    assert "Only mine" in desk and "For pacts" not in desk


def test_who_decides_shares_and_changes_and_others_keep_their_own(browse):
    pm, moderator = make_user(Role.PM), make_user(Role.MODERATOR)
    words = {"name": "Warm", "body": "Thank you.", "whose": "everywhere"}

    assert browse(moderator).post("/triage/snippets", data=words).status_code == 403
    assert browse(moderator).post("/triage/snippets", data={**words, "whose": ""}).status_code == 303
    assert browse(pm).post("/triage/snippets", data=words).status_code == 303
    db.session.rollback()
    own, shared = db.session.scalars(select(Snippet).order_by(Snippet.id))
    assert (own.owner_id, shared.owner_id) == (moderator.id, None)
    assert browse(moderator).post(f"/triage/snippets/{shared.id}", data=words).status_code == 403
    assert browse(pm).get(f"/triage/snippets/{own.id}").status_code == 404
    browse(pm).post(f"/triage/snippets/{shared.id}", data={**words, "name": "Warmer"})
    assert "Warmer" in browse(moderator).get("/triage/snippets").text
    browse(pm).post(f"/triage/snippets/{shared.id}/delete")
    assert "Warmer" not in browse(moderator).get("/triage/snippets").text


def test_a_gap_that_nothing_fills_is_refused_with_what_was_typed(browse):
    answer = browse(make_user(Role.PM)).post(
        "/triage/snippets", data={"name": "Odd", "body": "Dear {autor}", "whose": ""}
    )

    assert answer.status_code == 422
    assert "Nothing fills {autor}" in answer.text and "Dear {autor}" in answer.text


def test_observers_keep_none_and_members_have_no_such_page(browse):
    assert [browse(make_user(role)).get("/triage/snippets").status_code for role in (Role.OBSERVER, Role.MEMBER)] == [
        403,
        403,
    ]
