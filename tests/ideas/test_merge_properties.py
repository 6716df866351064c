"""Merges, objections and undos in any order among everything else people do, against a model of a few sets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.comments import service as comments
from portal.db import db
from portal.doctor import records
from portal.errors import Refusal
from portal.ideas import followers, lists, merges, objections, service, supporters
from portal.ideas.merging import undo_merge
from portal.ideas.models import Follow, Idea, Vote
from portal.ideas.moves import move_idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user

pytestmark = pytest.mark.usefixtures("app")

PEOPLE, IDEAS = 3, 3
people, ideas = st.integers(0, PEOPLE - 1), st.integers(0, IDEAS - 1)
REASONS = ("is_author", "is_voter", "is_commenter", "by_choice")


class Model:
    """What should be true: who voted for what, who follows what and why, what is merged, who objects."""

    def __init__(self) -> None:
        self.votes = {(person, person) for person in range(IDEAS)}  # an author backs the idea posted
        self.follows = {(person, person): {"is_author", "is_voter"} for person in range(IDEAS)}
        self.muted: set[tuple[int, int]] = set()
        self.merged: dict[int, int] = {}
        self.followed_by_then: dict[int, set[int]] = {}
        self.objections: set[tuple[int, int]] = set()
        self.comments = dict.fromkeys(range(IDEAS), 0)

    def main(self, idea: int) -> int:
        return self.merged.get(idea, idea)

    def covered(self, main: int) -> list[int]:
        return [idea for idea, into in self.merged.items() if into == main]

    def counted(self, person: int, main: int) -> set[tuple[int, int]]:
        """The votes by which this person counts for an idea."""
        through = {(person, idea) for idea in self.covered(main)} - self.objections
        return ({(person, main)} | through) & self.votes

    def supporters(self, idea: int) -> set[int]:
        return {person for person in range(PEOPLE) if self.counted(person, idea)}

    def audience(self, idea: int) -> set[int]:
        def hears(person: int) -> bool:
            rows = {(person, idea)} | ({(person, one) for one in self.covered(idea)} - self.objections)
            return (person, idea) not in self.muted and any(
                self.follows.get(row) and row not in self.muted for row in rows
            )

        return {person for person in range(PEOPLE) if hears(person)}

    def may_object(self, person: int, idea: int) -> bool:
        told = person in self.followed_by_then.get(idea, ()) and (person, idea) not in self.muted
        follows = told and (person, idea) in self.follows
        return idea in self.merged and ((person, idea) in self.votes or person == idea or follows)

    def follow(self, person: int, idea: int, reason: str) -> None:
        self.follows.setdefault((person, idea), set()).add(reason)

    def withdraw(self, person: int, main: int) -> None:
        for row in self.counted(person, main):
            self.votes.discard(row)
            self.follows.get(row, set()).discard("is_voter")
            if not self.follows.get(row) and row not in self.muted:
                self.follows.pop(row, None)


class Merging(RuleBasedStateMachine):
    """Some people and ideas, to whom everything happens that bears on a merge."""

    def __init__(self) -> None:
        super().__init__()
        board = make_board()
        self.board, self.pm = board.id, make_user(Role.PM).id
        self.people = [make_user().id for _ in range(PEOPLE)]
        self.ideas = [make_idea(author=self.user(number), board=board).id for number in range(IDEAS)]
        self.model = Model()
        self.before: dict[int, tuple[Any, ...]] = {}

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

    def clocks(self, number: int) -> tuple[Any, ...]:
        idea = self.idea(number)
        return idea.status, idea.status_since, idea.due_at, idea.reminded_at, idea.expected, idea.review_on

    @rule(person=people, idea=ideas)
    def vote(self, person: int, idea: int) -> None:
        assert self.act(lambda: service.cast_vote(self.idea(idea), self.user(person)))
        main = self.model.main(idea)
        if (person, main) not in self.model.votes:
            self.model.votes.add((person, main))
            self.model.follow(person, main, "is_voter")

    @rule(person=people, idea=ideas)
    def withdraw(self, person: int, idea: int) -> None:
        assert self.act(lambda: service.withdraw_vote(self.idea(idea), self.user(person)))
        self.model.withdraw(person, self.model.main(idea))

    @rule(person=people, idea=ideas)
    def comment(self, person: int, idea: int) -> None:
        done = self.act(lambda: comments.post_comment(self.idea(idea), self.user(person), "One word more."))
        assert done == (idea not in self.model.merged)
        if done:
            self.model.comments[idea] += 1
            self.model.follow(person, idea, "is_commenter")

    @rule(person=people, idea=ideas)
    def follow(self, person: int, idea: int) -> None:
        assert self.act(lambda: service.follow(self.idea(idea), self.user(person)))
        self.model.follow(person, idea, "by_choice")
        self.model.muted.discard((person, idea))

    @rule(person=people, idea=ideas)
    def mute(self, person: int, idea: int) -> None:
        assert self.act(lambda: service.unfollow(self.idea(idea), self.user(person)))
        self.model.follow(person, idea, "by_choice")
        self.model.follows[person, idea].discard("by_choice")
        self.model.muted.add((person, idea))

    @rule(idea=ideas, into=ideas)
    def merge(self, idea: int, into: int) -> None:
        main, before = self.model.main(into), self.clocks(idea)
        possible = idea not in self.model.merged and main != idea and not self.model.covered(idea)
        details = MoveDetails(into=self.idea(into))
        pm = db.session.get_one(User, self.pm)
        assert self.act(lambda: move_idea(self.idea(idea), Status.MERGED, pm, details)) == possible
        if possible:
            self.model.merged[idea], self.before[idea] = main, before
            self.model.followed_by_then[idea] = {person for person, one in self.model.follows if one == idea}
            self.all_is_as_the_model_says()

    @rule(person=people, idea=ideas, words=st.sampled_from(["", "I meant the other one."]))
    def object(self, person: int, idea: int, words: str) -> None:
        may = self.model.may_object(person, idea) or (person, idea) in self.model.objections
        assert self.act(lambda: objections.object_to_merge(self.idea(idea), self.user(person), words)) == may
        if may:
            self.model.objections.add((person, idea))
            self.all_is_as_the_model_says()

    @rule(person=people, idea=ideas)
    def take_back(self, person: int, idea: int) -> None:
        may = self.model.may_object(person, idea) or (person, idea) in self.model.objections
        assert self.act(lambda: objections.take_back_objection(self.idea(idea), self.user(person))) == may
        self.model.objections.discard((person, idea))
        if may:
            self.all_is_as_the_model_says()

    @rule(idea=ideas)
    def undo(self, idea: int) -> None:
        done = self.act(lambda: undo_merge(self.idea(idea), db.session.get_one(User, self.pm), "They differ."))
        assert done == (idea in self.model.merged)
        if done:
            assert self.clocks(idea) == self.before.pop(idea)
            del self.model.merged[idea]
            self.model.objections = {row for row in self.model.objections if row[1] != idea}
            self.all_is_as_the_model_says()

    @rule(idea=ideas, into=ideas, person=people)
    def there_and_back(self, idea: int, into: int, person: int) -> None:
        """Without acts of people in between, every row is what it was; an objection is no such act."""
        before, pm = self.everything(), db.session.get_one(User, self.pm)
        if self.act(lambda: move_idea(self.idea(idea), Status.MERGED, pm, MoveDetails(into=self.idea(into)))):
            self.act(lambda: objections.object_to_merge(self.idea(idea), self.user(person)))
            assert self.act(lambda: undo_merge(self.idea(idea), pm, "They differ."))
            assert self.everything() == before

    def everything(self) -> list[Any]:
        """Every row of what a merge bears on."""
        db.session.rollback()
        tables = ((Idea, Idea.id), (Vote, Vote.idea_id), (Follow, Follow.idea_id))
        rows = [sorted(map(str, db.session.execute(sa.select(table.__table__).where(column.in_(self.ideas)))))
                for table, column in tables]  # fmt: skip
        return [*rows, db.session.get_one(Board, self.board).ideas]

    @invariant()
    def counters_are_as_the_model_says(self) -> None:
        db.session.rollback()
        rows = db.session.execute(select(Idea.votes, Idea.comments).where(Idea.id.in_(self.ideas)).order_by(Idea.id))
        expected = [(len(self.model.supporters(one)), self.model.comments[one]) for one in range(IDEAS)]
        assert [tuple(row) for row in rows] == expected

    def teardown(self) -> None:
        self.all_is_as_the_model_says()

    def all_is_as_the_model_says(self) -> None:
        """Lists, pages, audiences and the doctor agree; looked at after each act about a merge, and in the end."""
        db.session.rollback()
        number_of = {user_id: number for number, user_id in enumerate(self.people)}
        for number, idea_id in enumerate(self.ideas):
            idea, people = self.idea(number), self.model.supporters(number)
            assert idea.votes == supporters.count_supporters(idea) == len(people)
            listed = [number_of[voter.user.id] for voter in supporters.voters(idea)]
            assert sorted(listed) == sorted(people)
            people = followers.audience_of(idea_id, None).subquery()
            heard = [number_of[user_id] for user_id in db.session.scalars(select(people.c.user_id))]
            assert sorted(heard) == sorted(self.model.audience(number))
            assert sum(followers.count_audience(idea, None).values()) == len(heard)
            assert idea.comments == self.model.comments[number]
            into = self.model.merged.get(number)
            assert idea.merged_into_id == (None if into is None else self.ideas[into])
            assert (idea.status is Status.MERGED) == (into is not None)
            objecting = {person for person, one in self.model.objections if one == number}
            assert merges.count_objections(idea_id) == len(objecting)
            if into is None:
                assert [merged.idea.id for merged in merges.merged_ideas(idea, self.user(0))] == sorted(
                    self.ideas[one] for one in self.model.covered(number)
                )
        for person in range(PEOPLE):
            rows = lists.rows_by_id(self.user(person), self.ideas)
            behind = {number for number, idea_id in enumerate(self.ideas) if rows[idea_id].cast}
            assert behind == {number for number in range(IDEAS) if person in self.model.supporters(number)}
        assert db.session.get_one(Board, self.board).ideas == IDEAS - len(self.model.merged)
        assert not [finding.sentence for finding in (*records.counters(), *records.merges()) if finding.health]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_merges_objections_and_undos_keep_what_people_did_in_any_order(app, database):
    run_state_machine_as_test(
        Merging,
        settings=settings(
            max_examples=9,
            stateful_step_count=50,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            phases=[Phase.generate],
        ),
    )
