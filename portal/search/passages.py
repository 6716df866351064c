"""Where the words of a search were found: in the idea's own text, in an answer, a comment or merged wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.comments.models import Comment
from portal.db import db
from portal.ideas.models import Answer, Idea
from portal.search import words
from portal.search.index import merged_wording

Pieces = list[tuple[str, bool]]
COMMENTS = 100  # on one idea, the newest
LETTERS = 5000  # of one text


def passages(ids: Sequence[int], matched: Mapping[int, frozenset[str]]) -> dict[int, tuple[str, Pieces]]:
    """Choose for each idea where it says most of the words, and the passage; its own text before others' about it."""
    own = select(Idea.id, Idea.title, Idea.need, Idea.proposal).where(Idea.id.in_(ids))
    best: dict[int, tuple[str, str]] = {}
    held: dict[int, int] = {}
    for idea_id, title, need, proposal in db.session.execute(own):
        best[idea_id] = ("", f"{need}\n{proposal}")
        wanted = matched.get(idea_id, frozenset())
        missing = wanted - _held(f"{title}\n{best[idea_id][1]}", wanted)
        if missing:
            held[idea_id] = len(_held(best[idea_id][1], wanted))
    for idea_id, place, text in _said(list(held)):
        number = len(_held(text, matched[idea_id]))
        if number > held[idea_id]:
            best[idea_id], held[idea_id] = (place, text), number
    return {
        idea_id: (best[idea_id][0], words.snippet(best[idea_id][1][:LETTERS], matched.get(idea_id, frozenset())))
        for idea_id in ids
        if idea_id in best
    }


def count_answers(ids: Sequence[int], asked: str) -> int:
    """Count the official answers to these ideas that have all the words and phrases."""
    query = words.read(asked)
    if not ids or not (query.words or query.phrases):
        return 0
    answers = select(Answer.body).where(Answer.idea_id.in_(ids), Answer.taken_back_at.is_(None))
    return sum(_has_all(body, query) for body in db.session.scalars(answers))


def _answers_to(ids: Sequence[int]) -> sa.Select[int, str]:
    return select(Answer.idea_id, Answer.body).where(Answer.idea_id.in_(ids), Answer.taken_back_at.is_(None))


def _said(ids: Sequence[int]) -> list[tuple[int, str, str]]:
    """Return what was said about these ideas, each with where."""
    if not ids:
        return []
    number = sa.func.row_number().over(partition_by=Comment.idea_id, order_by=Comment.at.desc()).label("number")
    said = select(Comment.idea_id, Comment.body, number)
    newest = said.where(Comment.idea_id.in_(ids), Comment.deleted_at.is_(None)).subquery()
    texts = (
        (_("In the answer"), _answers_to(ids)),
        (
            _("In a comment"),
            select(newest.c.idea_id, newest.c.body).where(newest.c.number <= COMMENTS),
        ),
        (_("In a merged idea"), merged_wording(ids)),
    )
    return [(idea_id or 0, place, text) for place, asked in texts for idea_id, text in db.session.execute(asked)]


def _held(text: str, stems: frozenset[str]) -> frozenset[str]:
    return stems & set(words.stems(text[:LETTERS]))


def _has_all(text: str, query: words.Query) -> bool:
    held, sequence = set(words.stems(text[:LETTERS])), words.sequence(text[:LETTERS])
    there = all(ways[-1] in held or (len(ways) > 1 and held.issuperset(ways[:-1])) for ways in query.words)
    return there and all(f" {' '.join(phrase)} " in sequence for phrase in query.phrases)
