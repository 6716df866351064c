"""What holds whatever people do, in whatever order and however many at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.comments import service as comments
from portal.comments.models import Comment, Helpful
from portal.db import db
from portal.errors import Refusal
from portal.events import EventRecord
from portal.ideas import followers, service, supporters
from portal.ideas.merging import undo_merge
from portal.ideas.models import Follow, Idea, Vote
from portal.ideas.moves import MoveDetails, change_board, move_idea
from portal.ideas.promises import running
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_user
from tests.support.side_by_side import at_once

pytestmark = pytest.mark.usefixtures("app")

PEOPLE, IDEAS, BOARDS = 4, 4, 2
people, numbers, boards = (st.integers(0, count - 1) for count in (PEOPLE, IDEAS, BOARDS))


class Community(RuleBasedStateMachine):
    """A few people and ideas, to whom anything may happen that the portal lets happen."""

    def __init__(self) -> None:
        super().__init__()
        self.boards = [make_board().id for _ in range(BOARDS)]
        self.people = [make_user().id for _ in range(PEOPLE)]
        self.pm = make_user(Role.ADMIN).id
        self.ideas = [
            make_idea(author=self.user(number), board=db.session.get_one(Board, self.boards[number % BOARDS])).id
            for number in range(IDEAS)
        ]
        self.before_merge: dict[int, tuple[Any, ...]] = {}

    def user(self, number: int) -> User:
        return db.session.get_one(User, self.people[number])

    def idea(self, number: int) -> Idea:
        return db.session.get_one(Idea, self.ideas[number])

    def act(self, change: Callable[[], Any]) -> bool:
        """Do something in a transaction; whether the portal let it happen."""
        with suppress(Refusal):
            with transaction(wake=False):
                change()
            return True
        return False

    @rule(number=numbers, person=people)
    def vote(self, number: int, person: int) -> None:
        self.act(lambda: service.cast_vote(self.idea(number), self.user(person)))

    @rule(number=numbers, person=people)
    def withdraw(self, number: int, person: int) -> None:
        if self.act(lambda: service.withdraw_vote(self.idea(number), self.user(person))):
            assert not supporters.is_behind(self.idea(number), self.user(person))

    @rule(number=numbers, person=people)
    def follow(self, number: int, person: int) -> None:
        self.act(lambda: service.follow(self.idea(number), self.user(person)))
        assert followers.follows(self.idea(number), self.user(person))

    @rule(number=numbers, person=people)
    def unfollow(self, number: int, person: int) -> None:
        self.act(lambda: service.unfollow(self.idea(number), self.user(person)))
        assert not followers.follows(self.idea(number), self.user(person))

    @rule(number=numbers, person=people)
    def comment(self, number: int, person: int) -> None:
        self.act(lambda: comments.post_comment(self.idea(number), self.user(person), "One word more."))

    @rule(number=numbers, person=people)
    def take_words_back(self, number: int, person: int) -> None:
        newest = select(Comment).where(Comment.idea_id == self.ideas[number]).order_by(Comment.id.desc()).limit(1)
        if comment := db.session.scalar(newest):
            self.act(lambda: comments.mark_helpful(comment, self.user(person)))
            self.act(lambda: comments.delete_comment(comment, self.user(person)))

    @rule(number=numbers, main=numbers)
    def merge(self, number: int, main: int) -> None:
        idea, into = self.idea(number), self.idea(main)
        before = self.state_of(idea)
        pm = db.session.get_one(User, self.pm)
        if self.act(lambda: move_idea(idea, Status.MERGED, pm, MoveDetails(into=into))):
            self.before_merge[number] = before

    @rule(number=numbers)
    def undo(self, number: int) -> None:
        idea, pm = self.idea(number), db.session.get_one(User, self.pm)
        votes = set(db.session.scalars(select(Vote.voter_id).where(Vote.idea_id == idea.id)))
        if self.act(lambda: undo_merge(idea, pm, "They are not the same.")):
            assert self.state_of(idea) == self.before_merge.pop(number)
            assert votes == set(db.session.scalars(select(Vote.voter_id).where(Vote.idea_id == idea.id)))
        else:
            assert idea.status is not Status.MERGED

    @rule(
        number=numbers, status=st.sampled_from([Status.UNDER_REVIEW, Status.PLANNED, Status.NOT_NOW, Status.DECLINED])
    )
    def move(self, number: int, status: Status) -> None:
        pm = db.session.get_one(User, self.pm)
        said = MoveDetails(answer="So be it.", reason="So be it.", reversal="Ten more.", owner=pm)
        self.act(lambda: move_idea(self.idea(number), status, pm, said))

    @rule(number=numbers, board=boards)
    def change_board(self, number: int, board: int) -> None:
        where, pm = db.session.get_one(Board, self.boards[board]), db.session.get_one(User, self.pm)
        self.act(lambda: change_board(self.idea(number), where, pm))

    @rule(number=numbers)
    def hide(self, number: int) -> None:
        self.act(lambda: service.hide_idea(self.idea(number), db.session.get_one(User, self.pm), "It names a person."))

    @precondition(lambda self: self.ideas)
    @rule(number=numbers)
    def publish(self, number: int) -> None:
        self.act(lambda: service.publish_idea(self.idea(number), db.session.get_one(User, self.pm)))

    @invariant()
    def counters_equal_rows(self) -> None:
        db.session.rollback()
        for idea in db.session.scalars(select(Idea).where(Idea.id.in_(self.ideas))):
            assert idea.votes == supporters.count_supporters(idea)
            assert idea.comments == count(Comment, Comment.idea_id == idea.id, Comment.deleted_at.is_(None))
            assert (idea.status is Status.MERGED) == (idea.merged_into_id is not None)
            assert idea.merged_into is None or idea.merged_into.merged_into_id is None
        for board in db.session.scalars(select(Board).where(Board.id.in_(self.boards))):
            shown = (Idea.publication == Publication.PUBLISHED, Idea.status != Status.MERGED)
            assert board.ideas == count(Idea, Idea.board_id == board.id, *shown)
        for comment in db.session.scalars(select(Comment)):
            assert comment.helpful == count(Helpful, Helpful.comment_id == comment.id)

    @invariant()
    def the_ledger_says_what_ideas_say(self) -> None:
        owing = {Status.NEW, Status.UNDER_REVIEW, Status.PLANNED}
        for idea in db.session.scalars(select(Idea).where(Idea.id.in_(self.ideas), Idea.due_at.is_not(None))):
            promise = running(idea)
            if promise is not None:
                assert promise.due_at == idea.due_at
            assert not idea.is_published or idea.status not in owing or promise is not None

    @invariant()
    def voters_follow_or_chose_not_to(self) -> None:
        reasons = select(Follow.is_voter | Follow.muted).join(
            Vote, (Vote.idea_id == Follow.idea_id) & (Vote.voter_id == Follow.user_id)
        )
        assert all(db.session.scalars(reasons))

    def state_of(self, idea: Idea) -> tuple[Any, ...]:
        db.session.refresh(idea)
        return idea.status, idea.status_since, idea.due_at, idea.merged_into_id


def count(table: Any, *conditions: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def test_s55_counters_equal_rows_whatever_happens(app):
    run_state_machine_as_test(
        Community,
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )


# At once


def test_s55_votes_at_the_same_moment_are_all_counted(app):
    idea_id, voters = make_idea().id, [make_user().id for _ in range(8)]

    def vote(voter: int) -> None:
        for _ in range(2):
            with transaction():
                service.cast_vote(db.session.get_one(Idea, idea_id), db.session.get_one(User, voter))

    problems = at_once(app, [lambda voter=voter: vote(voter) for voter in [*voters, *voters]])

    assert problems == []
    idea = db.session.get_one(Idea, idea_id)
    assert idea.votes == supporters.count_supporters(idea) == 9
    assert count(EventRecord, EventRecord.name == "idea.vote_cast") == 8


def test_s55_votes_by_form_at_the_same_moment_are_all_counted(app, browse):
    idea_id, browsers = make_idea().id, [browse(make_user()) for _ in range(6)]
    answers = []

    problems = at_once(
        app,
        [lambda browser=browser: answers.append(browser.post(f"/ideas/{idea_id}/vote")) for browser in browsers * 2],
    )

    assert problems == []
    assert [answer.status_code for answer in answers] == [303] * 12
    assert db.session.get_one(Idea, idea_id).votes == 7


def test_s55_votes_withdrawals_comments_and_a_merge_at_the_same_moment_leave_counters_true(app):
    ideas = [make_idea().id for _ in range(2)]
    voters, pm = [make_user().id for _ in range(4)], make_user(Role.PM).id

    def busy(person: int) -> None:
        for turn in range(4):
            with suppress(Refusal), transaction():
                idea, voter = db.session.get_one(Idea, ideas[turn % 2]), db.session.get_one(User, person)
                (service.withdraw_vote if turn == 2 else service.cast_vote)(idea, voter)
            with suppress(Refusal), transaction():
                comments.post_comment(
                    db.session.get_one(Idea, ideas[turn % 2]), db.session.get_one(User, person), "Me."
                )

    def join() -> None:
        with transaction():
            into = MoveDetails(into=db.session.get_one(Idea, ideas[1]))
            move_idea(db.session.get_one(Idea, ideas[0]), Status.MERGED, db.session.get_one(User, pm), into)
        with transaction():
            undo_merge(db.session.get_one(Idea, ideas[0]), db.session.get_one(User, pm), "They are not.")

    problems = at_once(app, [*(lambda voter=voter: busy(voter) for voter in voters), join])

    assert problems == []
    for idea_id in ideas:
        idea = db.session.get_one(Idea, idea_id)
        assert idea.votes == supporters.count_supporters(idea)
        assert idea.comments == count(Comment, Comment.idea_id == idea_id)


def test_s55_thanks_at_the_same_moment_are_all_counted(app):
    comment_id, people = make_comment().id, [make_user().id for _ in range(6)]

    def thank(person: int) -> None:
        with transaction():
            comments.mark_helpful(db.session.get_one(Comment, comment_id), db.session.get_one(User, person))

    problems = at_once(app, [lambda person=person: thank(person) for person in people * 2])

    assert problems == []
    assert db.session.get_one(Comment, comment_id).helpful == 6


def test_s56_of_two_decisions_at_the_same_moment_one_is_made(app):
    idea_id, pm = make_idea().id, make_user(Role.PM).id

    def decide(target: Status) -> None:
        with transaction():
            details = MoveDetails(answer="So be it.", reversal="Ten more.")
            move_idea(db.session.get_one(Idea, idea_id), target, db.session.get_one(User, pm), details)

    problems = at_once(app, [lambda: decide(Status.DECLINED), lambda: decide(Status.AVAILABLE)])

    assert len(problems) == 1
    assert isinstance(problems[0], Refusal)
    assert count(EventRecord, EventRecord.name == "idea.moved") == 1


def test_s56_of_two_ideas_merged_into_each_other_at_the_same_moment_one_stays(app):
    pm, voter = make_user(Role.PM).id, make_user().id
    for _ in range(3):
        ids = [make_idea().id for _ in range(2)]

        def join(one: int, other: int) -> None:
            with transaction():
                into = MoveDetails(into=db.session.get_one(Idea, other))
                move_idea(db.session.get_one(Idea, one), Status.MERGED, db.session.get_one(User, pm), into)

        def vote(idea_id: int) -> None:
            with transaction():
                service.cast_vote(db.session.get_one(Idea, idea_id), db.session.get_one(User, voter))

        problems = at_once(app, [
            partial(join, *ids), partial(join, *reversed(ids)), partial(vote, ids[0]), partial(vote, ids[1]),
        ])  # fmt: skip

        assert all(isinstance(problem, Refusal) for problem in problems), problems
        assert 1 <= len(problems) <= 2  # a vote may find its idea closed by the merge
        merged, main = sorted(
            (db.session.get_one(Idea, idea_id) for idea_id in ids), key=lambda i: not i.merged_into_id
        )
        assert (merged.merged_into_id, main.merged_into_id) == (main.id, None)
        assert [main.votes, merged.votes] == [supporters.count_supporters(idea) for idea in (main, merged)]
