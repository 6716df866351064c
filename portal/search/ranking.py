"""Which documents answer best: the scores behind search and similar ideas."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from portal.search import words as text
from portal.search.postings import Docs, Floats, Snapshot

Strength = Literal["same", "close", "related"]

SAID_WEIGHT = 0.5
BODY_WEIGHT = 0.3
MAX_BODY_WORDS = 150
ENOUGH = 5
EXPANSIONS = 24
RARE = 2
MAX_CANDIDATES = 5_000


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found: how well it answers, by which words, and how much it resembles what was asked."""

    id: int
    score: float
    words: frozenset[str]
    strength: Strength = "related"


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query: the documents that have it and what each gains."""

    word: str
    docs: Docs
    gains: Floats


def search(snapshot: Snapshot, query: text.Query, limit: int) -> list[Hit]:
    """Documents with all the words and phrases; when those are few, after them documents with some of the words."""
    terms: list[Term] = []
    matched = np.zeros(snapshot.total, np.int8)
    for number, ways in enumerate(query.words):
        last = query.unfinished if number == len(query.words) - 1 else ""
        matched += _word(snapshot, ways, last, terms)
    phrases = [_candidates(snapshot, phrase, terms) for phrase in query.phrases]
    scores = _add_up(snapshot, terms)
    possible = np.ones(snapshot.total, bool)
    possible[snapshot.deleted] = False
    for phrase, candidates in zip(query.phrases, phrases, strict=True):
        possible &= _with_phrase(snapshot, phrase, np.flatnonzero(candidates & possible), scores)
    complete = possible & (matched == len(query.words))
    best = _best(scores, np.flatnonzero(complete), limit) if terms else np.empty(0, np.intp)
    if len(best) < min(limit, ENOUGH):
        some = np.flatnonzero(possible & ~complete & (matched > (-1 if query.phrases else 0)))
        best = np.concatenate([best, _best(scores, some, limit - len(best))])
    return _hits(snapshot, best, scores, terms)


def similar(snapshot: Snapshot, title: str, body: str, limit: int, exclude: Collection[int] = ()) -> list[Hit]:
    """Documents that resemble an idea, most alike first."""
    terms = _idea(snapshot, title, body)
    scores = _add_up(snapshot, terms)
    scores[snapshot.deleted] = 0
    if exclude:
        scores[np.isin(snapshot.ids, list(exclude))] = 0
    best = _best(scores, np.flatnonzero(scores), limit)
    titles = snapshot.titles(best.tolist())
    return _hits(snapshot, best, scores, terms, [strength(title, other, _rarity(snapshot)) for other in titles])


def strength(title: str, other: str, rarity: Callable[[str], float]) -> Strength:
    """How sure it is that two titles ask for one thing; ``rarity`` says how much a word tells (its idf)."""
    mine, theirs = set(text.stems(title)), set(text.stems(other))
    weight = {word: rarity(word) for word in mine | theirs}

    def total(some: Iterable[str]) -> float:
        return sum(weight[word] for word in some)

    both = total(mine) + total(theirs)
    if not both:
        return "related"
    shared = mine & theirs
    alike = 2 * total(shared) / both
    unshared = min(total(mine - theirs), total(theirs - mine)) / both
    if alike >= 0.8 and unshared <= 0.01 and len(shared) >= 4:
        return "same"
    return "close" if alike >= 0.5 and len(shared) >= 2 else "related"


def _idea(snapshot: Snapshot, title: str, body: str) -> list[Term]:
    in_title = dict.fromkeys(text.stems(title))
    in_body = [word for word in dict.fromkeys(text.stems(body)) if word not in in_title][:MAX_BODY_WORDS]
    terms = [_term(snapshot, "alike", word, 1.0) for word in in_title]
    last = text.unfinished(title) if not body else ""
    if last and in_title and len(terms[-1].docs) <= RARE:
        terms += _completions(snapshot, last, {term.word for term in terms})
    terms += [_term(snapshot, "alike", word, BODY_WEIGHT) for word in in_body]
    return terms


def _term(snapshot: Snapshot, field: str, word: str, weight: float) -> Term:
    postings = snapshot.postings(field, word)
    gains = snapshot.impacts(field, postings) * np.float32(weight * snapshot.rarity(len(postings.docs)))
    return Term(word, postings.docs, gains)


def _completions(snapshot: Snapshot, prefix: str, known: Collection[str]) -> list[Term]:
    """What an unfinished word can become, each as likely as it is frequent."""
    words = [word for word in snapshot.words_from(prefix, EXPANSIONS) if word not in known]
    found = [(word, snapshot.postings("alike", word)) for word in words]
    total = sum(len(postings.docs) for _, postings in found)
    return [
        Term(word, postings.docs, snapshot.impacts("alike", postings) * np.float32(snapshot.rarity(total)))
        for word, postings in found
    ]


def _word(snapshot: Snapshot, ways: Sequence[str], last: str, terms: list[Term]) -> NDArray[np.int8]:
    """Which documents have a word: run together, or all of its parts."""
    masks = []
    for way in ways:
        found = [_term(snapshot, "alike", way, 1.0), _term(snapshot, "said", way, SAID_WEIGHT)]
        if last and way == ways[-1] and sum(len(term.docs) for term in found) <= RARE:
            found += _completions(snapshot, last, {way})
        masks.append(_mask(snapshot, found))
        terms += found
    whole = masks.pop()
    if masks:
        whole |= np.logical_and.reduce(masks)
    return whole.astype(np.int8)


def _candidates(snapshot: Snapshot, phrase: Sequence[str], terms: list[Term]) -> NDArray[np.bool_]:
    """Which documents have all the parts of a phrase, in whatever order."""
    candidates = np.ones(snapshot.total, bool)
    for word in dict.fromkeys(phrase):
        found = [_term(snapshot, "alike", word, 1.0), _term(snapshot, "said", word, SAID_WEIGHT)]
        if word not in text.NOISE:
            candidates &= _mask(snapshot, found)
        terms += found
    return candidates


def _with_phrase(
    snapshot: Snapshot, phrase: Sequence[str], candidates: NDArray[np.intp], scores: Floats
) -> NDArray[np.bool_]:
    """Which of the candidates, if need be only of the best, have the phrase word for word."""
    mask = np.zeros(snapshot.total, bool)
    best = _best(scores, candidates, MAX_CANDIDATES)
    mask[best[snapshot.contain(best.tolist(), f" {' '.join(phrase)} ")]] = True
    return mask


def _add_up(snapshot: Snapshot, terms: Iterable[Term]) -> Floats:
    scores = np.zeros(snapshot.total, np.float32)
    for term in terms:
        scores[term.docs] += term.gains
    return scores


def _mask(snapshot: Snapshot, found: Iterable[Term]) -> NDArray[np.bool_]:
    mask = np.zeros(snapshot.total, bool)
    for one in found:
        mask[one.docs] = True
    return mask


def _best(scores: Floats, candidates: NDArray[np.intp], limit: int) -> NDArray[np.intp]:
    """The best of the candidates, best first, and of equals the earlier one."""
    if limit <= 0:
        return candidates[:0]
    if len(candidates) > limit:
        candidates = candidates[np.argpartition(-scores[candidates], limit - 1)[:limit]]
    return candidates[np.lexsort((candidates, -scores[candidates]))]


def _hits(
    snapshot: Snapshot,
    best: NDArray[np.intp],
    scores: Floats,
    terms: Sequence[Term],
    strengths: Sequence[Strength] = (),
) -> list[Hit]:
    words: list[set[str]] = [set() for _ in best]
    for term in terms:
        if len(term.docs):
            places = np.minimum(np.searchsorted(term.docs, best), len(term.docs) - 1)
            for number in np.flatnonzero(term.docs[places] == best):
                words[number].add(term.word)
    return [
        Hit(int(snapshot.ids[doc]), float(scores[doc]), frozenset(words[number]), *strengths[number : number + 1])
        for number, doc in enumerate(best)
    ]


def _rarity(snapshot: Snapshot) -> Callable[[str], float]:
    known: dict[str, float] = {}

    def rarity(word: str) -> float:
        if word not in known:
            known[word] = snapshot.rarity(len(snapshot.postings("alike", word).docs))
        return known[word]

    return rarity
