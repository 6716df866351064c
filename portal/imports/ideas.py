"""Bringing in ideas: in batches, silently, each once however often the file is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.boards.models import Board
from portal.boards.service import ensure_board
from portal.config import ConfigurationError
from portal.db import db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit, quietly
from portal.ideas import heat
from portal.ideas.events import IdeasImported
from portal.ideas.models import Follow, Idea, StatusChange, Tag, Vote, VoteOrigin, idea_tags
from portal.ideas.moves import move_idea
from portal.ideas.promises import begin_all, next_word_due
from portal.ideas.service import count_on_board, write_text
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.imports.authors import Authors
from portal.imports.duplicates import main_ideas
from portal.imports.reading import Row, Source
from portal.imports.rows import Draft, Unfit, is_known, read_row
from portal.search import index
from portal.search.models import IndexTask
from portal.transactions import transaction

BATCH = 300
SHOWN = 20  # problems that are told one by one
REBUILD_FROM = 2_000  # ideas; fewer are quicker read one by one

T = TypeVar("T")
Progress = Callable[[int], None]


@dataclass(slots=True)
class Report:
    """What an import did, or would do."""

    source: str
    board: str = ""
    rows: int = 0
    added: int = 0
    known: int = 0
    merged: int = 0
    authors: int = 0
    bad: int = 0
    problems: list[str] = field(default_factory=list)
    ignored: dict[str, None] = field(default_factory=dict)

    def refuse(self, where: str, reason: str) -> None:
        """Note that something could not come in."""
        self.bad += 1
        if len(self.problems) < SHOWN:
            self.problems.append(f"{where}: {reason}")


def import_ideas(
    file: Source,
    *,
    source: str,
    board: str | None = None,
    dry_run: bool = False,
    limit: int | None = None,
    on_batch: Progress = lambda _bytes: None,
) -> Report:
    """Every idea of the file is in, once; nobody is told of it. Rows that were in before are left as they are.

    What duplicates another is merged into it at the end. ``dry_run`` counts all of this and writes nothing.
    """
    job = _Import(source, board, dry_run)
    rows = file.rows()
    for batch in _batches(rows if limit is None else islice(rows, limit)):
        job.take(batch)
        on_batch(file.bytes_read)
    job.merge_duplicates()
    return job.report


def bring_index_up_to_date(added: int, on_progress: Callable[[int, int], None]) -> None:
    """What came in can be found."""
    if added >= REBUILD_FROM:
        began = utcnow()
        index.rebuild(on_progress)
        with transaction(wake=False):
            db.session.execute(sa.delete(IndexTask).where(IndexTask.asked_at < began))
        return
    total, done = db.session.scalar(select(sa.func.count()).select_from(IndexTask)) or 0, 0
    while read := index.index_pending():
        done += read
        on_progress(min(done, total), total)


class _Import:
    """One file on its way in."""

    def __init__(self, source: str, board: str | None, dry_run: bool) -> None:
        self.report = Report(source)
        self._source, self._dry_run, self._now = source, dry_run, utcnow()
        self._authors = Authors(source)
        self._lines: dict[str, int] = {}  # of ids seen in this file
        self._duplicates: dict[str, tuple[str, ...]] = {}
        self._tags: dict[str, int] = {}
        self._boards: dict[str, int] = {}
        self._default = self._find_boards(board)

    def take(self, rows: Sequence[Row]) -> None:
        """Bring in one batch, in one transaction."""
        drafts = list(self._fit(rows))
        known = self._known({draft.external_id for draft in drafts})
        fresh = [draft for draft in drafts if draft.external_id not in known]
        self.report.known += len(known)
        self.report.added += len(fresh)
        if fresh and not self._dry_run:
            written = [_write(draft, self._now) for draft in fresh]
            try:
                with transaction(wake=False), quietly():
                    self._save(fresh, written)
            except IntegrityError as problem:
                raise ConfigurationError(
                    f"Something else wrote the same rows ({problem.orig}). Does another import of {self._source} run?"
                ) from None
        self.report.authors = self._authors.made
        db.session.rollback()
        db.session.expunge_all()

    def merge_duplicates(self) -> None:
        """Merge what the rows call duplicates; an idea that was ever merged before is left as it is."""
        mains, lost = main_ideas(self._duplicates, self._all_targets().__contains__)
        for one in lost:
            self.report.refuse(
                f"line {self._lines[one]}",
                f"{one} is in, but not merged: {', '.join(self._duplicates[one])} is not there",
            )
        for pairs in _batches(mains.items()):
            merged_before = self._merged_before([one for one, _main in pairs])
            todo = [(one, main) for one, main in pairs if one not in merged_before]
            if self._dry_run:
                self.report.merged += len(todo)
            elif todo:
                with transaction(wake=False), quietly():
                    self._merge(todo)
                db.session.expunge_all()

    def _fit(self, rows: Iterable[Row]) -> Iterator[Draft]:
        for row in rows:
            self.report.rows += 1
            self.report.ignored |= dict.fromkeys(name for name in row.fields if name and not is_known(name))
            try:
                if row.problem:
                    raise Unfit(row.problem)
                draft = read_row(row.line, row.fields, self._now)
                self._board_id(draft.board)
                if draft.external_id in self._lines:
                    raise Unfit(f"the same as line {self._lines[draft.external_id]}")
            except Unfit as problem:
                self.report.refuse(f"line {row.line}", str(problem))
                continue
            self._lines[draft.external_id] = draft.line
            if draft.duplicate_of:
                self._duplicates[draft.external_id] = draft.duplicate_of
            yield draft

    def _known(self, external_ids: Iterable[str]) -> set[str]:
        there = select(Idea.external_id).where(Idea.source == self._source, Idea.external_id.in_(external_ids))
        return {found for found in db.session.scalars(there) if found}

    def _save(self, drafts: Sequence[Draft], ideas: Sequence[Idea]) -> None:
        for draft, idea in zip(drafts, ideas, strict=True):
            idea.source, idea.external_id = self._source, draft.external_id
            idea.board_id, idea.author_id = self._board_id(draft.board), self._authors.find_or_make(draft.author)
            idea.due_at = next_word_due(idea, self._now)
        db.session.add_all(ideas)
        db.session.flush()
        begin_all(ideas, self._now)
        pairs = list(zip(drafts, ideas, strict=True))
        given = {"origin": VoteOrigin.IMPORTED}
        _insert(
            Vote,
            [given | {"idea_id": i.id, "voter_id": i.author_id, "cast_at": d.created} for d, i in pairs if d.author],
        )
        _insert(
            Follow,
            [
                {"idea_id": i.id, "user_id": i.author_id, "is_author": True, "is_voter": True, "since": d.created}
                for d, i in pairs
                if d.author
            ],
        )
        _insert(
            StatusChange,
            [
                {
                    "idea_id": i.id,
                    "source": Status.NEW,
                    "target": i.status,
                    "at": d.created,
                    "since_before": d.created,
                    "reason": _("This is where it stood where it came from."),
                }
                for d, i in pairs
                if i.status is not Status.NEW
            ],
        )
        _insert(idea_tags, [{"idea_id": i.id, "tag_id": self._tag_id(tag)} for d, i in pairs for tag in d.tags])
        _insert(IndexTask, [{"idea_id": i.id, "asked_at": self._now} for _d, i in pairs])
        for board_id in {idea.board_id for idea in ideas}:
            count_on_board(board_id, sum(idea.board_id == board_id for idea in ideas))
        emit(IdeasImported(source=self._source, count=len(ideas)))

    def _merge(self, pairs: Sequence[tuple[str, str]]) -> None:
        wanted = {name for pair in pairs for name in pair}
        found = db.session.scalars(select(Idea).where(Idea.source == self._source, Idea.external_id.in_(wanted)))
        ideas = {idea.external_id: idea for idea in found}
        for one, main in pairs:
            try:
                move_idea(ideas[one], Status.MERGED, None, MoveDetails(into=ideas[main]))
            except Refusal as problem:
                self.report.refuse(
                    f"line {self._lines[one]}", f"{one} is in, but not merged into {main}: {problem.message}"
                )
                continue
            self.report.merged += 1
            index.note(ideas[one].id)
            index.note(ideas[main].id)

    def _merged_before(self, external_ids: list[str]) -> set[str]:
        before = (
            select(Idea.external_id)
            .join(StatusChange, StatusChange.idea_id == Idea.id)
            .where(
                Idea.source == self._source, Idea.external_id.in_(external_ids), StatusChange.target == Status.MERGED
            )
        )
        return {found for found in db.session.scalars(before) if found}

    def _all_targets(self) -> set[str]:
        """Return which ids there are: those of this file, and of those it names, the ones that came in earlier."""
        elsewhere = {name for names in self._duplicates.values() for name in names} - self._lines.keys()
        earlier = (self._known(names) for names in _batches(elsewhere))
        return set(self._lines).union(*earlier)

    def _find_boards(self, asked: str | None) -> int:
        boards = list(db.session.scalars(select(Board).order_by(Board.position, Board.id)))
        self._boards = {name.lower(): board.id for board in boards for name in (board.name, board.slug)}
        if asked and asked.lower() not in self._boards:
            there = ", ".join(board.slug for board in boards) or "none yet"
            raise ConfigurationError(f"There is no board {asked}. There are: {there}.")
        if not boards:
            return self._make_first_board()
        found = self._boards[asked.lower()] if asked else boards[0].id
        self.report.board = next(board.name for board in boards if board.id == found)
        return found

    def _make_first_board(self) -> int:
        name = str(_("Product ideas"))
        self.report.board = name
        if self._dry_run:
            return 0
        with transaction(wake=False):
            return ensure_board().id

    def _board_id(self, name: str) -> int:
        if not name:
            return self._default
        if name.lower() not in self._boards:
            raise Unfit(f"there is no board {name[:40]}")
        return self._boards[name.lower()]

    def _tag_id(self, name: str) -> int:
        if name not in self._tags:
            insert_if_absent(Tag, name=name)
            self._tags[name] = db.session.scalars(select(Tag.id).where(Tag.name == name)).one()
        return self._tags[name]


def _write(draft: Draft, now: datetime) -> Idea:
    """Return the idea as it will stand here: the team's clock starts today, whatever its age."""
    idea = Idea(
        status=draft.status,
        stage="",
        status_since=draft.created,
        published_at=draft.created,
        reminded_at=now,
        votes=1 if draft.author else 0,
        heat=heat.with_vote(heat.COLD, draft.created) if draft.author else heat.COLD,
    )
    write_text(idea, draft.title, draft.need, draft.proposal)
    return idea


def _insert(table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        db.session.execute(sa.insert(table), rows)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch
