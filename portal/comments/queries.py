"""Reading the discussion of an idea that the viewer may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import abort
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from portal import mentions
from portal.accounts.models import Person
from portal.accounts.readers import built_once
from portal.boards.queries import read_places
from portal.comments.models import Comment, CommentRevision, Helpful
from portal.db import db
from portal.ideas.models import Idea, StatusChange
from portal.ideas.queries import is_seen_by
from portal.text import render_markdown


@dataclass(frozen=True, slots=True)
class CommentView:
    """One comment as one viewer sees it: all that its fragment shows."""

    comment: Comment
    by_idea_author: bool
    found_helpful: bool
    replies: list[CommentView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the discussion: a thread, or moves of the idea that followed one another."""

    at: datetime
    thread: CommentView | None = None
    changes: tuple[StatusChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Discussion:
    """What was said and what happened, oldest first; in long ones the middle is folded."""

    entries: list[Entry]
    newest: list[Entry]
    folded: int
    calls: list[str] = field(default_factory=list)  # whom a comment can call by a short name: who takes part
    latest: Sequence[int] = ()  # the last comments there are


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a comment said until a moment."""

    id: int
    until: datetime
    html: str


FIRST, LAST, NAMED = 20, 5, 4
LATEST = 10  # of more than that a page need not know how many are new


def get_comment(comment_id: int, viewer: Person) -> Comment:
    """Return a comment on an idea that the viewer may see, or answer 404."""
    comment = db.session.scalar(
        select(Comment)
        .join(Idea, Idea.id == Comment.idea_id)
        .where(Comment.id == comment_id, is_seen_by(viewer))
        .options(joinedload(Comment.idea), joinedload(Comment.author))
    )
    return comment or abort(404)


def earlier(comment: Comment, before: int | None, count: int) -> list[Earlier]:
    """Return what a comment said before its edits, newest first; those who were called by name are not led to."""
    of_this = select(CommentRevision).where(CommentRevision.comment_id == comment.id)
    if before is not None:
        of_this = of_this.where(CommentRevision.id < before)
    rows = db.session.scalars(of_this.order_by(CommentRevision.id.desc()).limit(count))
    return [Earlier(row.id, row.at, render_markdown(row.body)) for row in rows]


def discussion(idea: Idea, viewer: Person, changes: Sequence[StatusChange], show_all: bool = False) -> Discussion:
    """Return the threads and the moves of an idea by time; of more than 25 entries the first 20 and the last 5."""
    talk = threads(idea, viewer)
    said = [Entry(view.comment.at, thread=view) for view in talk]
    calls = names_of([view.comment for view in _all(talk)], idea, viewer)
    latest = sorted(view.comment.id for view in _all(talk) if view.comment.deleted_at is None)[-LATEST:]
    entries = _gather([*said, *(Entry(change.at, changes=(change,)) for change in changes)])
    if show_all or len(entries) <= FIRST + LAST:
        return Discussion(entries, [], 0, calls, latest)
    return Discussion(entries[:FIRST], entries[-LAST:], len(entries) - FIRST - LAST, calls, latest)


def _gather(entries: list[Entry]) -> list[Entry]:
    """Sort by time, and put moves that follow one another into one entry."""
    gathered: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: entry.at):
        if entry.changes and gathered and gathered[-1].changes:
            gathered[-1] = Entry(entry.at, changes=gathered[-1].changes + entry.changes)
        else:
            gathered.append(entry)
    return gathered


def threads(idea: Idea, viewer: Person) -> list[CommentView]:
    """Return the discussion, oldest first, replies under what they answer; deleted ones where replies need them."""
    rows = db.session.scalars(*_said_on(idea_id=idea.id)).all()
    read_places(row.author for row in rows)
    marked = _helpful_to(viewer, idea)
    views = {row.id: CommentView(row, row.author_id == idea.author_id, row.id in marked) for row in rows}
    for row in rows:
        if row.parent_id in views and row.deleted_at is None:
            views[row.parent_id].replies.append(views[row.id])
    return [
        views[row.id] for row in rows if row.parent_id is None and (row.deleted_at is None or views[row.id].replies)
    ]


def names_of(said: Iterable[Comment], idea: Idea, viewer: Person) -> list[str]:
    """Return by which names a comment can call those who take part, whoever spoke last first."""
    spoke = [one.author for one in sorted(said, key=lambda one: one.id, reverse=True) if one.deleted_at is None]
    people = {who.id: who for who in [*spoke, idea.author] if who is not None and not who.is_former}
    handles = mentions.handles_of(list(people.values()))
    return [handles[number][0] for number in people if number != viewer.id and handles[number]][:NAMED]


def names_on(idea: Idea, viewer: Person) -> list[str]:
    """Return the same where the discussion was not read."""
    newest = select(Comment).where(Comment.idea_id == idea.id, Comment.deleted_at.is_(None))
    newest = newest.options(joinedload(Comment.author)).order_by(Comment.id.desc()).limit(LAST * NAMED)
    return names_of(db.session.scalars(newest), idea, viewer)


def latest_on(idea: Idea) -> list[int]:
    """Return the last comments on an idea, the newest at the end."""
    newest = select(Comment.id).where(Comment.idea_id == idea.id, Comment.deleted_at.is_(None))
    return sorted(db.session.scalars(newest.order_by(Comment.id.desc()).limit(LATEST)))


def _all(talk: Iterable[CommentView]) -> Iterator[CommentView]:
    for view in talk:
        yield view
        yield from view.replies


def comment_view(comment: Comment, viewer: Person) -> CommentView:
    """Return one comment as this viewer sees it, without its replies."""
    marked = viewer.is_signed_in and db.session.get(Helpful, (comment.id, viewer.id)) is not None
    return CommentView(comment, comment.author_id == comment.idea.author_id, marked)


def _helpful_to(viewer: Person, idea: Idea) -> set[int]:
    return set(db.session.scalars(*_marked_by(viewer, idea_id=idea.id))) if viewer.is_signed_in else set()


@built_once
def _said_on(*, idea_id: int) -> Select[Comment]:
    said = select(Comment).where(Comment.idea_id == idea_id).options(joinedload(Comment.author))
    return said.order_by(Comment.at, Comment.id)


@built_once
def _marked_by(viewer: Person, *, idea_id: int) -> Select[int]:
    marks = select(Helpful.comment_id).join(Comment, Comment.id == Helpful.comment_id)
    return marks.where(Helpful.user_id == viewer.id, Comment.idea_id == idea_id)
