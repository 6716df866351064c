"""What somebody probably meant to type: words that no idea has, as ideas spell those that they have."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from portal.search import words
from portal.search.postings import Snapshot

CANDIDATES = 3
LOOKED_THROUGH = 50  # documents with a word, for how it is spelt there

TextsOf = Callable[[Sequence[int]], Iterable[str]]
"""The texts of some documents, as far as whoever asks may read them."""


def correct(snapshot: Snapshot, text: str, texts_of: TextsOf) -> str:
    """``text`` with each word that no document has replaced by the likeliest one that some have; empty if none is."""
    text = text[: words.MAX_QUERY]
    unfinished = words.unfinished(text)
    corrected, end = "", 0
    for start, stop, typed in words.single_words(text):
        is_beginning = stop == len(text) and unfinished and snapshot.completions(unfinished, 1)
        meant = "" if is_beginning or _is_known(snapshot, typed) else _meant(snapshot, typed, texts_of)
        if meant:
            corrected, end = corrected + text[end:start] + meant, stop
    return corrected + text[end:] if corrected else ""


def _is_known(snapshot: Snapshot, typed: str) -> bool:
    return any(len(snapshot.postings(field, stem).docs) for stem in words.stems(typed) for field in ("alike", "said"))


def _meant(snapshot: Snapshot, typed: str, texts_of: TextsOf) -> str:
    stem = words.stems(typed)[-1]
    for likely in snapshot.corrections(words.misspellings(stem))[:CANDIDATES]:
        holding = snapshot.ids[snapshot.postings("alike", likely).docs[-LOOKED_THROUGH:]].tolist()
        spelt = (word for text in texts_of(holding) for _, _, word in words.single_words(text))
        found = Counter(word.lower() for word in spelt if words.stems(word) == [likely])
        if found:
            return found.most_common(1)[0][0]
    return ""
