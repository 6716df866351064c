"""What somebody probably meant to type: words that no idea has, as ideas spell those that they have."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portal.search import words
from portal.search.postings import Snapshot
from portal.search.resembling import Readable

CANDIDATES = 3
BEGUN = 5  # words that what is typed may be the beginning of
MOST_AT_ONCE = 5_000  # documents in one question
LOOKED_THROUGH = 50  # documents with a word, for how it is spelt there

TextsOf = Callable[[Sequence[int]], Iterable[str]]
"""The texts of some documents, as far as whoever asks may read them."""


def correct(snapshot: Snapshot, text: str, texts_of: TextsOf, readable: Readable | None = None) -> str:
    """``text`` with each word that no document has replaced by the likeliest one that some have; empty if none is."""
    text = text[: words.MAX_QUERY]
    unfinished = words.unfinished(text)
    corrected, end = "", 0
    for start, stop, typed in words.single_words(text):
        begun = snapshot.completions(unfinished, BEGUN) if unfinished and stop == len(text) else []
        meant = (
            "" if _is_known(snapshot, [*words.stems(typed), *begun], readable) else _meant(snapshot, typed, texts_of)
        )
        if meant:
            corrected, end = corrected + text[end:start] + meant, stop
    return corrected + text[end:] if corrected else ""


def _is_known(snapshot: Snapshot, stems: Iterable[str], readable: Readable | None) -> bool:
    held = (snapshot.postings(field, stem).docs for stem in stems for field in ("alike", "said"))
    return any(len(docs) if readable is None else _has_readable(snapshot, docs, readable) for docs in held)


def _has_readable(snapshot: Snapshot, docs: NDArray[np.integer[Any]], readable: Readable) -> bool:
    """Look among the newest first, where mostly the first few answer."""
    end, step = len(docs), LOOKED_THROUGH
    while end > 0:
        if readable(snapshot.ids[docs[max(0, end - step) : end]].tolist()):
            return True
        end, step = end - step, MOST_AT_ONCE
    return False


def _meant(snapshot: Snapshot, typed: str, texts_of: TextsOf) -> str:
    stem = words.stems(typed)[-1]
    for likely in snapshot.corrections(words.misspellings(stem))[:CANDIDATES]:
        holding = snapshot.ids[snapshot.postings("alike", likely).docs[-LOOKED_THROUGH:]].tolist()
        spelt = (word for text in texts_of(holding) for _, _, word in words.single_words(text))
        found = Counter(word.lower() for word in spelt if words.stems(word) == [likely])
        if found:
            return found.most_common(1)[0][0]
    return ""
