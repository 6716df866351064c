"""Keeping the search index in step with the database: ideas that changed are noted, then read in batches."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.boards.models import Audience, Board
from portal.comments.models import Comment
from portal.db import db, insert_if_absent, utcnow
from portal.events import Recorded
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.workflow import Publication
from portal.options import option
from portal.search.changes import watch
from portal.search.engine import Busy, Document, Engine, NeedsRebuild
from portal.search.models import IndexTask
from portal.search.on_postgres import PostgresEngine
from portal.search.on_whoosh import WhooshEngine
from portal.transactions import transaction
from portal.worker import all_or_stop

log = logging.getLogger(__name__)

BATCH = 200
LOOK_AFTER = 5.0  # seconds between looks at whether the index is sound


def init_app(app: Flask) -> None:
    """Give the app its index: in the instance folder, or in the database."""
    app.extensions["search"] = _in_database(app) if app.config["SEARCH"] == "postgres" else _in_folder(app)
    app.extensions["search"].read_synonyms = lambda: option("synonyms")


def engine() -> Engine:
    """Return this app's search index."""
    found: Engine = current_app.extensions["search"]
    return found


def _in_folder(app: Flask) -> Engine:
    return WhooshEngine(Path(app.config["INSTANCE"]) / "index")


def _in_database(app: Flask) -> Engine:
    with app.app_context():
        return PostgresEngine(db.engine)


def index_idea(recorded: Recorded) -> None:
    """Note that the idea of this event has to be read again, and its main idea, which is found by its words too."""
    for idea_id in {
        recorded.event.idea_id,
        db.session.scalar(select(Idea.merged_into_id).where(Idea.id == recorded.event.idea_id)),
        getattr(recorded.event, "from_id", None),
    }:
        if idea_id is not None:
            note(idea_id)


def index_board(recorded: Recorded) -> None:
    """Note that ideas elsewhere, into which some of this board were merged, may be found by other words than before."""
    main = aliased(Idea)
    elsewhere = (
        select(Idea.merged_into_id)
        .join(main, main.id == Idea.merged_into_id)
        .where(sa.or_(Idea.board_id == recorded.event.board_id, main.board_id == recorded.event.board_id))
        .distinct()
    )
    for idea_id in db.session.scalars(elsewhere).all():
        note(idea_id or 0)


def note(idea_id: int) -> None:
    """Have the index read this idea again soon."""
    if not insert_if_absent(IndexTask, idea_id=idea_id, asked_at=utcnow()):
        db.session.execute(sa.update(IndexTask).where(IndexTask.idea_id == idea_id).values(asked_at=utcnow()))


def forget(idea_ids: Iterable[int]) -> None:
    """Have the index built anew soon: what these ideas said before must not stay in any of its files."""
    for idea_id in idea_ids:
        note(idea_id)
        db.session.execute(sa.update(IndexTask).where(IndexTask.idea_id == idea_id).values(leaves_no_trace=True))


def index_pending() -> int:
    """Bring the index up to date with the ideas noted so far, in one write; return how many there were."""
    tasks: list[tuple[int, datetime, bool]] = [
        (task.idea_id, task.asked_at, task.leaves_no_trace)
        for task in db.session.scalars(select(IndexTask).order_by(IndexTask.asked_at).limit(BATCH))
    ]
    if not tasks:
        return _mend()
    ids = [idea_id for idea_id, _asked, _no_trace in tasks]
    found = list(documents(ids))
    db.session.rollback()  # the index is written without holding the database
    try:
        if any(no_trace for _idea_id, _asked, no_trace in tasks):
            rebuild()
        else:
            _bring_in(ids, found)
    except NeedsRebuild:
        rebuild()
    except Busy:
        return 0  # somebody rebuilds it; the tasks wait
    with transaction(wake=False):
        for idea_id, asked_at, _no_trace in tasks:
            db.session.execute(sa.delete(IndexTask).where(IndexTask.idea_id == idea_id, IndexTask.asked_at <= asked_at))
        watch(ids)
    return len(tasks)


def _mend() -> int:
    """Every few seconds see whether the index is there and whole, and if not, build it anew; return 1 if so."""
    found = engine()
    if time.monotonic() < found.looked_after + LOOK_AFTER:
        return 0
    found.looked_after = time.monotonic()
    there = db.session.scalar(select(Idea.id).limit(1))
    db.session.rollback()
    if there is None or found.is_healthy():
        return 0
    log.warning("the search index is missing or damaged: it is built anew")
    try:
        rebuild()
    except Busy:
        return 0  # somebody else does
    return 1


def _bring_in(ids: Sequence[int], found: Sequence[Document]) -> None:
    if found:
        engine().index(found)
    gone = set(ids) - {document.id for document in found}
    if gone:
        engine().remove(gone)


def rebuild(on_progress: Callable[[int, int], None] | None = None) -> int:
    """Build the index anew from the database while the old one answers; return how many ideas it has."""
    total = db.session.scalar(select(sa.func.count()).where(Idea.publication != Publication.REMOVED)) or 0
    engine().rebuild(all_or_stop(documents()), total=total, on_progress=on_progress)
    return total


def documents(ids: Sequence[int] | None = None) -> Iterator[Document]:
    """Yield what the index should know of these ideas, or of all, in batches of bounded memory."""
    last = 0
    while True:
        some = (
            select(Idea).where(Idea.publication != Publication.REMOVED, Idea.id > last).order_by(Idea.id).limit(BATCH)
        )
        if ids is not None:
            some = some.where(Idea.id.in_(ids))
        batch = list(db.session.scalars(some))
        if not batch:
            return
        said = _said([idea.id for idea in batch])
        for idea in batch:
            yield Document(idea.id, idea.title, f"{idea.need}\n{idea.proposal}", "\n".join(said.get(idea.id, [])))
        last = batch[-1].id
        db.session.expunge_all()


def _said(ids: list[int]) -> dict[int, list[str]]:
    """Collect comments, answers, reasons and the wording of merged ideas, by the idea they are found under."""
    said: dict[int, list[str]] = {}
    for texts in (
        select(Comment.idea_id, Comment.body).where(Comment.idea_id.in_(ids), Comment.deleted_at.is_(None)),
        select(Answer.idea_id, Answer.body + "\n" + Answer.alternative + "\n" + Answer.reversal).where(
            Answer.idea_id.in_(ids), Answer.taken_back_at.is_(None)
        ),
        select(StatusChange.idea_id, StatusChange.reason).where(
            StatusChange.idea_id.in_(ids), StatusChange.reason != "", StatusChange.undone_at.is_(None)
        ),
        merged_wording(ids),
    ):
        for idea_id, text in db.session.execute(texts):
            said.setdefault(idea_id or 0, []).append(text)
    return said


def merged_wording(ids: Sequence[int]) -> sa.Select[int | None, str]:
    """Select the words of the ideas merged into these; none that readers of these may not read."""
    main, place = aliased(Idea), aliased(Board)
    return (
        select(Idea.merged_into_id, Idea.title + "\n" + Idea.need + "\n" + Idea.proposal)
        .join(main, main.id == Idea.merged_into_id)
        .join(place, place.id == Idea.board_id)
        .where(Idea.merged_into_id.in_(ids), Idea.publication == Publication.PUBLISHED)
        .where(sa.or_(Idea.board_id == main.board_id, place.audience == Audience.PUBLIC), ~place.one_way)
    )
