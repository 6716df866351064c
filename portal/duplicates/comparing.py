"""Two ideas side by side, with the words they share marked."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import select

from portal.db import db
from portal.ideas.followers import audience_of
from portal.ideas.models import Idea
from portal.search import words
from portal.text import plain

SHOWN = 1200  # letters of each part of an idea's text

Pieces = list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Side:
    """One idea as it is compared with another."""

    idea: Idea
    title: Pieces
    paragraphs: list[Pieces]
    followers: int


def compare(one: Idea, other: Idea, found_by: frozenset[str]) -> tuple[Side, Side]:
    """Return both sides; marked are words that both have, first of all those by which they were found."""
    mine, theirs = set(words.stems(_text(one))), set(words.stems(_text(other)))
    titles = set(words.stems(one.title)) | set(words.stems(other.title))
    shared = mine & theirs
    marked = shared & (titles | found_by) or shared
    followers = _followers(one.id, other.id)
    return _side(one, marked, followers), _side(other, marked, followers)


def _side(idea: Idea, marked: set[str], followers: dict[int, int]) -> Side:
    paragraphs = [words.mark(plain(text, SHOWN), marked) for text in (idea.need, idea.proposal) if text]
    return Side(idea, words.mark(idea.title, marked), paragraphs, followers.get(idea.id, 0))


def _text(idea: Idea) -> str:
    return f"{idea.title}\n{idea.need}\n{idea.proposal}"


def _followers(*ids: int) -> dict[int, int]:
    """Count who hears of each idea, also through what was merged into it, as the preview below does."""
    people = {idea_id: audience_of(idea_id, None).subquery() for idea_id in ids}
    counts = (select(sa.func.count()).select_from(each).scalar_subquery() for each in people.values())
    return dict(zip(people, db.session.execute(select(*counts)).one(), strict=True))
