"""One generation of the index, as arrays that a search only has to add up."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

K1 = 1.2
B = 0.75

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
    """One segment of the index. What it says about a word never changes; only documents get deleted from it."""

    def __init__(self, leaf: Any, known: "Segment | None") -> None:
        segment = leaf.segment()
        self.name: str = segment.segment_id()
        self.deleted: list[int] = sorted(segment.deleted_docs() or ())
        self.size: int = leaf.doc_count_all()
        self.ids: NDArray[np.int64] = known.ids if known else self._column(leaf, "number", np.int64)
        self.lengths: dict[str, Floats] = (
            known.lengths
            if known
            else {field: self._column(leaf, f"{field}_length", np.float32) for field in ("alike", "said")}
        )
        self.leaf = leaf
        self._columns: dict[str, Any] = {}

    def read(self, field: str, word: str) -> Postings:
        """The postings of a word from the files; the caller sees to it that one thread reads at a time."""
        if (field, word) not in self.leaf:
            return NOTHING
        matcher = self.leaf.postings(field, word)
        # Deleted documents are left out when scores are ranked; here they would have to be found for each word.
        matcher = getattr(matcher, "child", matcher)
        docs: list[int] = []
        counts: list[float] = []
        if hasattr(matcher, "_next_block"):
            # A block at a time, five times as fast as the matcher's own way through it.
            while matcher.is_active():
                matcher._read_ids()
                matcher._read_weights()
                docs.extend(matcher._ids)
                counts.extend(matcher._weights)
                matcher._next_block()
        else:
            while matcher.is_active():
                docs.append(matcher.id())
                counts.append(matcher.weight())
                matcher.next()
        return Postings(np.array(docs, np.int32), np.array(counts, np.float32))

    def text(self, name: str, doc: int) -> str:
        """The value of one document in a column of texts; read by one thread at a time as well."""
        if name not in self._columns:
            self._columns[name] = self.leaf.column_reader(name, translate=False)
        return str(self._columns[name][doc], "utf-8")

    def _column(self, leaf: Any, name: str, kind: type[np.generic]) -> NDArray[Any]:
        return np.array(leaf.column_reader(name, translate=False).load(), kind)


class Snapshot:
    """All segments of one generation side by side: what any number of threads search at once."""

    def __init__(self, reader: Any, generation: tuple[str, int], cache: PostingCache, before: "Snapshot | None"):
        known = {segment.name: segment for segment in before.segments} if before else {}
        leaves = [leaf for leaf, _ in reader.leaf_readers() if leaf.doc_count_all()]
        self.reader = reader
        self.generation = generation
        self.segments: list[Segment] = [Segment(leaf, known.get(leaf.segment().segment_id())) for leaf in leaves]
        self.bases: list[int] = [0, *accumulate(segment.size for segment in self.segments)]
        self.total = self.bases[-1]
        self.ids: NDArray[np.int64] = np.concatenate([np.empty(0, np.int64), *(s.ids for s in self.segments)])
        self.deleted = np.array(
            [base + doc for base, segment in zip(self.bases, self.segments, strict=False) for doc in segment.deleted],
            np.int32,
        )
        self._norms = {field: self._norm(field) for field in ("alike", "said")}
        self._cache = cache
        self._lock = Lock()

    def live_ids(self) -> set[int]:
        """Which documents are in the index and not deleted."""
        return set(np.delete(self.ids, self.deleted).tolist())

    def is_readable(self) -> bool:
        """Whether one word and one document of each segment can be read."""
        for segment in self.segments:
            with reading():
                segment.text("title", segment.size - 1)
                segment.read("alike", next(iter(segment.leaf.lexicon("alike")), b"").decode())
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

    def words_from(self, prefix: str, most: int) -> list[str]:
        """At most ``most`` of the indexed words that begin so."""
        found: set[str] = set()
        with self._lock, reading():
            for segment in self.segments:
                for number, word in enumerate(segment.leaf.expand_prefix("alike", prefix)):
                    if number == most:
                        break
                    found.add(word.decode())
        return sorted(found)[:most]

    def titles(self, docs: Iterable[int]) -> list[str]:
        """The titles of some documents."""
        with self._lock, reading():
            return [self._text("title", doc) for doc in docs]

    def contain(self, docs: Iterable[int], passage: str) -> list[bool]:
        """Whether each of the documents has a passage in the sequence of its words."""
        with self._lock, reading():
            return [passage in self._text("sequence", doc) for doc in docs]

    def _text(self, column: str, doc: int) -> str:
        number = bisect_right(self.bases, doc) - 1
        return self.segments[number].text(column, doc - self.bases[number])

    def _segment_postings(self, segment: Segment, field: str, word: str) -> Postings:
        key = (segment.name, field, word)
        found = self._cache.get(key)
        if found is None:
            with self._lock, reading():
                found = segment.read(field, word)
            self._cache.put(key, found)
        return found

    def _norm(self, field: str) -> Floats:
        lengths = np.concatenate([np.empty(0, np.float32), *(segment.lengths[field] for segment in self.segments)])
        average = float(lengths[lengths > 0].mean()) if (lengths > 0).any() else 1.0
        norm: Floats = (K1 * (1 - B + B * lengths / average)).astype(np.float32)
        return norm
