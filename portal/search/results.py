"""The answer to a search: one page of ideas, how many there are, and by what they can be narrowed down."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from sqlalchemy import ColumnElement, select

from portal.accounts.models import Person
from portal.boards.queries import BoardLine, board_lines
from portal.db import db, only_checked
from portal.ideas.lists import IdeaRow, rows_by_id
from portal.ideas.models import Idea, Tag, idea_tags
from portal.ideas.queries import is_out_for
from portal.labels import queries as labels
from portal.search import facets, passages, words
from portal.search.asking import Asked, Term, looks_like_operator, read
from portal.search.did_you_mean import did_you_mean
from portal.search.engine import Hit, NeedsRebuild
from portal.search.facets import Facet, Fact
from portal.search.finding import ENOUGH
from portal.search.index import engine
from portal.search.meaning import Meaning, hints_about, meaning_of
from portal.search.passages import Pieces

log = logging.getLogger(__name__)

PAGE = 20
RANKED = 1000  # ideas that one search looks through: the best ones, or without words the newest
DEPTHS = (RANKED + 200, 6_000, 20_000)  # how many hits are asked for, as long as the viewer may see too few of them
FEW = 2 * PAGE  # of what was chosen, before more hits are looked through
COUNTED = 50  # ideas whose answers are counted


@dataclass(frozen=True, slots=True)
class Found:
    """One idea that answers a search, with the passage that does."""

    row: IdeaRow
    title: Pieces
    place: str
    passage: Pieces


@dataclass(frozen=True, slots=True)
class Results:
    """One page of answers to ``asked``: what was typed, or what was probably meant by it."""

    asked: Asked
    found: list[Found]
    total: int
    page: int
    facets: list[Facet]
    boards: list[BoardLine] = field(default_factory=list)  # that the viewer knows
    notes: list[str] = field(default_factory=list)
    answers: int = 0  # official answers among them with all the words
    cut: bool = False  # there are more than are looked through
    from_database: bool = False
    too_common: bool = False  # all its words are such as nearly every text has
    instead_of: Asked | None = None  # what was typed, where the results are for what was meant

    @property
    def has_more(self) -> bool:
        """Whether there is a page after this one."""
        return self.total > self.page * PAGE


def search_ideas(viewer: Person, asked: Asked, page: int = 1) -> Results:
    """Return one page of the ideas that answer the search, best first; without words the newest first.

    When nothing has a word as it was typed and ideas that the viewer may see have what was probably meant, the results
    are for that.
    """
    meant = _meant(viewer, asked)
    if meant is None:
        return _results(viewer, asked, page)
    as_meant = _results(viewer, meant, page)
    return replace(as_meant, instead_of=asked) if as_meant.total else _results(viewer, asked, page)


def ids_of(viewer: Person, asked: Asked, limit: int = RANKED) -> list[int]:
    """Return the numbers of the ideas that answer a search, without showing them."""
    ranking = _rank(viewer, asked, meaning_of(asked, viewer))
    return [fact.id for fact in ranking.chosen][:limit]


@dataclass(slots=True)
class _Ranking:
    """The ideas that answer, in their order, and what facets are counted from."""

    chosen: list[Fact]
    others: dict[str, list[Fact]]  # for each thing that was chosen, what there is without that choice
    matched: dict[int, frozenset[str]] = field(default_factory=dict)
    cut: bool = False
    from_database: bool = False
    too_common: bool = False


def _results(viewer: Person, asked: Asked, page: int) -> Results:
    meaning, boards = meaning_of(asked, viewer), board_lines(viewer)
    ranking = _rank(viewer, asked, meaning)
    ids = [fact.id for fact in ranking.chosen[(page - 1) * PAGE : page * PAGE]]
    rows = rows_by_id(viewer, ids)
    shown = passages.passages(ids, {n: ranking.matched.get(n, frozenset()) for n in ids})
    few = [fact.id for fact in ranking.chosen] if ranking.matched and len(ranking.chosen) <= COUNTED else []
    return Results(
        asked=asked,
        found=[
            Found(rows[n], words.mark(rows[n].title, ranking.matched.get(n, frozenset())), *shown[n])
            for n in ids
            if n in rows
        ],
        total=len(ranking.chosen),
        page=page,
        facets=facets.facets(asked, meaning, ranking.chosen, ranking.others, boards),
        boards=boards,
        notes=[*meaning.notes, *hints_about(asked, viewer)],
        answers=passages.count_answers(few, asked.words),
        cut=ranking.cut,
        from_database=ranking.from_database,
        too_common=ranking.too_common,
    )


def _meant(viewer: Person, asked: Asked) -> Asked | None:
    """Return the search as it was probably meant, if that is another; what stands in quotes is meant as it stands."""
    exact = [term for term in asked.terms if term.phrase or term.minus or looks_like_operator(term)]
    typed = [term for term in asked.terms if term not in exact]
    corrected = did_you_mean(viewer, " ".join(map(str, typed))) if typed else ""
    if not corrected:
        return None
    return replace(asked, terms=(*read(corrected).terms, *exact))


def _rank(viewer: Person, asked: Asked, meaning: Meaning) -> _Ranking:
    if not asked.terms:
        return _newest(viewer, meaning)
    query = words.read(asked.words)
    if not (query.words or query.phrases or query.without or query.without_phrases):
        ranking = _newest(viewer, meaning) if asked.operators else _Ranking([], {})
        ranking.too_common = True
        return ranking
    try:
        return _best(viewer, asked, meaning)
    except NeedsRebuild:
        log.warning("the search index has to be rebuilt: portal search rebuild")
        return _from_database(viewer, asked, meaning)


def _best(viewer: Person, asked: Asked, meaning: Meaning) -> _Ranking:
    """Look through as many hits as it takes: that others are hidden from the viewer changes nothing for them."""
    hits: list[Hit] = []
    known: list[Fact] = []
    chosen: list[Fact] = []
    for depth in DEPTHS:
        hits = engine().search(asked.words, limit=depth)
        facts = {fact.id: fact for fact in _facts(viewer, meaning.conditions, [hit.id for hit in hits])}
        known = [facts[hit.id] for hit in hits if hit.id in facts]
        known = _described(known, viewer, meaning.choices)
        chosen = _fitting(known, meaning)
        if len(hits) < depth or (len(known) >= RANKED and (not meaning.choices or len(chosen) >= FEW)):
            break
    if len(known) < ENOUGH <= len(hits) and len(_facts(viewer, (), [hit.id for hit in hits])) < ENOUGH:
        hits = engine().search(asked.words, limit=DEPTHS[-1], enough=DEPTHS[-1])  # as if there were no hidden ones
        facts = {fact.id: fact for fact in _facts(viewer, meaning.conditions, [hit.id for hit in hits])}
        known = _described([facts[hit.id] for hit in hits if hit.id in facts], viewer, meaning.choices)
        chosen = _fitting(known, meaning)
    cut = len(known) > RANKED or len(hits) >= DEPTHS[-1]
    others = {name: _fitting(known, meaning, but=name)[:RANKED] for name in meaning.choices}
    return _Ranking(_described(chosen[:RANKED], viewer), others, {hit.id: hit.words for hit in hits}, cut)


def _newest(viewer: Person, meaning: Meaning) -> _Ranking:
    """Look through the newest ideas that fit; for each choice once more without it."""
    chosen = _facts(viewer, meaning.where(), limit=RANKED + 1)
    others = {
        name: _described(_facts(viewer, meaning.where(but=name), limit=RANKED), viewer, {name})
        for name in meaning.choices
    }
    return _Ranking(_described(chosen[:RANKED], viewer), others, cut=len(chosen) > RANKED)


def _from_database(viewer: Person, asked: Asked, meaning: Meaning) -> _Ranking:
    """Find ideas that hold every word as it was typed: what is left while there is no index."""
    typed = [_typed(term) for term in asked.terms]
    ranking = _newest(viewer, replace(meaning, conditions=[*meaning.conditions, *typed]))
    stems = frozenset(words.stems(asked.wanted))
    ranking.matched = {fact.id: stems for fact in ranking.chosen}
    ranking.from_database = True
    return ranking


def _typed(term: Term) -> ColumnElement[bool]:
    everything = sa.func.lower(Idea.title + " " + Idea.need + " " + Idea.proposal)
    there = everything.contains(term.text.lower(), autoescape=True)
    return sa.not_(there) if term.minus else there


def _facts(
    viewer: Person, conditions: Iterable[ColumnElement[bool]], ids: Sequence[int] | None = None, limit: int = 0
) -> list[Fact]:
    """Return what is to be known of ideas that fit and the viewer may see: of the newest ``limit``, or of these."""
    asked = select(Idea.id, Idea.status, Idea.board_id, Idea.author_id, Idea.published_at)
    wanted = sa.and_(is_out_for(viewer), *conditions)
    if ids is not None:
        asked = asked.where(Idea.id.in_(ids), only_checked(wanted))
    else:
        asked = asked.where(wanted).order_by(Idea.published_at.desc(), Idea.id.desc()).limit(limit)
    return [Fact(*row) for row in db.session.execute(asked)]


def _fitting(facts: Iterable[Fact], meaning: Meaning, but: str = "") -> list[Fact]:
    choices = [(name, choice) for name, choice in meaning.choices.items() if name != but]
    return [fact for fact in facts if all(choice.fits(fact.values(name)) for name, choice in choices)]


def _described(facts: list[Fact], viewer: Person, things: Collection[str] = ("tag", "label")) -> list[Fact]:
    """Say of the ideas which tags they have, and to whoever works on their boards which private labels."""
    if "tag" in things:
        facts = _with_tags(facts)
    return _with_labels(facts, viewer) if "label" in things and viewer.works_here else facts


def _with_labels(facts: list[Fact], viewer: Person) -> list[Fact]:
    if not facts or any(fact.labels for fact in facts):
        return facts
    found = labels.labels_by_idea([fact.id for fact in facts], viewer)
    return [fact._replace(labels=found[fact.id]) if fact.id in found else fact for fact in facts]


def _with_tags(facts: list[Fact]) -> list[Fact]:
    if not facts or any(fact.tags for fact in facts):
        return facts
    tags: dict[int, list[str]] = {}
    tagged = select(idea_tags.c.idea_id, Tag.name).join(Tag, Tag.id == idea_tags.c.tag_id)
    for idea_id, name in db.session.execute(tagged.where(idea_tags.c.idea_id.in_([fact.id for fact in facts]))):
        tags.setdefault(idea_id, []).append(name)
    return [fact._replace(tags=tuple(tags[fact.id])) if fact.id in tags else fact for fact in facts]
