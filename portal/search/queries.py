"""Similar ideas for one viewer, while an idea is being typed or looked at."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import Person
from portal.db import db
from portal.ideas.lists import IdeaRow, rows_by_id
from portal.ideas.models import Idea
from portal.ideas.queries import is_out_for
from portal.ideas.workflow import Publication, Status
from portal.search import words
from portal.search.engine import Hit, NeedsRebuild, Strength
from portal.search.index import engine
from portal.search.passages import Pieces

log = logging.getLogger(__name__)

SHOWN = 4  # similar ideas
FETCHED = 16  # before those the viewer may not see are left out
NEWEST = 2_000  # ideas that are looked through while there is no index
LETTERS, MEANT = 12, 3  # a title is worth comparing from so many letters or words on


@dataclass(frozen=True, slots=True)
class SimilarIdea:
    """An idea that resembles what is being typed, with the words that show it."""

    row: IdeaRow
    strength: Strength
    title: Pieces
    why: Pieces
    indexed: bool = True  # found by the index, and not by title among the newest only
    through: Pieces | None = None  # the title of the merged idea that it is, where that one was found


def is_worth_comparing(title: str) -> bool:
    """Whether enough was typed to look for similar ideas."""
    return len(title.strip()) >= LETTERS or len(words.stems(title)) >= MEANT


def similar_ideas(
    viewer: Person, title: str, body: str = "", exclude: Sequence[int] = (), limit: int = SHOWN
) -> list[SimilarIdea]:
    """Return the ideas most like this one that the viewer may see, whatever became of them.

    An idea that was merged stands for its main idea. Without an index, the newest ideas are looked through by title.
    """
    indexed = True
    try:
        hits = engine().similar(
            title[:300],
            body[:2000],
            FETCHED,
            exclude,
            readable=lambda ids: db.session.scalars(_shown(viewer, ids)).all(),
        )
    except NeedsRebuild:
        log.warning("the search index has to be rebuilt: portal search rebuild")
        hits, indexed = _from_database(viewer, title, exclude), False
    needed = min(2, len(set(words.stems(title))))  # one common word makes nothing similar
    hits = [hit for hit in hits if len(hit.words) >= needed]
    rows = rows_by_id(viewer, [hit.id for hit in hits])
    mains = _main_ideas(viewer, rows)
    shown: dict[int, SimilarIdea] = {}
    for hit in hits:
        main, found = mains.get(hit.id), rows.get(hit.id)
        row = main or found
        if row and row.publication is Publication.PUBLISHED and row.id not in shown and row.id not in exclude:
            shown[row.id] = SimilarIdea(
                row,
                hit.strength,
                words.mark(row.title, hit.words),
                words.snippet(row.excerpt, hit.words, 140),
                indexed,
                words.mark(found.title, hit.words) if main and found else None,
            )
    return list(shown.values())[:limit]


def _shown(viewer: Person, ids: Sequence[int]) -> sa.Select[int]:
    return select(Idea.id).where(is_out_for(viewer), Idea.id.in_(ids))


def _from_database(viewer: Person, title: str, exclude: Sequence[int]) -> list[Hit]:
    """Return those of the newest ideas whose titles share words with this one, most alike first."""
    mine = set(words.stems(title))
    newest = select(Idea.id, Idea.title).where(is_out_for(viewer)).order_by(Idea.id.desc()).limit(NEWEST)
    hits = []
    for idea_id, other in db.session.execute(newest):
        theirs = set(words.stems(other))
        shared = mine & theirs
        if shared and idea_id not in exclude:
            hits.append(Hit(idea_id, 2 * len(shared) / (len(mine) + len(theirs)), frozenset(shared)))
    return sorted(hits, key=lambda hit: -hit.score)[:FETCHED]


def guess_board(similar: Sequence[SimilarIdea]) -> str:
    """Return the address of the board where most of these ideas are, the nearest counting most; empty without any."""
    weights: Counter[str] = Counter()
    for place, idea in enumerate(similar):
        weights[idea.row.board_slug] += len(similar) - place
    return weights.most_common(1)[0][0] if weights else ""


def _main_ideas(viewer: Person, rows: dict[int, IdeaRow]) -> dict[int, IdeaRow]:
    merged = [row.id for row in rows.values() if row.status is Status.MERGED]
    if not merged:
        return {}
    pairs = db.session.execute(select(Idea.id, Idea.merged_into_id).where(Idea.id.in_(merged))).all()
    mains = rows_by_id(viewer, [main for _id, main in pairs if main])
    return {idea_id: mains[main] for idea_id, main in pairs if main in mains}
