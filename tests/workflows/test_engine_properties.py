"""Moves, merges, undos, clocks and changes of the workflow in any order and by anybody, against the rows of its tables.

Whatever people do, an idea goes only where the tables lead, by whom they name, with what they demand; and of each move
exactly those hear whom they name, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import func, select

from portal import worker
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.comments import service as comments
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import EventRecord
from portal.ideas import clocks, service
from portal.ideas.merging import undo_merge
from portal.ideas.models import Follow, Idea, StatusChange
from portal.ideas.moves import move_idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.transactions import transaction
from portal.workflows import drafting, queries
from portal.workflows.checks import FIELDS
from portal.workflows.service import change_workflow
from tests.factories import make_board, make_idea, make_user

pytestmark = pytest.mark.usefixtures("app")

IDEAS, MOST_STAGES = 3, 3
TRIAGERS = {Role.MODERATOR, Role.PM, Role.ADMIN, Role.OWNER}
MAY = {
    "triager": TRIAGERS,
    "decider": TRIAGERS - {Role.MODERATOR},
    "admin": {Role.ADMIN, Role.OWNER},
    "system": set(),
}
FLAGS = {"author": "is_author", "voter": "is_voter", "commenter": "is_commenter", "follower": "by_choice"}

ideas = st.integers(0, IDEAS - 1)
roles = st.sampled_from([Role.MEMBER, Role.OBSERVER, Role.MODERATOR, Role.PM, Role.PM, Role.ADMIN, Role.ADMIN])
places = st.integers(0, len(Status) + MOST_STAGES - 1)
said = st.one_of(st.just(frozenset(FIELDS)), st.frozensets(st.sampled_from(FIELDS)))
edits = st.sampled_from(["forbid", "forbid", "allow", "allow", "rules", "add", "remove", "restore"])


class Engine(RuleBasedStateMachine):
    """Some ideas with the same people behind them, and somebody of every role who tries everything."""

    def __init__(self) -> None:
        super().__init__()
        board = make_board()
        self.actors = {role: make_user(role).id for role in Role}
        author, voter, commenter, follower, quiet = (make_user() for _ in range(5))
        self.author = author.id
        self.ideas = []
        for _ in range(IDEAS):
            idea = make_idea(author=author, board=board)
            with transaction(wake=False):
                service.cast_vote(idea, voter)
                comments.post_comment(idea, commenter, "I would use it every day.")
                service.follow(idea, follower)
                service.follow(idea, quiet)
                service.unfollow(idea, quiet)
            self.ideas.append(idea.id)
        self.tables = queries.now_held()[1]
        self.moved = 0
        worker.settle()
        self.heard_of = self.last_event()

    # What is there

    def idea(self, number: int) -> Idea:
        return db.session.get_one(Idea, self.ideas[number])

    def user(self, role: Role) -> User:
        return db.session.get_one(User, self.actors[role])

    def key(self, number: int) -> str:
        idea = self.idea(number)
        return idea.stage or idea.status.value

    def place(self, number: int) -> dict[str, Any]:
        return self.tables["statuses"][number % len(self.tables["statuses"])]

    def row(self, source: str, target: str) -> dict[str, Any] | None:
        found = [row for row in self.tables["moves"] if (row["from"], row["to"]) == (source, target)]
        assert len(found) <= 1
        return found[0] if found else None

    def last_event(self) -> int:
        return db.session.scalar(select(func.max(EventRecord.id))) or 0

    def details(self, given: frozenset[str], **more: Any) -> MoveDetails:
        words: dict[str, Any] = dict.fromkeys(given - {"review_on", "owner"}, "Because it is so.")
        if "review_on" in given:
            words["review_on"] = utcnow().date() + timedelta(days=90)
        if "owner" in given:
            words["owner"] = self.user(Role.PM)
        return MoveDetails(**words, **more)

    def act(self, change: Callable[[], Any]) -> bool:
        """Do something in a transaction; whether the portal let it happen."""
        db.session.rollback()
        with suppress(Refusal):
            with transaction(wake=False):
                change()
            return True
        return False

    # What people do

    @rule(number=ideas, to=places, role=roles, given=said)
    def move(self, number: int, to: int, role: Role, given: frozenset[str]) -> None:
        goal, source = self.place(to), self.key(number)
        row = self.row(source, goal["key"])
        allowed = row is not None and role in MAY[row["by"]] and self.idea(number).is_published
        enough = row is not None and self.is_enough(row, given)
        done = self.act(lambda: self.try_move(number, goal, role, self.details(given)))
        assert done == (allowed and enough and goal["kind"] != "merged")
        if done:
            self.check_move(number, source, goal["key"], role, row or {}, given)

    @rule(number=ideas, to=places, role=roles, given=said)
    def override(self, number: int, to: int, role: Role, given: frozenset[str]) -> None:
        goal, source = self.place(to), self.key(number)
        row = self.row(source, goal["key"])
        usual = row is not None and role in MAY[row["by"]]
        apart = role is Role.ADMIN and "merged" not in {source, goal["kind"]} and source != goal["key"]
        enough = self.is_enough(row, given) if usual and row else apart and "reason" in given
        allowed = enough and self.idea(number).is_published and goal["kind"] != "merged"
        done = self.act(lambda: self.try_move(number, goal, role, self.details(given), override=True))
        assert done == allowed
        if done:
            everybody = {"demands": ["reason"], "one_of": [], "tells": list(FLAGS), "news": "any"}
            self.check_move(number, source, goal["key"], role, row if usual and row else everybody, given)
            assert self.last_change(number).overrides == (not usual)

    @rule(number=ideas, into=ideas, role=roles)
    def merge(self, number: int, into: int, role: Role) -> None:
        row = self.row(self.key(number), "merged")
        allowed = row is not None and role in MAY[row["by"]] and self.is_enough(row, frozenset({"into"}))
        main = self.idea(into)
        done = self.act(lambda: self.try_move(number, self.merged(), role, MoveDetails(into=main)))
        assert allowed or not done
        if done:
            assert self.key(number) == "merged"
            self.moved += 1

    @rule(number=ideas, role=roles, reason=st.sampled_from(["", "They differ."]))
    def undo(self, number: int, role: Role, reason: str) -> None:
        merged = self.key(number) == "merged"
        before = self.last_change(number) if merged else None
        done = self.act(lambda: undo_merge(self.idea(number), self.user(role), reason))
        assert done == (merged and bool(reason))
        if done and before is not None:
            back = {before.source_stage or before.source.value, before.source.value}
            assert self.key(number) in back
            self.moved += 1

    @rule(number=ideas)
    def answer_the_question(self, number: int) -> None:
        asked = self.idea(number).status is Status.NEEDS_INFO and self.idea(number).is_published
        answered = self.act(
            lambda: comments.post_comment(
                self.idea(number), db.session.get_one(User, self.author), "It is the left one."
            )
        )
        if asked and answered:
            worker.settle()
            assert self.idea(number).status is Status.UNDER_REVIEW
            self.moved += 1

    @rule()
    def time_passes(self) -> None:
        waiting = [number for number in range(IDEAS) if self.is_waiting(number)]
        with transaction(wake=False):
            for number in waiting:
                self.idea(number).due_at = utcnow() - timedelta(minutes=1)
                self.idea(number).review_on = date(2020, 1, 1)
        clocks.return_to_review()
        db.session.rollback()
        assert {self.key(number) for number in waiting} <= {"under_review"}
        self.moved += len(waiting)

    @rule(number=ideas, shown=st.booleans())
    def moderate(self, number: int, shown: bool) -> None:
        moderator = self.user(Role.MODERATOR)
        if shown:
            self.act(lambda: service.publish_idea(self.idea(number), moderator))
        else:
            self.act(lambda: service.hide_idea(self.idea(number), moderator, "It names somebody."))

    @rule(what=edits, one=places, other=places, by=st.sampled_from(list(MAY)), demands=said, tells=st.data())
    def edit(self, what: str, one: int, other: int, by: str, demands: frozenset[str], tells: Any) -> None:
        source, target = self.place(one)["key"], self.place(other)["key"]
        people = tells.draw(st.lists(st.sampled_from(list(FLAGS)), unique=True))
        news = tells.draw(st.sampled_from(["step", "decision"]))
        plain = {"by": by, "one_of": [], "offers": [], "demands": sorted(demands), "tells": people, "news": news}
        if what == "add" and len(self.tables["statuses"]) >= len(Status) + MOST_STAGES:
            what = "remove"

        def change(held: drafting.Document) -> drafting.Document:
            if what == "forbid":
                return drafting.without_move(held, source, target)
            if what == "allow":
                return drafting.with_move(held, source, target, **plain)
            if what == "rules":
                return drafting.with_status(held, source, days=one * 3, votes=bool(other % 2), comments=bool(one % 2))
            if what == "add":
                kind = self.place(one)["kind"]
                key = drafting.free_key(held, kind, "Another")
                return drafting.with_new_status(held, kind, key, label=f"Another {key}")
            if what == "remove":
                return drafting.without_status(held, source)
            return drafting.beginning()

        base = queries.now_held()[0]
        if self.act(lambda: change_workflow(change, self.user(Role.ADMIN), base=base, reason="It reads better.")):
            self.tables = queries.now_held()[1]
        self.tables_hold()

    # What must be true

    def is_waiting(self, number: int) -> bool:
        idea = self.idea(number)
        return idea.is_published and idea.status in {Status.NEEDS_INFO, Status.NOT_NOW}

    def is_enough(self, row: dict[str, Any], given: frozenset[str]) -> bool:
        return set(row["demands"]) <= given and (not row["one_of"] or bool(set(row["one_of"]) & given))

    def merged(self) -> dict[str, Any]:
        return next(row for row in self.tables["statuses"] if row["key"] == "merged")

    def try_move(self, number: int, goal: dict[str, Any], role: Role, details: MoveDetails, **more: Any) -> None:
        stage = goal["key"] if goal["key"] != goal["kind"] else ""
        move_idea(self.idea(number), Status(goal["kind"]), self.user(role), details, stage=stage, **more)

    def last_change(self, number: int) -> StatusChange:
        changes = select(StatusChange).where(StatusChange.idea_id == self.ideas[number])
        change = db.session.scalars(changes.order_by(StatusChange.id.desc()).limit(1)).first()
        assert change is not None
        return change

    def check_move(
        self, number: int, source: str, target: str, role: Role, row: dict[str, Any], given: frozenset[str]
    ) -> None:
        """The idea stands there, the history has it with what was demanded, and exactly those hear who should."""
        self.moved += 1
        change = self.last_change(number)
        assert self.key(number) == target
        assert (change.source_stage or change.source, change.target_stage or change.target) == (source, target)
        assert change.actor_id == self.actors[role]
        assert change.reason or "reason" not in row["demands"]
        assert self.is_enough(row, given)
        should = self.behind(number, row["tells"]) - {self.actors[role]}
        assert change.told == len(should)
        owner = self.idea(number).owner_id
        worker.settle()
        event = db.session.scalars(
            select(EventRecord.id).where(EventRecord.name == "idea.moved").order_by(EventRecord.id.desc()).limit(1)
        ).one()
        heard = Counter(db.session.scalars(select(Notification.user_id).where(Notification.event_id == event)))
        owners = {owner} - {None, self.actors[role]}
        assert set(heard) - owners == should - owners
        assert set(heard.values()) <= {1}
        if row["news"] in {"step", "decision"}:
            assert owners <= set(heard)

    def behind(self, number: int, tells: list[str]) -> set[int]:
        joined = select(Idea.id).where(Idea.merged_into_id == self.ideas[number])
        rows = db.session.scalars(
            select(Follow).where((Follow.idea_id == self.ideas[number]) | Follow.idea_id.in_(joined))
        )
        follows = list(rows)
        muted = {follow.user_id for follow in follows if follow.muted}
        return {follow.user_id for follow in follows if any(getattr(follow, FLAGS[who]) for who in tells)} - muted

    def tables_hold(self) -> None:
        """Every idea stands where the tables know, and can go on from there by somebody's hand or the portal's."""
        keys = {row["key"] for row in self.tables["statuses"]}
        assert set(Status) <= keys
        for number in range(IDEAS):
            key = self.key(number)
            assert key in keys
            assert key == "merged" or any(row["from"] == key for row in self.tables["moves"])

    def teardown(self) -> None:
        db.session.rollback()
        self.tables_hold()
        changes = select(func.count()).where(StatusChange.idea_id.in_(self.ideas))
        assert db.session.scalar(changes) == self.moved  # nothing moved but what was seen to


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_sequence_of_acts_leads_where_the_tables_do_not(app, database):
    run_state_machine_as_test(
        Engine,
        settings=settings(
            max_examples=8,
            stateful_step_count=35,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            phases=[Phase.generate],
        ),
    )
