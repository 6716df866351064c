"""A portal of any size, written in bulk, with every counter, follow and text as if people had made it one by one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from portal.accounts.models import RulesAcceptance, User, name_key
from portal.accounts.roles import Role
from portal.accounts.service import ensure_rules
from portal.bench.wording import Wording, Writer
from portal.boards.models import Audience, Board
from portal.comments.models import Comment
from portal.db import db, on_sqlite, utcnow
from portal.decisions.models import DECIDED, Decision
from portal.events import EventRecord
from portal.ideas import heat
from portal.ideas.models import Answer, Follow, Idea, StatusChange, Tag, Vote, idea_tags
from portal.ideas.promised import Outcome, Promise, Promised
from portal.ideas.workflow import Publication, Status
from portal.labels.models import Label, idea_labels
from portal.notifications.models import Notification
from portal.notifications.policy import Kind, Reason
from portal.transactions import transaction

VOTES, COMMENTS = 20, 5  # an idea, on average
YEARS = timedelta(days=3 * 365)
BATCH = 500
STAFF = 12
MERGED_EVERY, HELD_EVERY = 50, 200
TOLD = 5  # people who have a notification of a move

BOARDS = ("Navigation", "Planning", "Safety", "Community and maps", "Account and billing")
TAGS = (
    "battery", "dogs", "export", "ferries", "huts", "offline", "photos", "print", "routes", "sharing", "snow", "sound",
    "trains", "watch", "widgets", "wind",
)  # fmt: skip
LABELS = ("ask legal", "cheap", "enterprise", "needs design", "partner", "risky", "talk to support", "with the vendor")
LABELLED_EVERY = 5
STATUSES = {
    Status.NEW: 30, Status.UNDER_REVIEW: 22, Status.NEEDS_INFO: 2, Status.PLANNED: 9, Status.IN_PROGRESS: 4,
    Status.SHIPPED: 13, Status.CONFIRMED: 3, Status.AVAILABLE: 4, Status.NOT_NOW: 6, Status.DECLINED: 7,
}  # fmt: skip
ANSWERED = frozenset({Status.PLANNED, Status.SHIPPED, Status.AVAILABLE, Status.NOT_NOW, Status.DECLINED})

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Planned:
    """An idea before it is written."""

    number: int
    wording: Wording
    status: Status
    at: datetime
    since: datetime
    author: int
    votes: dict[int, datetime]
    people: dict[int, datetime]  # those behind it, through merged ideas too
    comments: int
    board: int
    held: bool
    main: _Planned | None = None
    id: int = 0
    change_id: int = 0
    answer_id: int | None = None
    commenters: set[int] = field(default_factory=set)

    @property
    def answered(self) -> bool:
        return self.status in ANSWERED


def build(ideas: int, on_progress: Progress = lambda _done, _of: None, seed: int = 1) -> None:
    """Fill an empty database with a community of so many ideas, the same each time."""
    builder = _Builder(ideas, random.Random(seed))  # noqa: S311 - guards nothing
    builder.found()
    done = 0
    for batch in _batches(builder.plan()):
        with transaction(wake=False):
            builder.write(batch)
        db.session.expunge_all()
        done += len(batch)
        on_progress(done, ideas)
    with transaction(wake=False):
        builder.count_boards()
        if not on_sqlite():
            db.session.execute(sa.text("ANALYZE"))  # what its autovacuum would do a minute later


class _Builder:
    """Knows who and what is there already."""

    def __init__(self, ideas: int, chance: random.Random) -> None:
        self._ideas, self._chance, self._now = ideas, chance, utcnow()
        self._writer = Writer(chance)

    def found(self) -> None:
        """Open the boards, and let members and staff join and agree to the rules."""
        with transaction(wake=False):
            version = ensure_rules().version
            boards = [
                {"slug": f"board-{n}", "name": name, "position": n, "audience": Audience.PUBLIC}
                for n, name in enumerate(BOARDS, 1)
            ]
            self._boards = _insert(Board, boards)
            self._tags = _insert(Tag, [{"name": name} for name in TAGS])
            self._labels = _insert(Label, [{"name": name} for name in LABELS])
            self._members = _insert(User, [self._person(n, Role.MEMBER) for n in range(500 + self._ideas // 5)])
            self._staff = _insert(User, [self._person(n, Role.PM) for n in range(STAFF)])
            everybody = self._members + self._staff
            _fill(RulesAcceptance, ({"user_id": n, "version": version, "accepted_at": self._now} for n in everybody))

    def plan(self) -> Iterator[_Planned]:
        """Yield the ideas from the oldest on; now and then one is merged into the one before it."""
        votes = self._spread(self._ideas, VOTES, 0.6, 1, len(self._members) // 2)
        comments = self._spread(self._ideas, COMMENTS, 0.5, 0, 400)
        before: _Planned | None = None
        for number in range(self._ideas):
            idea = self._think_of(number, votes[number], comments[number])
            if before and number % MERGED_EVERY == MERGED_EVERY - 1 and not before.held:
                idea.status, idea.main = Status.MERGED, before
                before.people |= {voter: at for voter, at in idea.votes.items() if voter not in before.people}
            if before:
                yield before
            before = idea
        if before:
            yield before

    def write(self, ideas: Sequence[_Planned]) -> None:
        """Save a batch with all that belongs to it."""
        ids = _insert(Idea, [self._idea(idea) for idea in ideas])
        for idea, number in zip(ideas, ids, strict=True):
            idea.id = number
        merged = [(idea, idea.main) for idea in ideas if idea.main]
        for idea, main in merged:
            db.session.execute(sa.update(Idea).where(Idea.id == idea.id).values(merged_into_id=main.id))
        _fill(
            Vote,
            (
                {"idea_id": idea.id, "voter_id": voter, "cast_at": at}
                for idea in ideas
                for voter, at in idea.votes.items()
            ),
        )
        _fill(
            idea_tags,
            (
                {"idea_id": idea.id, "tag_id": tag}
                for idea in ideas
                for tag in self._chance.sample(self._tags, self._chance.choice((0, 1, 1, 2)))
            ),
        )
        _fill(
            idea_labels,
            (
                {"idea_id": idea.id, "label_id": self._labels[idea.number // LABELLED_EVERY % len(LABELS)]}
                for idea in ideas
                if idea.number % LABELLED_EVERY == 0
            ),
        )
        self._discuss(ideas)
        self._move([idea for idea in ideas if idea.status is not Status.NEW])
        _fill(Follow, (row for idea in ideas for row in self._follows(idea)))
        _fill(Promise, (row for idea in ideas if not idea.held for row in self._promises(idea)))
        _fill(
            EventRecord,
            (
                {"name": "idea.submitted", "at": idea.at, "actor_id": idea.author, "idea_id": idea.id, "data": {}}
                for idea in ideas
            ),
        )

    def count_boards(self) -> None:
        """Set the counters of the boards to what is on them."""
        shown = (Idea.publication == Publication.PUBLISHED) & (Idea.status != Status.MERGED)
        count = sa.select(sa.func.count()).select_from(Idea).where(Idea.board_id == Board.id, shown)
        db.session.execute(sa.update(Board).values(ideas=count.scalar_subquery()))

    def _person(self, number: int, role: Role) -> dict[str, Any]:
        name = f"{role.label} {number}"
        return {
            "email": f"{role.value}{number}@example.org", "name": name, "name_key": name_key(name), "role": role,
            "team": "Product team" if role is Role.PM else None, "confirmed_at": self._now - YEARS,
            "trusted_at": self._now - YEARS, "created_at": self._now - YEARS, "wants_mail": False,
        }  # fmt: skip

    def _spread(self, things: int, mean: int, steepness: float, least: int, most: int) -> list[int]:
        """Return how many each gets: few get much, most get little, about ``mean`` on average."""
        weights = [(rank + 10) ** -steepness for rank in range(things)]
        scale = mean * things / sum(weights)
        counts = [min(max(round(weight * scale), least), most) for weight in weights]
        self._chance.shuffle(counts)
        return counts

    def _think_of(self, number: int, votes: int, comments: int) -> _Planned:
        at = self._now - YEARS + (YEARS - timedelta(hours=1)) * ((number + 0.5) / self._ideas)
        status = self._chance.choices(list(STATUSES), list(STATUSES.values()))[0]
        latest = self._now - at
        since = at if status is Status.NEW else at + min(latest, timedelta(days=120)) * self._chance.random()
        if status is Status.NEEDS_INFO:  # waits for its author and goes back by itself after three weeks
            since = max(at, self._now - timedelta(days=5) * self._chance.random())
        author, *others = self._chance.sample(self._members, votes)
        cast = {author: at} | {voter: at + min(latest, timedelta(days=90)) * self._chance.random() for voter in others}
        held = number % HELD_EVERY == HELD_EVERY // 2
        board = self._chance.choice(self._boards)
        return _Planned(number, self._writer.idea(), status, at, since, author, cast, dict(cast), comments, board, held)

    def _idea(self, idea: _Planned) -> dict[str, Any]:
        warmth = heat.COLD
        for at in idea.people.values():
            warmth = heat.with_vote(warmth, at)
        return {
            "board_id": idea.board, "author_id": idea.author, "title": idea.wording.title, "need": idea.wording.need,
            "need_html": idea.wording.need_html, "excerpt": idea.wording.excerpt, "status": idea.status,
            "owner_id": None if idea.status is Status.NEW else self._chance.choice(self._staff),
            "status_since": idea.since, "published_at": idea.at, "reminded_at": idea.since,
            "publication": Publication.HELD if idea.held else Publication.PUBLISHED,
            "answered_at": idea.since if idea.answered else None, "due_at": _due(idea.status, idea.since),
            "review_on": (self._now + timedelta(days=200)).date() if idea.status is Status.NOT_NOW else None,
            "votes": len(idea.people), "comments": idea.comments, "heat": warmth,
        }  # fmt: skip

    def _discuss(self, ideas: Iterable[_Planned]) -> None:
        opening: list[dict[str, Any]] = []
        replies: list[tuple[int, dict[str, Any]]] = []
        for idea in ideas:
            first = len(opening)
            for number in range(idea.comments):
                said = self._comment(idea, number)
                if number % 4 == 3:
                    replies.append((self._chance.randrange(first, len(opening)), said))
                else:
                    opening.append(said)
        ids = _insert(Comment, opening)
        _fill(Comment, ({**said, "parent_id": ids[parent]} for parent, said in replies))

    def _comment(self, idea: _Planned, number: int) -> dict[str, Any]:
        author = self._chance.choice(self._staff if number % 8 == 5 else self._members)
        idea.commenters.add(author)
        body, html = self._writer.passage()
        at = idea.at + min(self._now - idea.at, timedelta(days=90)) * ((number + 1) / (idea.comments + 1))
        return {"idea_id": idea.id, "author_id": author, "body": body, "body_html": html, "at": at}

    def _move(self, ideas: Sequence[_Planned]) -> None:
        answered = [idea for idea in ideas if idea.answered]
        changes = _insert(StatusChange, [self._change(idea) for idea in ideas])
        for idea, number in zip(ideas, changes, strict=True):
            idea.change_id = number
        answers = _insert(Answer, [self._answer(idea) for idea in answered])
        for idea, number in zip(answered, answers, strict=True):
            idea.answer_id = number
        _fill(Decision, [self._decision(idea) for idea in ideas if idea.status in DECIDED])
        moved = [idea for idea in ideas if not idea.main]
        events = _insert(EventRecord, [self._moved(idea) for idea in moved])
        _fill(Notification, (
            {
                "user_id": person, "event_id": event_id, "idea_id": idea.id, "kind": Kind.DECIDED, "at": idea.since,
                "reason": Reason.VOTER, "read_at": idea.since if self._chance.random() < 0.6 else None,
            }
            for idea, event_id in zip(moved, events, strict=True)
            for person in islice((voter for voter in idea.votes if voter != idea.author), TOLD)
        ))  # fmt: skip

    def _change(self, idea: _Planned) -> dict[str, Any]:
        return {
            "idea_id": idea.id, "source": Status.NEW, "target": idea.status, "at": idea.since,
            "actor_id": self._chance.choice(self._staff), "into_id": idea.main.id if idea.main else None,
            "since_before": idea.at, "due_before": _due(Status.NEW, idea.at), "told": len(idea.votes),
            "reason": self._writer.passage()[0] if idea.status is Status.DECLINED else "",
        }  # fmt: skip

    def _promises(self, idea: _Planned) -> Iterator[dict[str, Any]]:
        due_at, common = _due(Status.NEW, idea.at), {"idea_id": idea.id, "reason": ""}
        first = common | {"kind": Promised.ANSWER, "status": Status.NEW, "made_at": idea.at, "due_at": due_at}
        if idea.status is Status.NEW:
            yield first | {"ended_at": None, "outcome": None}
            return
        in_time = due_at is not None and idea.since <= due_at
        yield first | {"ended_at": idea.since, "outcome": Outcome.KEPT if in_time else Outcome.LATE}
        due_at = _due(idea.status, idea.since)
        if due_at is not None and idea.status is not Status.NEEDS_INFO:
            following = common | {"kind": Promised.UPDATE, "status": idea.status, "made_at": idea.since}
            yield following | {"due_at": due_at, "ended_at": None, "outcome": None}

    def _answer(self, idea: _Planned) -> dict[str, Any]:
        body, html = self._writer.passage()
        return {
            "idea_id": idea.id, "change_id": idea.change_id, "author_id": self._chance.choice(self._staff),
            "status": idea.status, "body": body, "body_html": html, "at": idea.since,
        }  # fmt: skip

    def _decision(self, idea: _Planned) -> dict[str, Any]:
        return {
            "idea_id": idea.id, "change_id": idea.change_id, "answer_id": idea.answer_id, "status": idea.status,
            "decider_id": self._staff[0], "at": idea.since, "votes_then": len(idea.votes),
        }  # fmt: skip

    def _moved(self, idea: _Planned) -> dict[str, Any]:
        data = {
            "change_id": idea.change_id, "source": Status.NEW, "target": idea.status, "answer_id": idea.answer_id,
        }  # fmt: skip
        return {"name": "idea.moved", "at": idea.since, "actor_id": self._staff[0], "idea_id": idea.id, "data": data}

    def _follows(self, idea: _Planned) -> Iterator[dict[str, Any]]:
        for person in {**dict.fromkeys(idea.votes), **dict.fromkeys(idea.commenters)}:
            yield {
                "idea_id": idea.id, "user_id": person, "is_author": person == idea.author,
                "is_voter": person in idea.votes, "is_commenter": person in idea.commenters,
                "since": idea.votes.get(person, idea.at),
            }  # fmt: skip


def _insert(table: type[Any], rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert rows and return their numbers, in the order of the rows."""
    if not rows:
        return []
    into: sa.Table = table.__table__
    numbered = sa.insert(into).returning(into.c.id, sort_by_parameter_order=True)
    return list(db.session.connection().scalars(numbered, rows))


def _fill(table: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows of which nobody asks the numbers."""
    if found := list(rows):
        db.session.connection().execute(sa.insert(getattr(table, "__table__", table)), found)


def _batches(ideas: Iterator[_Planned]) -> Iterator[list[_Planned]]:
    while batch := list(islice(ideas, BATCH)):
        yield batch


def _due(status: Status, since: datetime) -> datetime | None:
    within = status.rule.next_word_within
    return since + within if within else None
