"""Searching: which documents have the words and phrases that were asked for, and none that were ruled out."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from portal.search import words as text
from portal.search.postings import Floats, Snapshot
from portal.search.ranking import Hit, Term, add_up, best_of, hits_of, instead, synonyms, term_of

SAID_WEIGHT = 0.5
# With fewer documents than this that have all words, those that have some are shown too.
ENOUGH = 5
MAX_CANDIDATES = 5_000


def search(snapshot: Snapshot, query: text.Query, limit: int, enough: int = ENOUGH) -> list[Hit]:
    """Documents with all the words and phrases; when those are few, after them documents with some of the words.

    None has what was ruled out. When nothing else was asked, all others are found, the newest first.
    """
    terms: list[Term] = []
    matched = np.zeros(snapshot.total, np.int8)
    for number, ways in enumerate(query.words):
        last = query.unfinished if number == len(query.words) - 1 else ""
        matched += _word(snapshot, ways, last, terms)
    phrases = [_candidates(snapshot, phrase, terms) for phrase in query.phrases]
    scores = add_up(snapshot, terms)
    possible = np.ones(snapshot.total, bool)
    possible[snapshot.deleted] = False
    if query.words and not query.phrases:
        possible &= matched > 0
    for phrase, candidates in zip(query.phrases, phrases, strict=True):
        possible &= _with_phrase(snapshot, phrase, np.flatnonzero(candidates & possible), scores)
    possible &= ~_ruled_out(snapshot, query, possible, scores)
    if not (query.words or query.phrases) and (query.without or query.without_phrases):
        newest = np.flatnonzero(possible)
        newest = newest[np.argsort(-snapshot.ids[newest])][:limit]
        return hits_of(snapshot, newest, scores[newest], ())
    complete = possible & (matched == len(query.words))
    best = best_of(scores, np.flatnonzero(complete), limit) if terms else np.empty(0, np.intp)
    if len(best) < min(limit, enough):
        some = np.flatnonzero(possible & ~complete)
        best = np.concatenate([best, best_of(scores, some, limit - len(best))])
    return hits_of(snapshot, best, scores[best], terms)


def _ruled_out(snapshot: Snapshot, query: text.Query, possible: NDArray[np.bool_], scores: Floats) -> NDArray[np.bool_]:
    """Which of the possible documents have a word or phrase that is not wanted, just as it is spelt."""
    mask = np.zeros(snapshot.total, bool)
    for ways in query.without:
        *parts, whole = [_mask(snapshot, _in_both(snapshot, way)) for way in ways]
        mask |= whole
        if parts:
            mask |= np.logical_and.reduce(parts)
    for phrase in query.without_phrases:
        candidates = _candidates(snapshot, phrase, [])
        mask |= _with_phrase(snapshot, phrase, np.flatnonzero(candidates & possible), scores)
    return mask


def _word(snapshot: Snapshot, ways: Sequence[str], last: str, terms: list[Term]) -> NDArray[np.int8]:
    """Which documents have a word: run together, or all of its parts."""
    masks = []
    for way in ways:
        found = _in_both(snapshot, way)
        found += synonyms(snapshot, found[:1])
        if len(ways) == 1 and not len(found[1].docs):
            found += instead(snapshot, found[:1], last)
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
        found = _in_both(snapshot, word)
        if not text.is_noise(word):
            candidates &= _mask(snapshot, found)
        terms += found
    return candidates


def _with_phrase(
    snapshot: Snapshot, phrase: Sequence[str], candidates: NDArray[np.intp], scores: Floats
) -> NDArray[np.bool_]:
    """Which of the candidates, if need be only of the best, have the phrase word for word."""
    mask = np.zeros(snapshot.total, bool)
    best = best_of(scores, candidates, MAX_CANDIDATES)
    mask[best[snapshot.contain(best.tolist(), f" {' '.join(phrase)} ")]] = True
    return mask


def _in_both(snapshot: Snapshot, word: str) -> list[Term]:
    return [term_of(snapshot, "alike", word, 1.0), term_of(snapshot, "said", word, SAID_WEIGHT)]


def _mask(snapshot: Snapshot, found: Iterable[Term]) -> NDArray[np.bool_]:
    mask = np.zeros(snapshot.total, bool)
    for one in found:
        mask[one.docs] = True
    return mask
