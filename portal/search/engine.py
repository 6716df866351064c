"""The search engine behind one small interface: what is indexed, found and rebuilt, and nothing of where it is kept."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from portal.search import finding, resembling, spelling, words
from portal.search.postings import NeedsRebuild, Outdated, PostingCache, Snapshot
from portal.search.ranking import Hit, Strength
from portal.search.words import mark, snippet

__all__ = ["Busy", "Document", "Engine", "Hit", "NeedsRebuild", "Strength", "mark", "snippet"]

# Changes whenever an index made before can no longer be read as one made now: other fields, other stems.
FORMAT = 2
LOCK_TIMEOUT = 30.0
LOOK_AGAIN = 0.25
CACHE = 64 * 2**20
TITLE_REPEATS = 3

Progress = Callable[[int, int], None]
T = TypeVar("T")


class Busy(Exception):
    """Somebody else has been writing for so long that this write was given up; trying again later is safe."""


@dataclass(frozen=True, slots=True)
class Document:
    """What can be found of an idea: ``said`` is found by searching, but makes no two ideas similar."""

    id: int
    title: str
    body: str = ""
    said: str = ""

    def alike(self) -> list[str]:
        """The stems by which it resembles others: its title counts several times."""
        return words.stems(self.title) * TITLE_REPEATS + words.stems(self.body)

    def sequence(self) -> str:
        """All its words in order, where quoted phrases are looked up; none runs from one part into the next."""
        return "\n".join(map(words.sequence, (self.title, self.body, self.said)))


class Engine(ABC):
    """A search index, for any number of threads and processes, of which one writes at a time.

    Everything but ``rebuild`` raises NeedsRebuild while there is no sound index.
    """

    def __init__(self, cache_bytes: int = CACHE) -> None:
        self._cache = PostingCache(cache_bytes)
        self._snapshot: Snapshot | None = None
        self._looked_at = 0.0
        self.looked_after = float("-inf")  # when the worker last saw whether it is sound
        self._opening = Lock()
        self.read_synonyms: Callable[[], Mapping[str, Sequence[str]]] = dict

    def index(self, documents: Iterable[Document]) -> None:
        """The documents can be found as they are now, and no longer as they were."""
        latest = {document.id: document for document in documents}
        self._change(latest.keys(), latest.values())

    def remove(self, ids: Iterable[int]) -> None:
        """The documents can no longer be found; ids that never could be do no harm."""
        self._change(set(ids), ())

    def search(self, query: str, limit: int = 20, enough: int = finding.ENOUGH) -> list[Hit]:
        """Documents with the words and quoted phrases of ``query``, best first; some words do where few have all."""
        asked = words.read(query)
        return self._ask(lambda snapshot: finding.search(snapshot, asked, limit, enough))

    def similar(
        self,
        title: str,
        body: str = "",
        limit: int = 5,
        exclude: Collection[int] = (),
        readable: resembling.Readable | None = None,
        itself: int | None = None,
    ) -> list[Hit]:
        """Documents that resemble an idea, perhaps half typed, best first; as if there were only what is readable.

        ``itself`` is the idea that is asked for: found, but not counted among what others have to outshine.
        """
        return self._ask(lambda snapshot: resembling.similar(snapshot, title, body, limit, exclude, readable, itself))

    def correction(self, text: str, texts_of: spelling.TextsOf, readable: resembling.Readable | None = None) -> str:
        """``text`` with words that no document has replaced by what was probably meant; empty if none has to be.

        No word is named that stands in none of the texts that ``texts_of`` yields, and a word that only documents have
        which are not ``readable`` is one that none has: pages ask ``did_you_mean``.
        """
        return self._ask(lambda snapshot: spelling.correct(snapshot, text, texts_of, readable))

    def count(self) -> int:
        """How many documents can be found."""
        return len(self.ids())

    def ids(self) -> set[int]:
        """Which documents can be found: to be compared with those that should be."""
        return self._current().live_ids()

    def rebuild(
        self, documents: Iterable[Document], total: int | None = None, on_progress: Progress | None = None
    ) -> int:
        """The index holds exactly ``documents``; until the last of them is in, the old one answers."""
        done = self._replace(_counted(documents, total, on_progress))
        if on_progress:
            on_progress(done, done if total is None else total)
        self._refresh()
        return done

    @abstractmethod
    def is_healthy(self) -> bool:
        """Whether the index is there and can be read; what it lacks, only the database can tell."""

    @abstractmethod
    def size(self) -> int:
        """How many bytes the index takes where it is kept."""

    @abstractmethod
    def _generation(self) -> Hashable:
        """What the index in use is called now: another name after each write."""

    @abstractmethod
    def _open(self, before: Snapshot | None) -> Snapshot:
        """The newest generation; segments that were open before stay open."""

    @abstractmethod
    def _write(self, gone: Collection[int], added: Collection[Document]) -> None:
        """Take out the documents with these ids, and put these in."""

    @abstractmethod
    def _replace(self, documents: Iterable[Document]) -> int:
        """Put an index of these documents in the place of the old one; return how many there were."""

    def _change(self, gone: Collection[int], added: Collection[Document]) -> None:
        if gone:
            self._write(gone, added)
            self._refresh()

    def _ask(self, answer: Callable[[Snapshot], T]) -> T:
        """What the newest generation answers; once more when it was replaced meanwhile."""
        try:
            return answer(self._taught(self._current()))
        except Outdated:
            return answer(self._taught(self._refresh()))

    def _taught(self, snapshot: Snapshot) -> Snapshot:
        snapshot.synonyms = self.read_synonyms()
        return snapshot

    def _current(self) -> Snapshot:
        """What is searched; looked up anew a few times a second, by one thread while the others go on."""
        snapshot = self._snapshot
        if snapshot is None:
            return self._refresh()
        if time.monotonic() - self._looked_at > LOOK_AGAIN and self._opening.acquire(blocking=False):
            try:
                return self._newest()
            finally:
                self._opening.release()
        return snapshot

    def _refresh(self) -> Snapshot:
        with self._opening:
            return self._newest()

    def _newest(self) -> Snapshot:
        before, self._looked_at = self._snapshot, time.monotonic()
        try:
            if before is not None and before.generation == self._generation():
                return before
            self._snapshot = snapshot = self._open(before)
        except NeedsRebuild:
            self._snapshot = None
            raise
        self._cache.keep_only({segment.name for segment in snapshot.segments})
        return snapshot


def _counted(documents: Iterable[Document], total: int | None, on_progress: Progress | None) -> Iterable[Document]:
    """The documents, telling after each hundred how far it is."""
    for done, document in enumerate(documents, 1):
        yield document
        if on_progress and done % 100 == 0:
            on_progress(done, done if total is None else total)
