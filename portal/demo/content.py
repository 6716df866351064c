"""The demo community as it is written down: who is there, what they ask for and what became of it.

Everything stays relative: an idea's ``age`` counts days back from today, all other days count from when it was posted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.accounts.models import name_key
from portal.accounts.roles import Role
from portal.accounts.service import NAME_MAX, NAME_MIN
from portal.comments.models import BODY_MAX
from portal.ideas.models import TEXT_MAX, TITLE_MIN
from portal.ideas.workflow import Publication, Status

FOLDER = Path(__file__).parent / "fellside"
AGE_MAX, TAGS_MAX, TITLE_MAX, ABOUT_MAX = 730, 4, 120, 160


class ContentError(ValueError):
    """Something in the files of the community does not fit together."""


@dataclass(frozen=True, slots=True)
class Board:
    """A board, and the team that answers on it."""

    slug: str
    name: str
    description: str
    question: str
    team: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A word that ideas have in common."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account; ``segment`` notes for whom this voice stands and is not shown."""

    key: str
    name: str
    role: Role
    segment: str
    team: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One move of an idea; ``by`` is None where the portal itself made it, after a question was answered."""

    to: Status
    after_days: int
    by: str | None = None
    answer: str = ""
    reason: str = ""
    alternative: str = ""
    reversal: str = ""
    link: str = ""
    expected_after_days: int | None = None  # from this step on
    review_after_days: int | None = None  # from this step on
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """A public word of the team that moved nothing."""

    after_days: int
    by: str
    answer: str


@dataclass(frozen=True, slots=True)
class Idea:
    """An idea and its story; ``similar_to`` names ideas that ask for the same though nobody has joined them."""

    key: str
    title: str
    need: str
    board: str
    author: str
    appeal: int  # 1 to 100: its share of the votes, compared with the others
    age: int
    proposal: str = ""
    tags: tuple[str, ...] = ()
    publication: Publication = Publication.PUBLISHED
    similar_to: tuple[str, ...] = ()
    path: tuple[Step, ...] = ()
    updates: tuple[Update, ...] = ()

    @property
    def status(self) -> Status:
        """Where the idea stands today."""
        return self.path[-1].to if self.path else Status.NEW

    @property
    def merged_into(self) -> str | None:
        """The idea under which this one is supported today."""
        return self.path[-1].into if self.path else None


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody says about an idea, or replies to a comment on it; it may have been edited a little later."""

    key: str
    idea: str
    author: str
    body: str
    after_days: int
    reply_to: str | None = None
    before: str = ""  # what it said at first


@dataclass(frozen=True, slots=True)
class Community:
    """All of it, ideas from the oldest to the newest, comments in the order in which they were said."""

    boards: tuple[Board, ...]
    people: tuple[Person, ...]
    ideas: tuple[Idea, ...]
    comments: tuple[Comment, ...]
    tags: tuple[Tag, ...]


def load(folder: Path = FOLDER) -> Community:
    """Return the community in ``folder``; raises ContentError, naming the place, where it does not fit together."""
    ideas = [_idea(record, where) for record, where in _records(folder, "ideas*.jsonl")]
    ages = {idea.key: idea.age for idea in ideas}
    comments = [_make(Comment, record, where) for record, where in _records(folder, "comments*.jsonl")]
    community = Community(
        boards=tuple(_make(Board, record, where) for record, where in _records(folder, "boards.jsonl")),
        people=tuple(_person(record, where) for record, where in _records(folder, "people.jsonl")),
        ideas=tuple(sorted(ideas, key=lambda idea: -idea.age)),
        comments=tuple(sorted(comments, key=lambda comment: comment.after_days - ages.get(comment.idea, 0))),
        tags=tuple(_make(Tag, record, where) for record, where in _records(folder, "tags.jsonl")),
    )
    _check(community)
    return community


def page(name: str, portal: str, folder: Path = FOLDER) -> str:
    """Return a text that any portal may begin with, such as ``rules``, as Markdown that names the portal."""
    return (folder / f"{name}.md").read_text(encoding="utf-8").replace("{portal}", portal)


def _records(folder: Path, pattern: str) -> Iterator[tuple[dict[str, Any], str]]:
    for path in sorted(folder.glob(pattern)):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.strip():
                yield json.loads(line), f"{path.name}:{number}"


def _make(kind: type, record: Mapping[str, Any], where: str) -> Any:
    try:
        return kind(**record)
    except TypeError as problem:
        raise ContentError(f"{where}: {problem}") from problem


def _person(record: dict[str, Any], where: str) -> Any:
    return _make(Person, record | {"role": _named(Role, record.get("role"), where)}, where)


def _idea(record: dict[str, Any], where: str) -> Any:
    read = {
        "publication": _named(Publication, record.get("publication", Publication.PUBLISHED), where),
        "tags": tuple(record.get("tags", ())),
        "similar_to": tuple(record.get("similar_to", ())),
        "path": tuple(_step(step, where) for step in record.get("path", ())),
        "updates": tuple(_make(Update, update, where) for update in record.get("updates", ())),
    }
    return _make(Idea, record | read, where)


def _step(record: dict[str, Any], where: str) -> Any:
    return _make(Step, record | {"to": _named(Status, record.get("to"), where)}, where)


def _named(kind: type, value: object, where: str) -> Any:
    try:
        return kind(value)
    except ValueError as problem:
        raise ContentError(f"{where}: {problem}") from problem


def _check(community: Community) -> None:
    boards = _unique("board", (board.slug for board in community.boards))
    tags = _unique("tag", (tag.slug for tag in community.tags))
    people = _unique("person", (person.key for person in community.people))
    ideas = _unique("idea", (idea.key for idea in community.ideas))
    _unique("name", (name_key(person.name) for person in community.people))
    _unique("comment", (comment.key for comment in community.comments))
    for person in community.people:
        _within(f"name of {person.key}", person.name, NAME_MAX, NAME_MIN)
        _within(f"about {person.key}", person.about, ABOUT_MAX)
    for idea in community.ideas:
        _known(idea.key, boards, idea.board)
        _known(idea.key, tags, *idea.tags)
        _known(idea.key, people, idea.author, *(step.by for step in idea.path), *(word.by for word in idea.updates))
        _known(idea.key, ideas, *idea.similar_to, *(step.into for step in idea.path))
        _check_idea(idea)
    _check_comments(community, people)


def _check_idea(idea: Idea) -> None:
    _within(f"title of {idea.key}", idea.title, TITLE_MAX, TITLE_MIN)
    _within(f"need of {idea.key}", idea.need, TEXT_MAX)
    _within(f"proposal of {idea.key}", idea.proposal, TEXT_MAX)
    _require(len(idea.tags) <= TAGS_MAX, idea.key, "too many tags")
    _require(1 <= idea.appeal <= 100, idea.key, "appeal out of range")
    _require(0 < idea.age <= AGE_MAX, idea.key, "age out of range")
    days = [step.after_days for step in idea.path]
    words = [word.after_days for word in idea.updates]
    _require(days == sorted(days), idea.key, "steps out of order")
    _require(all(0 <= day <= idea.age for day in days + words), idea.key, "a day out of range")


def _check_comments(community: Community, people: set[str]) -> None:
    ideas = {idea.key: idea for idea in community.ideas}
    comments = {comment.key: comment for comment in community.comments}
    for comment in community.comments:
        _known(comment.key, ideas, comment.idea)
        _known(comment.key, people, comment.author)
        _within(comment.key, comment.body, BODY_MAX, 1)
        _within(comment.key, comment.before, BODY_MAX)
        _require(0 <= comment.after_days <= ideas[comment.idea].age, comment.key, "a day out of range")
        if comment.reply_to is not None:
            _known(comment.key, comments, comment.reply_to)
            parent = comments[comment.reply_to]
            _require(parent.idea == comment.idea, comment.key, "a reply to a comment on another idea")
            _require(parent.reply_to is None, comment.key, "a reply to a reply")
            _require(parent.after_days <= comment.after_days, comment.key, "a reply before what it answers")


def _unique(what: str, keys: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    for key in keys:
        _require(key not in seen, key, f"this {what} is there twice")
        seen.add(key)
    return seen


def _known(where: str, known: Iterable[str], *keys: str | None) -> None:
    for key in keys:
        _require(key is None or key in known, where, f"nothing is called {key}")


def _within(where: str, text: str, most: int, least: int = 0) -> None:
    _require(least <= len(text) <= most, where, f"not between {least} and {most} characters long")


def _require(held: bool, where: str, problem: str) -> None:
    if not held:
        raise ContentError(f"{where}: {problem}")
