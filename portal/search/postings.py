"""One generation of the index, as arrays that a search only has to add up, wherever they are read from."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from threading import Lock
from typing import Any, Protocol

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


class Outdated(Exception):
    """What was to be read has been replaced since this generation was opened: look for the newest one."""


@contextmanager
def reading(but: tuple[type[BaseException], ...] = ()) -> Iterator[None]:
    """Whatever breaks in here breaks because of what is in the files, a full disk excepted."""
    try:
        yield
    except (NeedsRebuild, Outdated):
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


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Some of the documents, as they were written together. It never changes: what is deleted is noted elsewhere."""

    name: str
    ids: NDArray[np.int64]
    lengths: Mapping[str, Floats]

    @property
    def size(self) -> int:
        """How many documents it has."""
        return len(self.ids)


Place = tuple[Segment, int]
"""Where one document stands."""


class Store(Protocol):
    """Where the segments of one generation are read from; whatever it cannot read is a NeedsRebuild, or Outdated."""

    def read(
        self, field: str, words: Collection[str], segments: Sequence[str]
    ) -> Iterator[tuple[tuple[str, str, str], Postings]]:
        """Yield postings by segment, field and word: those asked for, and what came along for nothing."""

    def texts(self, name: str, places: Sequence[Place]) -> list[str]:
        """Return what some documents have in a column of texts."""

    def with_passage(self, places: Sequence[Place], passage: str) -> list[bool]:
        """Return for some documents whether their words have a passage in this order."""

    def words_from(self, prefix: str) -> Mapping[str, int]:
        """Return the words that begin so, or the first of many, with how many documents have each."""

    def frequencies(self, words: Collection[str]) -> Mapping[str, int]:
        """Return how many documents have each of these words; those that none has may be left out."""


class Snapshot:
    """All segments of one generation side by side: what any number of threads search at once."""

    def __init__(
        self,
        store: Store,
        segments: Sequence[Segment],
        deleted: Sequence[Iterable[int]],
        generation: Hashable,
        cache: PostingCache,
    ) -> None:
        self.store = store
        self.segments = segments
        self.generation = generation
        self.bases = [0, *accumulate(segment.size for segment in segments)]
        self.total = self.bases[-1]
        self.ids: NDArray[np.int64] = np.concatenate([np.empty(0, np.int64), *(segment.ids for segment in segments)])
        gone = (base + doc for base, docs in zip(self.bases, deleted, strict=False) for doc in docs)
        self.deleted = np.fromiter(gone, np.int32)
        self.synonyms: Mapping[str, Sequence[str]] = {}
        self.compared_last: tuple[Hashable, Any, Floats] | None = None  # what one page looks for more than once
        self._cache = cache
        self._norms = {field: self._norm(field) for field in FIELDS}
        self._rarities: dict[str, float] = {}

    def live_ids(self) -> set[int]:
        """Which documents are in the index and not deleted."""
        return set(np.delete(self.ids, self.deleted).tolist())

    def read_ahead(self, field: str, words: Iterable[str]) -> None:
        """Read at once what is not in memory of the postings that will be asked for."""
        missing = [word for word in words if any(self._known(one, field, word) is None for one in self.segments)]
        if missing:
            self._read(field, missing, [segment.name for segment in self.segments])

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
        found = self.store.words_from(prefix)
        return sorted(found, key=lambda word: (-found[word], word))[:most]

    def corrections(self, candidates: Collection[str]) -> list[str]:
        """The candidates that more than one document has, the most frequent first."""
        found = self.store.frequencies(candidates) if candidates else {}
        return sorted((word for word in found if found[word] > 1), key=lambda word: (-found[word], word))

    def titles(self, docs: Iterable[int]) -> list[str]:
        """The titles of some documents, as sequences of stems."""
        return self.store.texts("title", [self._place(doc) for doc in docs])

    def contain(self, docs: Iterable[int], passage: str) -> list[bool]:
        """Whether each of the documents has a passage in the sequence of its words."""
        return self.store.with_passage([self._place(doc) for doc in docs], passage)

    def _place(self, doc: int) -> Place:
        number = bisect_right(self.bases, doc) - 1
        return self.segments[number], doc - self.bases[number]

    def _segment_postings(self, segment: Segment, field: str, word: str) -> Postings:
        found = self._known(segment, field, word)
        if found is None:
            found = self._read(field, [word], [segment.name])[segment.name, field, word]
        return found

    def _known(self, segment: Segment, field: str, word: str) -> Postings | None:
        return self._cache.get((segment.name, field, word))

    def _read(self, field: str, words: Sequence[str], segments: Sequence[str]) -> dict[tuple[str, str, str], Postings]:
        read = {(segment, field, word): NOTHING for segment in segments for word in words}
        read |= self.store.read(field, words, segments)
        for key, postings in read.items():
            self._cache.put(key, postings)
        return read

    def _norm(self, field: str) -> Floats:
        lengths = np.concatenate([np.empty(0, np.float32), *(segment.lengths[field] for segment in self.segments)])
        average = float(lengths[lengths > 0].mean()) if (lengths > 0).any() else 1.0
        norm: Floats = (K1 * (1 - B + B * lengths / average)).astype(np.float32)
        return norm
