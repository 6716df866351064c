"""Merging: a link that can be taken back, through which nobody's vote is lost or counted twice."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.errors import Refusal
from portal.ideas import service, supporters
from portal.ideas.merging import CannotMerge, check_merge, undo_merge
from portal.ideas.models import Idea, Vote
from portal.ideas.moves import move_idea
from portal.ideas.steps import DetailMissing, MoveDetails, MoveNotAllowed
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user, make_votes, move_to

pytestmark = pytest.mark.usefixtures("app")


def merge(idea: Idea, main: Idea, pm: Any = None) -> None:
    with transaction():
        move_idea(idea, Status.MERGED, pm or make_user(Role.PM), MoveDetails(into=main))


def state_of(idea: Idea) -> tuple[Any, ...]:
    db.session.refresh(idea)
    voters = set(db.session.scalars(select(Vote.voter_id).where(Vote.idea_id == idea.id)))
    return (idea.status, idea.status_since, idea.due_at, idea.votes, idea.merged_into_id, idea.comments, voters)


def test_people_behind_both_count_once_on_the_main_idea():
    idea, main = make_idea(), make_idea()
    both = make_votes(idea, 3)
    make_votes(main, 2)
    for person in both[:2]:
        with transaction():
            service.cast_vote(main, person)

    merge(idea, main)

    assert (idea.votes, main.votes) == (4, 7)
    assert main.votes == supporters.count_supporters(main)
    assert supporters.is_behind(main, both[2])


def test_taking_a_merge_back_restores_exactly_what_was():
    board = make_board()
    idea, main = make_idea(board=board), make_idea(board=board)
    make_votes(idea, 2)
    move_to(idea, Status.UNDER_REVIEW)
    before = state_of(idea), state_of(main), board.ideas

    merge(idea, main)
    counted = board.ideas
    with transaction():
        undo_merge(idea, make_user(Role.PM), "They are not the same.")

    db.session.refresh(board)
    assert counted == 1
    assert (state_of(idea), state_of(main), board.ideas) == before


def test_a_vote_given_to_the_main_idea_meanwhile_stays_there():
    idea, main, voter = make_idea(), make_idea(), make_user()
    merge(idea, main)

    with transaction():
        service.cast_vote(idea, voter)  # who votes on the merged idea votes for the main one
    with transaction():
        undo_merge(idea, make_user(Role.PM), "They are not the same.")

    assert (idea.votes, main.votes) == (1, 2)
    assert supporters.is_behind(main, voter)
    assert not supporters.is_behind(idea, voter)


def test_a_vote_withdrawn_meanwhile_is_withdrawn_from_both():
    idea, main = make_idea(), make_idea()
    [voter] = make_votes(idea, 1)
    merge(idea, main)

    with transaction():
        service.withdraw_vote(main, voter)

    assert (idea.votes, main.votes) == (supporters.count_supporters(idea), supporters.count_supporters(main)) == (1, 2)
    with transaction():
        undo_merge(idea, make_user(Role.PM), "They are not the same.")
    assert (idea.votes, main.votes) == (1, 1)


def test_merging_into_a_merged_idea_joins_its_main_one():
    idea, between, main = make_idea(), make_idea(), make_idea()
    merge(between, main)

    merge(idea, between)

    assert idea.merged_into_id == main.id
    assert main.votes == 3


def test_an_idea_that_covers_others_is_not_merged_away():
    idea, main, another = make_idea(), make_idea(), make_idea()
    merge(idea, main)

    with pytest.raises(CannotMerge):
        merge(main, another)


def test_an_idea_is_not_merged_into_itself_nor_into_what_is_out_of_sight():
    idea = make_idea()

    for main in (idea, make_idea(publication=Publication.HIDDEN), make_idea(publication=Publication.HELD)):
        with pytest.raises(CannotMerge):
            merge(idea, main)

    assert idea.status is Status.NEW


def test_a_main_idea_that_was_merged_a_moment_ago_is_none():
    """Two people merge at once: the second one waited for the lock, and finds the main idea gone elsewhere."""
    pm, idea, main, other = make_user(Role.PM), make_idea(), make_idea(), make_idea()
    with transaction():
        move_idea(main, Status.MERGED, pm, MoveDetails(into=other))

    with pytest.raises(CannotMerge):
        check_merge(idea, main)


def test_a_reason_has_a_longest_length():
    pm, idea, main = make_user(Role.PM), make_idea(), make_idea()

    with pytest.raises(Refusal), transaction():
        move_idea(idea, Status.MERGED, pm, MoveDetails(into=main, reason="x" * 20_001))
    with pytest.raises(Refusal), transaction():
        service.hide_idea(idea, pm, "x" * 20_001)

    assert (idea.status, idea.is_published) == (Status.NEW, True)


def test_only_a_merge_is_taken_back_and_only_with_a_reason():
    idea, main, pm = make_idea(), make_idea(), make_user(Role.PM)

    with pytest.raises(MoveNotAllowed), transaction():
        undo_merge(idea, pm, "It never was one.")
    merge(idea, main)
    with pytest.raises(DetailMissing), transaction():
        undo_merge(idea, pm, " ")

    assert idea.merged_into_id == main.id


def test_whoever_comes_to_the_merged_idea_is_shown_the_main_one(browse):
    idea, main, reader = make_idea("Name my routes"), make_idea("Give every route a name"), make_user()
    merge(idea, main)

    page = browse(reader).get(f"/ideas/{idea.id}")
    listed = browse().get("/")

    assert "Give every route a name" in page.text
    assert f"/ideas/{main.id}/vote" in page.text
    assert f"/ideas/{idea.id}/vote" not in page.text
    assert "Name my routes" not in listed.text


@pytest.mark.parametrize("why", ["on a staff board", "hidden"])
def test_s05_a_main_idea_that_one_may_not_know_of_is_not_named(browse, why):
    idea, main, reader = make_idea("Name my routes"), make_idea("Marker Zebra"), make_user()
    merge(idea, main)
    with transaction(wake=False):
        if why == "hidden":
            main.publication = Publication.HIDDEN
        else:
            main.board_id = make_board("Inside", Audience.STAFF).id

    shown = [browse(person).get(f"/ideas/{idea.id}") for person in (None, reader)]
    history = browse(reader).get(f"/ideas/{idea.id}/history")
    found = browse(reader).get("/?who=voted&status=all")

    assert [page.status_code for page in shown] == [200, 200]
    assert all("Marker Zebra" not in page.text and f"/ideas/{main.id}" not in page.text for page in shown)
    assert "Marker Zebra" not in history.text + found.text


@pytest.mark.parametrize("why", ["on a staff board", "hidden"])
def test_s05_a_merged_idea_that_one_may_not_know_of_is_not_named(browse, why):
    idea, main, reader = make_idea("Marker Zebra"), make_idea("Give every route a name"), make_user()
    merge(idea, main)
    with transaction(wake=False):
        if why == "hidden":
            idea.publication = Publication.HIDDEN
        else:
            idea.board_id = make_board("Inside", Audience.STAFF).id

    shown = [browse(person).get(f"/ideas/{main.id}") for person in (None, reader)]

    assert all(page.status_code == 200 and "Marker Zebra" not in page.text for page in shown)
    assert all(f'/ideas/{idea.id}"' not in page.text for page in shown)


def test_nobody_votes_for_what_they_may_not_know_of_through_a_merged_idea(browse):
    idea, main, reader = make_idea(), make_idea(board=make_board("Inside", Audience.STAFF)), make_user()
    merge(idea, main)

    answer = browse(reader).post(f"/ideas/{idea.id}/vote")

    db.session.rollback()
    assert answer.status_code == 404
    assert db.session.get(Vote, (main.id, reader.id)) is None
