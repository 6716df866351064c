"""Which documents answer best: the scores behind search and similar ideas."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from portal.search import words as text
from portal.search.postings import Docs, Floats, Snapshot

Strength = Literal["same", "likely", "possible"]

SAID_WEIGHT = 0.5
BODY_WEIGHT = 0.35
# A joined word says again what its parts say.
WHOLE_WEIGHT = 0.5
# A title with just the same words adds 0.6 times the score to it, one with the same letters the whole score.
TITLE_WEIGHT = 0.6
LETTERS_WEIGHT = 1.0
RERANKED = 40
MAX_TITLE = 500
MAX_BODY = 5_000
MAX_BODY_WORDS = 150
MAX_CORRECTIONS = 4
# With fewer documents than this that have all words, those that have some are shown too.
ENOUGH = 5
EXPANSIONS = 24
RARE = 10
MAX_CANDIDATES = 5_000


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


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two titles: how many words they share, what these make up of both, and how little is left of the shorter."""

    words: int
    share: float
    unshared: float


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
    return _hits(snapshot, best, scores[best], terms)


def similar(snapshot: Snapshot, title: str, body: str, limit: int, exclude: Collection[int] = ()) -> list[Hit]:
    """Documents that resemble an idea, most alike first; of the best, those with a like title move up."""
    terms = _idea(snapshot, title, body)
    scores = _add_up(snapshot, terms)
    scores[snapshot.deleted] = 0
    if exclude:
        scores[np.isin(snapshot.ids, list(exclude))] = 0
    best = _best(scores, np.flatnonzero(scores), max(limit, RERANKED))
    titles = snapshot.titles(best.tolist())
    mine = text.parts(title[:MAX_TITLE])
    likenesses = [_likeness(mine, other, snapshot.rarity_of) for other in titles]
    shares = np.array([likeness.share for likeness in likenesses], np.float32)
    final = scores[best] * (1 + TITLE_WEIGHT * shares + LETTERS_WEIGHT * _letters(title[:MAX_TITLE], titles))
    order = np.argsort(-final, kind="stable")[:limit]
    return _hits(snapshot, best[order], final[order], terms, [_strength(likenesses[place]) for place in order])


def strength(title: str, other: str, rarity: Callable[[str], float]) -> Strength:
    """How sure it is that two titles ask for one thing; ``rarity`` says how much a word tells (its idf)."""
    return _strength(_likeness(text.parts(title), text.sequence(other), rarity))


def _likeness(mine: Iterable[str], other: str, rarity: Callable[[str], float]) -> Likeness:
    ours, theirs = set(mine), {part for part in other.split() if not text.is_noise(part)}
    common = ours & theirs
    shared = sum(map(rarity, common))
    rest = sum(map(rarity, ours - common)), sum(map(rarity, theirs - common))
    everything = 2 * shared + sum(rest)
    return Likeness(len(common), 2 * shared / everything, min(rest) / everything) if everything else Likeness(0, 0, 0)


def _letters(title: str, others: Sequence[str]) -> Floats:
    """How alike titles are letter by letter: by threes of letters, each by how few of the others have it."""
    mine, theirs = _threes(text.sequence(title)), [_threes(other) for other in others]
    having = Counter(chain.from_iterable(theirs))
    rarities = [log(1 + (len(others) - number + 0.5) / (number + 0.5)) for number in range(len(others) + 1)]
    rarity = {three: rarities[having[three]] for three in {*mine, *having}}
    whole = sum(map(rarity.__getitem__, mine))
    likeness = np.zeros(len(others), np.float32)
    for number, threes in enumerate(theirs):
        both = whole + sum(map(rarity.__getitem__, threes))
        likeness[number] = 2 * sum(map(rarity.__getitem__, mine & threes)) / both if both else 0
    return likeness


@lru_cache(maxsize=2_000)
def _threes(sequence: str) -> frozenset[str]:
    plain = sequence.replace("~", "")
    return frozenset(plain[start : start + 3] for start in range(len(plain) - 2))


def _strength(likeness: Likeness) -> Strength:
    if likeness.share >= 0.8 and likeness.unshared <= 0.01 and likeness.words >= 4:
        return "same"
    return "likely" if likeness.share >= 0.6 and likeness.words >= 2 else "possible"


def _idea(snapshot: Snapshot, title: str, body: str) -> list[Term]:
    weights: dict[str, float] = {}
    for *parts, last in text.spellings(title[:MAX_TITLE]):
        for word, weight in (*((part, 1.0) for part in parts), (last, WHOLE_WEIGHT if parts else 1.0)):
            weights[word] = max(weight, weights.get(word, 0.0))
    counts = Counter(text.stems(body[:MAX_BODY]))
    in_body = [word for word in counts if word not in weights][:MAX_BODY_WORDS]
    snapshot.read_ahead("alike", [*weights, *in_body])
    terms = [_term(snapshot, "alike", word, weight) for word, weight in weights.items()]
    if not body:
        terms += _instead(snapshot, terms, text.unfinished(title))
    return terms + [_term(snapshot, "alike", word, BODY_WEIGHT * (1 + log(counts[word]) / 2)) for word in in_body]


def _term(snapshot: Snapshot, field: str, word: str, weight: float) -> Term:
    postings = snapshot.postings(field, word)
    gains = snapshot.impacts(field, postings) * np.float32(weight * snapshot.rarity(len(postings.docs)))
    return Term(word, postings.docs, gains)


def _instead(snapshot: Snapshot, terms: Sequence[Term], unfinished: str) -> list[Term]:
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
            words = [*filter(None, [snapshot.correction(text.misspellings(term.word))])]
        more += _alternatives(snapshot, words)
    return more


def _alternatives(snapshot: Snapshot, words: Sequence[str]) -> list[Term]:
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


def _word(snapshot: Snapshot, ways: Sequence[str], last: str, terms: list[Term]) -> NDArray[np.int8]:
    """Which documents have a word: run together, or all of its parts."""
    masks = []
    for way in ways:
        found = [_term(snapshot, "alike", way, 1.0), _term(snapshot, "said", way, SAID_WEIGHT)]
        if len(ways) == 1 and not len(found[1].docs):
            found += _instead(snapshot, found[:1], last)
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
        if not text.is_noise(word):
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
    terms: Iterable[Term],
    strengths: Sequence[Strength] = (),
) -> list[Hit]:
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
