"""From text to the stems that are indexed, compared and marked."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_lowercase

# This small module of Whoosh imports silently; everything else of Whoosh is imported in engine.py.
from whoosh.lang.porter import stem as porter

MAX_QUERY = 200
MAX_TERMS = 16

# Short on purpose: "no", "not" and "without" change what is asked for, and stay.
_NOISE = (
    "a an and are as at be been but by can could did do does for from had has have how i if in into is it its me my "
    "of on or our s should so t than that the their them then there these they this to us was we were what when "
    "where which while who why will with would you your"
)
NOISE = frozenset(_NOISE.split())

_WORD = re.compile(r"[^\W_]+(?:['’._-]+[^\W_]+)*")
_PART = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PHRASE = re.compile(r'["“„]([^"“”„]*)["”“]')
_MINUS = r"(?<!\S)[-−–]"  # the dashes that telephones make of a hyphen
_NO_PHRASE = re.compile(_MINUS + _PHRASE.pattern)
_NO_WORD = re.compile(_MINUS + r"([^\W_]\S*)")
_ACCENTS = dict.fromkeys(range(0x300, 0x370))
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody searches for: words, each as the ways to spell it, and phrases as stems in order.

    ``without`` and ``without_phrases`` are what no answer may have.
    """

    words: tuple[tuple[str, ...], ...]
    phrases: tuple[tuple[str, ...], ...]
    unfinished: str = ""
    without: tuple[tuple[str, ...], ...] = ()
    without_phrases: tuple[tuple[str, ...], ...] = ()


def stems(text: str) -> list[str]:
    """All stems of ``text`` in order: of parts and, where a word has several, of the word run together."""
    return [stem for word_stems in spellings(text) for stem in word_stems]


def spellings(text: str) -> list[tuple[str, ...]]:
    """The words of ``text``, each as the stems of its parts and, where it has several, of the whole."""
    return [word_stems for _, _, word_stems in _words(text)]


def parts(text: str) -> list[str]:
    """The stems of ``text`` without any word run together: what makes two titles alike."""
    return [part for part in _sequence(text) if not is_noise(part)]


def sequence(text: str) -> str:
    """``text`` as its parts in order, noise included, a space around each: what a quoted phrase is looked up in."""
    return f" {' '.join(_sequence(text))} "


def is_noise(part: str) -> bool:
    """Whether a part of a sequence or phrase is too common to be indexed."""
    return part.startswith("~")


def unfinished(text: str) -> str:
    """The last word of ``text`` as far as it is typed, or nothing when it is clearly complete."""
    last = re.search(r"[^\W_]{3,40}\Z", text)
    return _fold(_CASE.split(last[0])[-1]) if last else ""


def misspellings(word: str) -> list[str]:
    """What a misspelt ``word`` may have been: a letter added, left out, changed, or two of them swapped."""
    if not word.isalpha() or not 4 <= len(word) <= 20:
        return []
    letters = sorted({*ascii_lowercase, *word})
    halves = [(word[:cut], word[cut:]) for cut in range(len(word) + 1)]
    left_out = {head + tail[1:] for head, tail in halves if tail}
    swapped = {head + tail[1] + tail[0] + tail[2:] for head, tail in halves if len(tail) > 1}
    changed = {head + letter + tail[1:] for head, tail in halves if tail for letter in letters}
    added = {head + letter + tail for head, tail in halves for letter in letters}
    return sorted((left_out | swapped | changed | added) - {word})


def read(query: str) -> Query:
    """Understand a search: words, quoted phrases and a minus before either, within what one search may cost."""
    query = query[:MAX_QUERY]
    no_phrases, query = _taken_out(_NO_PHRASE, query)
    phrases, query = _taken_out(_PHRASE, query)
    no_words, query = _taken_out(_NO_WORD, query)
    budget = _Budget(MAX_TERMS)
    return Query(
        phrases=budget.spend(map(_sequence, phrases)),
        words=budget.spend(spellings(query)),
        unfinished=unfinished(query),
        without=budget.spend(ways for word in no_words for ways in spellings(word)),
        without_phrases=budget.spend(map(_sequence, no_phrases)),
    )


def single_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Each word that says something, or each part of a joined one: where it stands, and as it is written."""
    for start, stop, _ in _words(text):
        for part_start, part_stop in _parts(text[start:stop]):
            part = text[start + part_start : start + part_stop]
            if stems(part):
                yield start + part_start, start + part_stop, part


def mark(text: str, words: Collection[str]) -> list[tuple[str, bool]]:
    """``text`` in pieces, each with whether it is one of the ``words`` (stems): joined they are ``text`` again."""
    pieces: list[tuple[str, bool]] = []
    end = 0
    for start, stop in _spans(text, words):
        if start > end:
            pieces.append((text[end:start], False))
        pieces.append((text[start:stop], True))
        end = stop
    if end < len(text):
        pieces.append((text[end:], False))
    return pieces


def snippet(text: str, words: Collection[str], length: int = 200) -> list[tuple[str, bool]]:
    """The passage of ``text`` that shows most of ``words``, marked, at most ``length`` long and an ellipsis."""
    text = " ".join(text.split())
    if len(text) <= length:
        return mark(text, words)
    start, stop = _passage(text, words, length)
    pieces = mark(text[start:stop], words)
    return [*([("… ", False)] if start else []), *pieces, *([(" …", False)] if stop < len(text) else [])]


def _taken_out(pattern: re.Pattern[str], query: str) -> tuple[list[str], str]:
    """What the pattern finds, and the query without it."""
    return pattern.findall(query), pattern.sub(" ", query)


class _Budget:
    """How many terms a search may still have."""

    def __init__(self, terms: int) -> None:
        self.left = terms

    def spend(self, wanted: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
        """As many of the words or phrases as there are terms left, the last of them perhaps cut, none twice."""
        kept: dict[tuple[str, ...], None] = {}
        for one in wanted:
            some = tuple(one[: self.left])
            if some and some not in kept:
                kept[some] = None
                self.left -= len(some)
        return tuple(kept)


def _words(text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Each word with where it stands and its stems: the parts of "dark-mode" or "darkMode", then the whole."""
    for found in _WORD.finditer(text):
        word = found[0]
        if len(word) > 4 * _LONGEST:
            continue
        stems_ = _word_stems(word)
        if stems_:
            yield found.start(), found.end(), stems_


@lru_cache(maxsize=20_000)
def _word_stems(word: str) -> tuple[str, ...]:
    parts = [word[start:stop] for start, stop in _parts(word)]
    folded = [_fold(part) for part in parts]
    if len(folded) > 1:
        folded.append("".join(folded))
    kept = [_stem(part) for part in folded if part not in NOISE and len(part) <= _LONGEST]
    return tuple(dict.fromkeys(kept))


def _parts(word: str) -> Iterator[tuple[int, int]]:
    for found in _PART.finditer(word):
        start = found.start()
        for cut in _CASE.finditer(found[0]):
            yield start, found.start() + cut.start()
            start = found.start() + cut.start()
        yield start, found.end()


def _sequence(text: str) -> list[str]:
    found = (word[0] for word in _WORD.finditer(text) if len(word[0]) <= 4 * _LONGEST)
    folded = (_fold(word[start:stop]) for word in found for start, stop in _parts(word))
    return [f"~{part}" if part in NOISE else _stem(part) for part in folded]


@lru_cache(maxsize=20_000)
def _fold(word: str) -> str:
    """Lower case, without accents, and without the apostrophe and what a possessive adds."""
    if not word.isascii():
        decomposed = unicodedata.normalize("NFKD", word.replace("’", "'")).translate(_ACCENTS)
        word = unicodedata.normalize("NFKC", decomposed)
    return word.lower().removesuffix("'s").replace("'", "")


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    return str(porter(word)) if len(word) > 2 else word


def _spans(text: str, words: Collection[str]) -> Iterator[tuple[int, int]]:
    for start, stop, found in _words(text):
        if found[-1] in words:
            yield start, stop
            continue
        for part_start, part_stop in _parts(text[start:stop]):
            if _stem(_fold(text[start + part_start : start + part_stop])) in words:
                yield start + part_start, start + part_stop


def _passage(text: str, words: Collection[str], length: int) -> tuple[int, int]:
    """Where the passage begins and ends: at words, with what was found neither first nor last in it."""
    spans = [(start, stop, _stem(_fold(text[start:stop]))) for start, stop in _spans(text, words)]
    best, where = 0, 0
    for number, (start, _, _) in enumerate(spans[:100]):
        inside = {word for at, stop, word in spans[number : number + 100] if stop <= start + length * 3 // 4}
        if len(inside) > best:
            best, where = len(inside), start
    start = max(0, min(where - length // 4, len(text) - length))
    if start:
        start = text.find(" ", start, where) + 1 or where
    stop = start + length
    if stop < len(text):
        stop = max(text.rfind(" ", start, stop + 1), 0)
        stop = stop if stop > start else start + length
    return start, min(stop, len(text))
