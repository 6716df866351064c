"""Similar ideas: which documents resemble an idea, and how sure it is that they say the same."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import log

import numpy as np

from portal.search import words as text
from portal.search.postings import Floats, Snapshot
from portal.search.ranking import Hit, Strength, Term, add_up, best_of, hits_of, instead, term_of

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


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two titles: how many words they share, what these make up of both, and how little is left of the shorter."""

    words: int
    share: float
    unshared: float


def similar(snapshot: Snapshot, title: str, body: str, limit: int, exclude: Collection[int] = ()) -> list[Hit]:
    """Documents that resemble an idea, most alike first; of the best, those with a like title move up."""
    terms = _idea(snapshot, title, body)
    scores = add_up(snapshot, terms)
    scores[snapshot.deleted] = 0
    if exclude:
        scores[np.isin(snapshot.ids, list(exclude))] = 0
    best = best_of(scores, np.flatnonzero(scores), max(limit, RERANKED))
    titles = snapshot.titles(best.tolist())
    mine = text.parts(title[:MAX_TITLE])
    likenesses = [_likeness(mine, other, snapshot.rarity_of) for other in titles]
    shares = np.array([likeness.share for likeness in likenesses], np.float32)
    final = scores[best] * (1 + TITLE_WEIGHT * shares + LETTERS_WEIGHT * _letters(title[:MAX_TITLE], titles))
    order = np.argsort(-final, kind="stable")[:limit]
    return hits_of(snapshot, best[order], final[order], terms, [_strength(likenesses[place]) for place in order])


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
    terms = [term_of(snapshot, "alike", word, weight) for word, weight in weights.items()]
    if not body:
        terms += instead(snapshot, terms, text.unfinished(title))
    return terms + [term_of(snapshot, "alike", word, BODY_WEIGHT * (1 + log(counts[word]) / 2)) for word in in_body]
