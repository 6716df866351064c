"""What every ranking is made of: words and the documents that have them, added up to the best hits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from portal.search import words as text
from portal.search.postings import Docs, Floats, Snapshot

Strength = Literal["same", "likely", "possible"]

MAX_CORRECTIONS = 4
EXPANSIONS = 24
RARE = 10
SYNONYM_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found: how well it answers, by which words, and how much it resembles what was asked."""

    id: int
    score: float
    words: frozenset[str]
    strength: Strength = "possible"


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query: the documents that have it, in rising order, and what each gains."""

    word: str
    docs: Docs
    gains: Floats


def term_of(snapshot: Snapshot, field: str, word: str, weight: float) -> Term:
    """Look up a word: what it adds to each document whose field has it."""
    postings = snapshot.postings(field, word)
    gains = snapshot.impacts(field, postings) * np.float32(weight * snapshot.rarity(len(postings.docs)))
    return Term(word, postings.docs, gains)


def synonyms(snapshot: Snapshot, terms: Sequence[Term], weight: float = 1.0) -> list[Term]:
    """The words that mean the same as others, for the documents that do not have these."""
    more = []
    for term in terms:
        for word in snapshot.synonyms.get(term.word, ()):
            found = term_of(snapshot, "alike", word, SYNONYM_WEIGHT * weight)
            only = ~np.isin(found.docs, term.docs)
            more.append(Term(word, found.docs[only], found.gains[only]))
    return more


def instead(snapshot: Snapshot, terms: Sequence[Term], unfinished: str) -> list[Term]:
    """What may be meant beside the words as they stand: a rare last word unfinished, an unknown one misspelt."""
    known = {term.word for term in terms}
    more: list[Term] = []
    corrections = 0
    for number, term in enumerate(terms):
        words: list[str] = []
        if unfinished and number == len(terms) - 1 and len(term.docs) <= RARE:
            words = [word for word in snapshot.completions(unfinished, EXPANSIONS) if word not in known]
        if not words and not len(term.docs) and corrections < MAX_CORRECTIONS:
            corrections += 1
            words = snapshot.corrections(text.misspellings(term.word))[:1]
        more += alternatives(snapshot, words)
    return more


def alternatives(snapshot: Snapshot, words: Sequence[str]) -> list[Term]:
    """Words of which one is meant: a document gains by the best of those that it has."""
    snapshot.read_ahead("alike", words)
    found = [snapshot.postings("alike", word) for word in words]
    together = min(snapshot.total, sum(len(postings.docs) for postings in found))
    rarity = np.float32(snapshot.rarity(together))
    best = np.zeros(snapshot.total, np.float32)
    terms = []
    for word, postings in zip(words, found, strict=True):
        gains = np.maximum(snapshot.impacts("alike", postings) * rarity - best[postings.docs], 0)
        best[postings.docs] += gains
        terms.append(Term(word, postings.docs, gains))
    return terms


def add_up(snapshot: Snapshot, terms: Iterable[Term]) -> Floats:
    """Give each document the sum of what the words add to it."""
    scores = np.zeros(snapshot.total, np.float32)
    for term in terms:
        scores[term.docs] += term.gains
    return scores


def best_of(scores: Floats, candidates: NDArray[np.intp], limit: int) -> NDArray[np.intp]:
    """The best of the candidates, best first, and of equals the earlier one."""
    if limit <= 0:
        return candidates[:0]
    if len(candidates) > limit:
        candidates = candidates[np.argpartition(-scores[candidates], limit - 1)[:limit]]
    return candidates[np.lexsort((candidates, -scores[candidates]))]


def hits_of(
    snapshot: Snapshot,
    best: NDArray[np.intp],
    scores: Floats,
    terms: Iterable[Term],
    strengths: Sequence[Strength] = (),
) -> list[Hit]:
    """Describe the best documents, each with those of the words that it has."""
    words: list[set[str]] = [set() for _ in best]
    for term in terms:
        if len(term.docs):
            places = np.minimum(np.searchsorted(term.docs, best), len(term.docs) - 1)
            for number in np.flatnonzero(term.docs[places] == best):
                words[number].add(term.word)
    return [
        Hit(int(snapshot.ids[doc]), float(scores[number]), frozenset(words[number]), *strengths[number : number + 1])
        for number, doc in enumerate(best)
    ]
