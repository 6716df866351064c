"""One generation of the index, as arrays that a search only has to add up."""

from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, takewhile
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

K1 = 1.2
B = 0.75
MAX_COMPLETIONS = 200
FIELDS = ("alike", "said")
MAX_RARITIES = 50_000

Docs = NDArray[np.int32]
Floats = NDArray[np.float32]


class NeedsRebuild(Exception):
    """The index is missing, damaged or of another make: only ``rebuild()`` helps."""


@contextmanager
def reading(but: tuple[type[BaseException], ...] = ()) -> Iterator[None]:
    """Whatever breaks in here breaks because of what is in the files, a full disk excepted."""
    try:
        yield
    except NeedsRebuild:
        raise
    except but:
        raise
    except FileNotFoundError as error:
        raise NeedsRebuild("Files of the search index are missing.") from error
    except OSError:
        raise
    except Exception as damage:
        raise NeedsRebuild("The search index is damaged.") from damage


@dataclass(frozen=True, slots=True)
class Postings:
    """Which documents hold a word (in rising order), and how often."""

    docs: Docs
    counts: Floats

    @property
    def size(self) -> int:
        """Bytes in memory, the cache's own included."""
        return self.docs.nbytes + self.counts.nbytes + 300


NOTHING = Postings(np.empty(0, np.int32), np.empty(0, np.float32))


class PostingCache:
    """Postings that were read once, the least recently used dropped when they outgrow ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bytes = 0
        self._kept: OrderedDict[tuple[str, str, str], Postings] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[str, str, str]) -> Postings | None:
        """What is kept under ``key``."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: tuple[str, str, str], postings: Postings) -> None:
        """Keep the postings, at the cost of those unused for longest."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = postings
                self.bytes += postings.size
            while self.bytes > self.limit and self._kept:
                self.bytes -= self._kept.popitem(last=False)[1].size

    def keep_only(self, segments: set[str]) -> None:
        """Drop what belongs to segments that are gone."""
        with self._lock:
            for key in [key for key in self._kept if key[0] not in segments]:
                self.bytes -= self._kept.pop(key).size


class Segment:
    """One segment of the index. Its files never change: documents deleted from it are noted elsewhere."""

    def __init__(self, leaf: Any) -> None:
        self.name: str = leaf.segment().segment_id()
        self.size: int = leaf.doc_count_all()
        self.ids = np.array(self._column(leaf, "number").load(), np.int64)
        self.lengths = {name: np.array(self._column(leaf, f"{name}_length").load(), np.float32) for name in FIELDS}
        self._leaf = leaf
        self._texts = {name: self._column(leaf, name) for name in ("title", "sequence")}
        self._vocabulary: list[str] | None = None
        # The reader has one place in each file, so that only one thread can read at a time.
        self._lock = Lock()

    def read(self, field: str, word: str) -> Postings:
        """The postings of a word, from the files."""
        with self._lock:
            if (field, word) not in self._leaf:
                return NOTHING
            matcher = self._leaf.postings(field, word)
            # Deleted documents are left out when scores are ranked; here the filter has already moved past the first.
            matcher = getattr(matcher, "child", matcher)
            matcher.reset()
            docs, counts = [], []
            while matcher.is_active():
                # A block at a time, many times as fast as the matcher's own way from one document to the next.
                matcher._read_data()
                steps, weights, _ = matcher._data
                docs.append(np.cumsum(steps, dtype=np.int32))
                counts.append(np.full(len(steps), 1.0 if weights is None else weights, np.float32))
                matcher._next_block()
            return Postings(np.concatenate(docs), np.concatenate(counts))

    def text(self, name: str, doc: int) -> str:
        """What a document has in a column of texts."""
        with self._lock:
            return str(self._texts[name][doc], "utf-8")

    def words_from(self, prefix: str) -> dict[str, int]:
        """The words that begin so, or the first of them when they are many, and how many documents have each."""
        words = self._words()
        first = bisect_left(words, prefix)
        begin_so = takewhile(lambda word: word.startswith(prefix), words[first : first + MAX_COMPLETIONS])
        return {word: self.frequency(word) for word in begin_so}

    def has(self, word: str) -> bool:
        """Whether any document has the word."""
        words = self._words()
        place = bisect_left(words, word)
        return place < len(words) and words[place] == word

    def frequency(self, word: str) -> int:
        """How many documents have the word."""
        with self._lock:
            return int(self._leaf.doc_frequency("alike", word))

    def _words(self) -> list[str]:
        with self._lock:
            if self._vocabulary is None:
                self._vocabulary = [word.decode() for word in self._leaf.lexicon("alike")]
            return self._vocabulary

    def _column(self, leaf: Any, name: str) -> Any:
        return leaf.column_reader(name, translate=False)


class Snapshot:
    """All segments of one generation side by side: what any number of threads search at once."""

    def __init__(
        self,
        segments: Sequence[Segment],
        deleted: Sequence[Iterable[int]],
        generation: tuple[str, int],
        cache: PostingCache,
    ) -> None:
        self.segments = segments
        self.generation = generation
        self.bases = [0, *accumulate(segment.size for segment in segments)]
        self.total = self.bases[-1]
        self.ids: NDArray[np.int64] = np.concatenate([np.empty(0, np.int64), *(segment.ids for segment in segments)])
        gone = (base + doc for base, docs in zip(self.bases, deleted, strict=False) for doc in docs)
        self.deleted = np.fromiter(gone, np.int32)
        self._cache = cache
        self._norms = {field: self._norm(field) for field in FIELDS}
        self._rarities: dict[str, float] = {}

    def live_ids(self) -> set[int]:
        """Which documents are in the index and not deleted."""
        return set(np.delete(self.ids, self.deleted).tolist())

    def is_readable(self) -> bool:
        """Whether one word and one document of each segment can be read."""
        with reading():
            for segment in self.segments:
                segment.text("sequence", segment.size - 1)
                for word in list(segment.words_from(""))[:1]:
                    segment.read("alike", word)
        return True

    def postings(self, field: str, word: str) -> Postings:
        """Every document with the word in the field, across all segments."""
        parts = [
            (base, found)
            for base, segment in zip(self.bases, self.segments, strict=False)
            if len((found := self._segment_postings(segment, field, word)).docs)
        ]
        if not parts:
            return NOTHING
        if len(parts) == 1 and parts[0][0] == 0:
            return parts[0][1]
        return Postings(
            np.concatenate([found.docs + np.int32(base) for base, found in parts]),
            np.concatenate([found.counts for _, found in parts]),
        )

    def impacts(self, field: str, postings: Postings) -> Floats:
        """What each of the postings adds to a score (BM25), before how rare the word is."""
        counts = postings.counts
        impacts: Floats = counts * np.float32(K1 + 1) / (counts + self._norms[field][postings.docs])
        return impacts

    def rarity(self, documents: int) -> float:
        """How much a word that so many documents have says about one (idf)."""
        return float(np.log(1 + (self.total - documents + 0.5) / (documents + 0.5)))

    def rarity_of(self, word: str) -> float:
        """What a word says about the document it is in."""
        found = self._rarities.get(word)
        if found is None:
            if len(self._rarities) > MAX_RARITIES:
                self._rarities.clear()
            found = self._rarities[word] = self.rarity(len(self.postings("alike", word).docs))
        return found

    def completions(self, prefix: str, most: int) -> list[str]:
        """The most frequent words that begin so."""
        found: Counter[str] = Counter()
        with reading():
            for segment in self.segments:
                found.update(segment.words_from(prefix))
        return [word for word, _ in found.most_common(most)]

    def correction(self, candidates: Iterable[str]) -> str | None:
        """The most frequent of the candidates, of those that more than one document has."""
        found: Counter[str] = Counter()
        with reading():
            for segment in self.segments:
                found.update({word: segment.frequency(word) for word in candidates if segment.has(word)})
        return min((word for word in found if found[word] > 1), key=lambda word: (-found[word], word), default=None)

    def titles(self, docs: Iterable[int]) -> list[str]:
        """The titles of some documents, as sequences of stems."""
        with reading():
            return [self._text("title", doc) for doc in docs]

    def contain(self, docs: Iterable[int], passage: str) -> list[bool]:
        """Whether each of the documents has a passage in the sequence of its words."""
        with reading():
            return [passage in self._text("sequence", doc) for doc in docs]

    def _text(self, column: str, doc: int) -> str:
        number = bisect_right(self.bases, doc) - 1
        return self.segments[number].text(column, doc - self.bases[number])

    def _segment_postings(self, segment: Segment, field: str, word: str) -> Postings:
        key = (segment.name, field, word)
        found = self._cache.get(key)
        if found is None:
            with reading():
                found = segment.read(field, word)
            self._cache.put(key, found)
        return found

    def _norm(self, field: str) -> Floats:
        lengths = np.concatenate([np.empty(0, np.float32), *(segment.lengths[field] for segment in self.segments)])
        average = float(lengths[lengths > 0].mean()) if (lengths > 0).any() else 1.0
        norm: Floats = (K1 * (1 - B + B * lengths / average)).astype(np.float32)
        return norm
