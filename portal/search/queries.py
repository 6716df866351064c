"""Finding ideas for one viewer: similar ones, results of a search, and where the words were found."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import Person, User
from portal.boards.models import Board
from portal.comments.models import Comment
from portal.db import db
from portal.ideas.lists import IdeaRow, rows_by_id
from portal.ideas.models import Answer, Idea
from portal.ideas.queries import is_seen_by
from portal.ideas.workflow import Publication, Status
from portal.search import words
from portal.search.engine import Hit, NeedsRebuild, Strength
from portal.search.index import engine, merged_wording

log = logging.getLogger(__name__)

SHOWN = 4  # similar ideas
FETCHED = 16  # before those the viewer may not see are left out
RANKED = 1000  # results of a search that are looked through
PAGE = 20
LETTERS, MEANT = 12, 3  # a title is worth comparing from so many letters or words on

Pieces = list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class SimilarIdea:
    """An idea that resembles what is being typed, with the words that show it."""

    row: IdeaRow
    strength: Strength
    title: Pieces
    why: Pieces


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody searches for."""

    words: str = ""
    status: str = ""
    board: str = ""
    author: str = ""
    after: date | None = None
    before: date | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked."""
        return not (self.words.strip() or self.status or self.board or self.author or self.after or self.before)


@dataclass(frozen=True, slots=True)
class Found:
    """One idea that answers a search, with the passage that does."""

    row: IdeaRow
    title: Pieces
    place: str
    passage: Pieces


@dataclass(frozen=True, slots=True)
class Results:
    """One page of answers, how many there are, and how they spread."""

    found: list[Found]
    total: int
    page: int
    statuses: list[tuple[Status, int]]
    boards: list[tuple[str, str, int]]
    from_database: bool = False

    @property
    def has_more(self) -> bool:
        """Whether there is a page after this one."""
        return self.total > self.page * PAGE


def is_worth_comparing(title: str) -> bool:
    """Whether enough was typed to look for similar ideas."""
    return len(title.strip()) >= LETTERS or len(words.stems(title)) >= MEANT


def similar_ideas(
    viewer: Person, title: str, body: str = "", exclude: Sequence[int] = (), limit: int = SHOWN
) -> list[SimilarIdea]:
    """Return the ideas most like this one that the viewer may see, whatever became of them.

    An idea that was merged stands for its main idea. Without an index there are none.
    """
    try:
        hits = engine().similar(title[:300], body[:2000], limit=FETCHED, exclude=exclude)
    except NeedsRebuild:
        log.warning("the search index has to be rebuilt: portal search rebuild")
        return []
    needed = min(2, len(set(words.stems(title))))  # one common word makes nothing similar
    hits = [hit for hit in hits if len(hit.words) >= needed]
    rows = rows_by_id(viewer, [hit.id for hit in hits])
    mains = _main_ideas(viewer, rows)
    shown: dict[int, SimilarIdea] = {}
    for hit in hits:
        row = mains.get(hit.id) or rows.get(hit.id)
        if row and row.publication is Publication.PUBLISHED and row.id not in shown and row.id not in exclude:
            shown[row.id] = SimilarIdea(
                row, hit.strength, words.mark(row.title, hit.words), words.snippet(row.excerpt, hit.words, 140)
            )
    return list(shown.values())[:limit]


def guess_board(similar: Sequence[SimilarIdea]) -> str:
    """Return the address of the board where most of these ideas are, the nearest counting most; empty without any."""
    weights: Counter[str] = Counter()
    for place, idea in enumerate(similar):
        weights[idea.row.board_slug] += len(similar) - place
    return weights.most_common(1)[0][0] if weights else ""


def search_ideas(viewer: Person, asked: Asked, page: int = 1) -> Results:
    """Return one page of the ideas that answer the search, best first; without words the newest first."""
    hits, from_database = _ranked(asked)
    candidates = _candidates(viewer, asked, [hit.id for hit in hits] if asked.words.strip() else None)
    known = {row.id: row for row in candidates}
    order = [hit.id for hit in hits if hit.id in known] if asked.words.strip() else list(known)
    wanted = [n for n in order if _fits(known[n], asked)]
    ids = wanted[(page - 1) * PAGE : page * PAGE]
    rows = rows_by_id(viewer, ids)
    matched = {hit.id: hit.words for hit in hits}
    passages = _passages(ids, matched)
    return Results(
        found=[
            Found(rows[n], words.mark(rows[n].title, matched.get(n, frozenset())), *passages[n])
            for n in ids
            if n in rows
        ],
        total=len(wanted),
        page=page,
        statuses=_count_statuses([known[n] for n in order if _fits(known[n], asked, but="status")]),
        boards=_count_boards([known[n] for n in order if _fits(known[n], asked, but="board")]),
        from_database=from_database,
    )


def _main_ideas(viewer: Person, rows: dict[int, IdeaRow]) -> dict[int, IdeaRow]:
    merged = [row.id for row in rows.values() if row.status is Status.MERGED]
    if not merged:
        return {}
    pairs = db.session.execute(select(Idea.id, Idea.merged_into_id).where(Idea.id.in_(merged))).all()
    mains = rows_by_id(viewer, [main for _id, main in pairs if main])
    return {idea_id: mains[main] for idea_id, main in pairs if main in mains}


def _ranked(asked: Asked) -> tuple[list[Hit], bool]:
    if not asked.words.strip():
        return [], False
    try:
        return engine().search(asked.words, limit=RANKED), False
    except NeedsRebuild:
        log.warning("the search index has to be rebuilt: portal search rebuild")
        return _from_database(asked.words), True


def _from_database(text: str) -> list[Hit]:
    """Find ideas whose title or text holds every word as it was typed: what is left while there is no index."""
    typed = text[:200].lower().split()[:16]
    everything = sa.func.lower(Idea.title + " " + Idea.need + " " + Idea.proposal)
    found = select(Idea.id).order_by(Idea.votes.desc(), Idea.id.desc()).limit(RANKED)
    for word in typed:
        found = found.where(everything.contains(word, autoescape=True))
    stems = frozenset(words.stems(text))
    return [Hit(idea_id, 0.0, stems) for idea_id in db.session.scalars(found)]


def _candidates(viewer: Person, asked: Asked, ids: list[int] | None) -> Sequence[Any]:
    seen = (
        select(Idea.id, Idea.status, Board.slug, Board.name)
        .join(Board, Board.id == Idea.board_id)
        .where(is_seen_by(viewer), Idea.publication == Publication.PUBLISHED)
        .order_by(Idea.published_at.desc(), Idea.id.desc())
        .limit(RANKED)
    )
    if ids is not None:
        seen = seen.where(Idea.id.in_(ids))
    if asked.author:
        names = sa.func.lower(User.name).contains(asked.author.lower(), autoescape=True)
        seen = seen.where(Idea.author_id.in_(select(User.id).where(names)))
    if asked.after:
        seen = seen.where(Idea.published_at >= datetime.combine(asked.after, time(), UTC))
    if asked.before:
        seen = seen.where(Idea.published_at <= datetime.combine(asked.before, time.max, UTC))
    if ids is None and asked.status:
        seen = seen.where(Idea.status == Status(asked.status))
    if ids is None and asked.board:
        seen = seen.where(Board.slug == asked.board)
    return db.session.execute(seen).all()


def _fits(row: Any, asked: Asked, but: str = "") -> bool:
    status = but == "status" or not asked.status or row.status == asked.status
    board = but == "board" or not asked.board or row.slug == asked.board
    return status and board


def _count_statuses(rows: Sequence[Any]) -> list[tuple[Status, int]]:
    counts = Counter(row.status for row in rows)
    return [(status, counts[status]) for status in Status if counts[status]]


def _count_boards(rows: Sequence[Any]) -> list[tuple[str, str, int]]:
    counts = Counter((row.slug, row.name) for row in rows)
    return [(slug, name, number) for (slug, name), number in counts.most_common()]


def _passages(ids: list[int], matched: dict[int, frozenset[str]]) -> dict[int, tuple[str, Pieces]]:
    """Choose for each idea the text that shows most of the words, the idea's own before others' words about it."""
    texts: dict[int, list[tuple[str, str]]] = {idea_id: [] for idea_id in ids}
    own = select(Idea.id, Idea.need, Idea.proposal).where(Idea.id.in_(ids))
    for idea_id, need, proposal in db.session.execute(own):
        texts[idea_id].append(("", f"{need}\n{proposal}"))
    for place, said in (
        (_("In the answer"), select(Answer.idea_id, Answer.body).where(Answer.idea_id.in_(ids))),
        (
            _("In a comment"),
            select(Comment.idea_id, Comment.body)
            .where(Comment.idea_id.in_(ids), Comment.deleted_at.is_(None))
            .limit(2000),
        ),
        (_("In a merged idea"), merged_wording(ids)),
    ):
        for found_id, text in db.session.execute(said):
            texts[found_id or 0].append((place, text))
    return {idea_id: _best_passage(texts[idea_id], matched.get(idea_id, frozenset())) for idea_id in ids}


def _best_passage(texts: list[tuple[str, str]], stems: frozenset[str]) -> tuple[str, Pieces]:
    passages = [(place, words.snippet(text[:5000], stems)) for place, text in texts]
    return max(passages, key=lambda passage: len({piece.lower() for piece, is_hit in passage[1] if is_hit}))
