"""Similar ideas: which documents resemble an idea, and how sure it is that they say the same."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import log

import numpy as np

from portal.search import words as text
from portal.search.postings import Floats, Snapshot
from portal.search.ranking import Hit, Strength, Term, add_up, best_of, hits_of, instead, synonyms, term_of

BODY_WEIGHT = 0.35
# A joined word says again what its parts say.
WHOLE_WEIGHT = 0.5
# A title with the same letters adds 1.2 times the score to it.
LETTERS_WEIGHT = 1.2
RERANKED = 60
# So many more are fetched when some may be hidden from whoever asks.
HIDDEN = 3
MAX_TITLE = 500
MAX_BODY = 5_000
MAX_BODY_WORDS = 150
# Of the words that only the body has, those that say most.
TELLING = 40

Readable = Callable[[Sequence[int]], Collection[int]]
"""Which of some documents whoever asks may know of."""


# A hit stands out by so many times the score of the best other one; those with the same title stand out together.
STANDS_OUT = 1.4
# Further hits that are looked at for how far the first stand out.
BESIDE = 10


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two titles: how many words they share, what these make up of both, and how little is left of the shorter."""

    words: int
    share: float
    unshared: float

    @property
    def same(self) -> bool:
        """Whether both say the same, give or take a word that says little."""
        return self.share >= 0.8 and self.unshared <= 0.01 and self.words >= 4

    @property
    def close(self) -> bool:
        """Whether they share half of what they say."""
        return self.share >= 0.5 and self.words >= 2


def similar(
    snapshot: Snapshot,
    title: str,
    body: str,
    limit: int,
    exclude: Collection[int] = (),
    readable: Readable | None = None,
    itself: int | None = None,
) -> list[Hit]:
    """Documents that resemble an idea, most alike first; of the best, those with a like title move up.

    What is not ``readable`` is neither found nor compared, so that it does not change the order of the others. The
    idea ``itself`` is found as one of them, but does not outshine any.
    """
    terms, scores = _compared(snapshot, title, body)
    if exclude:
        scores[np.isin(snapshot.ids, list(exclude))] = 0
    most = max(limit, RERANKED)
    best = best_of(scores, np.flatnonzero(scores), most * HIDDEN if readable else most)
    if readable:
        seen = list(readable(snapshot.ids[best].tolist()))
        best = best[np.isin(snapshot.ids[best], seen)][:most]
    titles = snapshot.titles(best.tolist())
    final = scores[best] * (1 + LETTERS_WEIGHT * _letters(title[:MAX_TITLE], titles))
    order = np.argsort(-final, kind="stable")[: limit + BESIDE]
    mine = text.parts(title[:MAX_TITLE])
    likenesses = [_likeness(mine, titles[place], snapshot.rarity_of) for place in order]
    beside = [0.0 if snapshot.ids[best[place]] == itself else float(final[place]) for place in order]
    strengths = _strengths(likenesses, final[order].tolist(), beside)
    return hits_of(snapshot, best[order][:limit], final[order], terms, strengths)


def _compared(snapshot: Snapshot, title: str, body: str) -> tuple[list[Term], Floats]:
    """The words of an idea, and how much each document has of them."""
    known, asked = snapshot.compared_last, (title, body, id(snapshot.synonyms))
    if known is not None and known[0] == asked:
        return known[1], known[2].copy()
    terms = _idea(snapshot, title, body)
    scores = add_up(snapshot, terms)
    scores[snapshot.deleted] = 0
    snapshot.compared_last = asked, terms, scores
    return terms, scores.copy()


def _strengths(likenesses: Sequence[Likeness], scores: Sequence[float], beside: Sequence[float]) -> list[Strength]:
    """How sure it is of each hit that it asks for the same thing; ``beside`` are the scores it has to outshine."""

    def stands_out(place: int) -> bool:
        mine = likenesses[place]
        others = (
            score
            for at, (its, score) in enumerate(zip(likenesses, beside, strict=True))
            if at != place and not (mine.same and its.same)
        )
        return scores[place] >= STANDS_OUT * max(others, default=0)

    def strength(place: int) -> Strength:
        mine = likenesses[place]
        if mine.same:
            return "same" if stands_out(place) else "likely"
        return "likely" if mine.close and stands_out(place) else "possible"

    return [strength(place) for place in range(len(likenesses))]


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


def _idea(snapshot: Snapshot, title: str, body: str) -> list[Term]:
    weights: dict[str, float] = {}
    for *parts, last in text.spellings(title[:MAX_TITLE]):
        for word, weight in (*((part, 1.0) for part in parts), (last, WHOLE_WEIGHT if parts else 1.0)):
            weights[word] = max(weight, weights.get(word, 0.0))
    counts = Counter(text.stems(body[:MAX_BODY]))
    in_body = [word for word in counts if word not in weights][:MAX_BODY_WORDS]
    snapshot.read_ahead("alike", [*weights, *in_body])
    terms = [term_of(snapshot, "alike", word, weight) for word, weight in weights.items()]
    terms += synonyms(snapshot, [term for term in terms if term.word in snapshot.synonyms])
    if not body:
        return terms + instead(snapshot, terms, text.unfinished(title))
    weighed = {word: BODY_WEIGHT * (1 + log(counts[word]) / 2) for word in in_body}
    return terms + [term_of(snapshot, "alike", word, weighed[word]) for word in _telling(snapshot, weighed)]


def _telling(snapshot: Snapshot, weighed: Mapping[str, float]) -> list[str]:
    """The words that say most, of those that any document has."""
    frequencies = {word: len(snapshot.postings("alike", word).docs) for word in weighed}
    known = {word: snapshot.rarity(number) * weighed[word] for word, number in frequencies.items() if number}
    return sorted(known, key=known.__getitem__, reverse=True)[:TELLING]
