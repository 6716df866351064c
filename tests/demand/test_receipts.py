"""Backing an idea that exists instead of posting it again, and the receipt that is left."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.comments.models import Comment
from portal.db import db
from portal.demand import queries, service
from portal.demand.models import Origin, Receipt, Way
from portal.errors import Refusal
from portal.events import EventRecord
from portal.ideas import moves
from portal.ideas import service as ideas
from portal.ideas.merging import undo_merge
from portal.ideas.models import Draft, Vote
from portal.ideas.moves import MoveDetails
from portal.ideas.objections import object_to_merge
from portal.ideas.supporters import Ballot
from portal.ideas.workflow import Status
from portal.search import index
from portal.transactions import transaction
from tests.factories import PASSWORD, make_board, make_idea, make_place, make_user
from tests.support import either_way

pytestmark = pytest.mark.usefixtures("app")

TYPED = {"title": "Show me where I can sleep outside", "need": "I carry a tent for nothing.", "origin": "typed"}


def test_backing_instead_is_a_vote_a_comment_and_a_receipt_once_a_person():
    idea, person = make_idea(), make_user()

    for differs in ("Mine is about huts.", ""):
        with transaction():
            service.back_instead(
                idea, person, typed="Sleep outside", origin=Origin.STEP, differs=differs, words="Me too."
            )

    db.session.rollback()
    receipt = db.session.scalars(select(Receipt)).one()
    assert (receipt.typed, receipt.differs, receipt.origin, receipt.way) == (
        "Sleep outside",
        "Mine is about huts.",
        Origin.STEP,
        Way.VOTE,
    )
    assert idea.votes == 2
    named = db.session.scalars(select(EventRecord).where(EventRecord.name == "idea.backed_instead")).all()
    assert [(record.actor_id, record.data) for record in named] == [(person.id, {})]


def test_where_voting_is_closed_one_is_told_instead():
    idea, person = make_idea(status=Status.DECLINED), make_user()

    with transaction():
        service.back_instead(idea, person, typed="Sleep outside")

    assert db.session.get(Vote, (idea.id, person.id)) is None
    assert db.session.scalars(select(Receipt)).one().way is Way.FOLLOW


def test_authors_and_people_who_typed_nothing_leave_no_receipt():
    idea = make_idea()

    with transaction():
        service.back_instead(idea, idea.author, typed="Sleep outside")
        service.back_instead(idea, make_user(), typed=" ")

    assert db.session.scalar(select(Receipt)) is None


def test_a_line_that_is_too_long_is_refused_and_nothing_is_done():
    idea, person = make_idea(), make_user()

    with pytest.raises(Refusal), transaction():
        service.back_instead(idea, person, typed="Sleep outside", differs="x" * 301)

    assert idea.votes == 1


def test_receipts_count_people_once_through_merges_and_come_back_with_an_undo():
    board, pm = make_board(), make_user(Role.PM)
    main, copy = make_idea(board=board), make_idea("Sleep in the open", board=board)
    both, only = make_user(name="Both"), make_user(name="Only")
    with transaction():
        service.back_instead(main, both, typed="Sleep outside", differs="With a dog.")
        service.back_instead(copy, both, typed="Sleep in the open air")
        service.back_instead(copy, only, typed="Bivouac", differs="In winter.")
        moves.move_idea(copy, Status.MERGED, pm, MoveDetails(into=main))

    joined = queries.receipts_of(main, pm)
    with transaction():
        object_to_merge(copy, only)
    without_who_objects = queries.receipts_of(main, pm)
    with transaction():
        undo_merge(copy, pm, "They are not the same.")
    apart = queries.receipts_of(main, pm)

    assert (joined.people, joined.differing) == (2, 2)
    assert {(line.receipt.differs, line.through) for line in joined.lines} == {
        ("With a dog.", ""),
        ("In winter.", "Sleep in the open"),
    }
    assert (without_who_objects.people, without_who_objects.differing) == (1, 1)
    assert (apart.people, [line.receipt.differs for line in apart.lines]) == (1, ["With a dog."])
    assert queries.receipts_of(copy, pm).people == 2


def test_s05_what_came_with_a_merge_from_another_board_is_for_that_boards_team():
    main, copy = make_idea(board=make_board()), make_idea(board=make_board())
    here, pm = make_user(), make_user(Role.PM)
    make_place(main.board, here, Role.MODERATOR)
    with transaction():
        service.back_instead(copy, make_user(), typed="Sleep in the open air", differs="In winter.")
        moves.move_idea(copy, Status.MERGED, pm, MoveDetails(into=main))

    assert queries.receipts_of(main, pm).people == 1
    assert queries.receipts_of(main, here).people == 0


def test_a_receipt_goes_with_the_vote_and_when_its_author_posts_after_all(settle):
    idea, other, board = make_idea(), make_idea(), make_board()
    leaves, again, posts = make_user(), make_user(), make_user()
    with transaction():
        for person in (leaves, again, posts):
            service.back_instead(idea, person, typed="Sleep outside in a tent")
        service.back_instead(other, posts, typed="Draw the fences")
    with transaction():
        ideas.withdraw_vote(idea, leaves)
        ideas.withdraw_vote(idea, again)
        ideas.cast_vote(idea, again)
        ideas.submit_idea(posts, board, title="Let me sleep outside in my tent", need="I want to.")

    expected = {(idea.id, again.id), (other.id, posts.id)}

    settle()

    db.session.rollback()
    assert {(receipt.idea_id, receipt.user_id) for receipt in db.session.scalars(select(Receipt))} == expected


def test_s05_only_the_team_of_the_board_reads_receipts_and_observers_hide_none(browse):
    board = make_board(audience=Audience.PRIVATE)
    idea, person, elsewhere = make_idea(board=board), make_user(), make_user(Role.PM)
    team = make_user()
    make_place(board, person)
    make_place(board, team, Role.MODERATOR)
    watcher = make_user()
    make_place(board, watcher, Role.OBSERVER)
    with transaction():
        service.back_instead(idea, person, typed="quillsleep", differs="quilldog")

    pages = {who: browse(who).get(f"/ideas/{idea.id}").text for who in (person, elsewhere, team, watcher)}

    assert "1 person was about to post this" in pages[team]
    assert "quilldog" in pages[team] and "quillsleep" in pages[team]
    assert "quilldog" in pages[watcher] and "Hide the line" not in pages[watcher]
    assert all("quill" not in pages[who] for who in (person, elsewhere))
    assert "quilldog" in browse(person).get("/account/backed").text


def test_a_hidden_line_is_shown_to_its_author_and_can_be_shown_again(browse):
    idea, person, moderator = make_idea(), make_user(), make_user(Role.MODERATOR)
    with transaction():
        service.back_instead(idea, person, typed="Sleep outside", differs="Rude words.")
    staff = browse(moderator)

    def seen_after(act: str) -> tuple[int, int, int, int]:
        staff.post(f"/ideas/{idea.id}/receipts/{person.id}/{act}")
        db.session.rollback()
        found = queries.receipts_of(idea, moderator)
        return found.people, found.differing, len(found.lines), len(found.hidden)

    assert seen_after("hide") == (1, 0, 0, 1)
    assert "Hidden by the team" in browse(person).get("/account/backed").text
    assert seen_after("show") == (1, 1, 1, 0)


@either_way
def test_a_vote_in_the_panel_offers_a_line_and_loses_nothing(browse, headers):
    idea, person = make_idea(), make_user()
    browser = browse(person)

    answer = browser.post(f"/ideas/{idea.id}/back/now", data=TYPED, headers=headers)

    db.session.rollback()
    assert db.session.get(Vote, (idea.id, person.id))
    assert db.session.scalars(select(Receipt)).one().typed == TYPED["title"]
    if headers:
        assert 'aria-pressed="true"' in answer.text and f'name="differs-{idea.id}"' in answer.text
        assert db.session.scalar(select(Draft)) is None
    else:
        assert answer.location == f"/ideas/{idea.id}/differs"
        assert db.session.get(Draft, person.id).need == TYPED["need"]  # the idea that was being written
    line = {f"differs-{idea.id}" if headers else "differs": "Mine is about huts."}
    browser.post(f"/ideas/{idea.id}/differs", data=line, headers=headers)
    db.session.rollback()
    assert db.session.scalars(select(Receipt)).one().differs == "Mine is about huts."


def test_what_was_typed_is_looked_over_and_goes_along_for_visitors_after_signing_in(browse):
    idea, person = make_idea(), make_user(with_password=True)
    visitor = browse()

    looked_over = visitor.post(f"/ideas/{idea.id}/back", data=TYPED)
    asked = visitor.post(
        f"/ideas/{idea.id}/back/now", data=TYPED | {"body": "I carry a tent.", "differs": "Mine is about huts."}
    )
    visitor.post(asked.location, data={"email": person.email, "password": PASSWORD})

    assert f"{TYPED['title']}\n\n{TYPED['need']}" in looked_over.text.replace("\r", "")
    assert asked.location.startswith("/sign-in")
    db.session.rollback()
    receipt = db.session.scalars(select(Receipt)).one()
    assert (receipt.user_id, receipt.typed, receipt.differs) == (person.id, TYPED["title"], "Mine is about huts.")
    assert db.session.scalars(select(Comment.body)).one() == "I carry a tent."


def test_only_the_draft_of_what_was_backed_is_discarded(browse):
    idea, person = make_idea(), make_user()
    browser = browse(person)

    def kept_after_backing(title: str) -> Any:
        with transaction():
            ideas.save_draft(person, title=title, need="", proposal="", board="")
        browser.post(f"/ideas/{idea.id}/back/now", data=TYPED | {"body": ""})
        db.session.rollback()
        return db.session.get(Draft, person.id)

    assert kept_after_backing("Something else entirely") is not None
    assert kept_after_backing(TYPED["title"]) is None


def test_the_panel_asks_for_receipts_once_however_many_ideas_it_shows():
    person = make_user()
    shown = [make_idea() for _ in range(4)]
    with transaction():
        service.back_instead(shown[2], person, typed="Sleep outside")

    found = queries.backings([Ballot(idea.id, idea.title, 1, False, True) for idea in shown], person, "Sleep")

    assert [backing.receipt is not None for backing in found.values()] == [False, False, True, False]
    assert [backing.first for backing in found.values()] == [True, False, False, False]


def test_a_merged_idea_that_is_like_the_one_typed_leads_to_its_main_idea(browse):
    board, pm = make_board(), make_user(Role.PM)
    main = make_idea("Sleep anywhere on the hill", board=board)
    copy = make_idea("Show where I can sleep outside in a tent", board=board)
    with transaction():
        moves.move_idea(copy, Status.MERGED, pm, MoveDetails(into=main))
    index.rebuild()

    page = browse(make_user()).get("/search/similar?title=Show where I can sleep outside in my tent").text

    assert f'href="/ideas/{main.id}"' in page and f'href="/ideas/{copy.id}"' not in page
    assert "Joined with it:" in page and "<mark>tent</mark>" in page
