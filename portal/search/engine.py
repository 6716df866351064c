"""The search engine behind one small interface: what is indexed, found and rebuilt, and nothing of how."""

import os
import re
import secrets
import shutil
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from threading import Lock
from typing import Any, TypeVar

from portal.search import ranking, words
from portal.search.postings import NeedsRebuild, PostingCache, Segment, Snapshot, reading
from portal.search.ranking import Hit, Strength, strength
from portal.search.words import mark, snippet

with warnings.catch_warnings():
    # Old string literals, seen only where no byte code is cached.
    warnings.simplefilter("ignore")
    from whoosh import columns, fields, index, util
    from whoosh.codec.whoosh3 import W3Codec
    from whoosh.reading import SegmentReader
    from whoosh.util.filelock import FileLock, try_for

# Whoosh names its files at random. Were these the numbers that anybody may seed, it would write over files in use.
util.random = SystemRandom()

__all__ = ["Busy", "Document", "Engine", "Hit", "NeedsRebuild", "Strength", "mark", "snippet", "strength"]

# Changes whenever an index made before can no longer be read as one made now: other fields, other stems.
FORMAT = 2
LOCK_TIMEOUT = 30.0
LOOK_AGAIN = 0.25
BUILD_MB = 64
OPEN_ATTEMPTS = 6
TITLE_REPEATS = 3

T = TypeVar("T")

_TOC = re.compile(r"_MAIN_(\d+)\.toc")

SCHEMA = fields.Schema(
    id=fields.ID(unique=True),
    number=fields.COLUMN(columns.NumericColumn("q")),
    title=fields.COLUMN(),
    alike=fields.KEYWORD(),
    alike_length=fields.COLUMN(columns.NumericColumn("i")),
    said=fields.KEYWORD(),
    said_length=fields.COLUMN(columns.NumericColumn("i")),
    sequence=fields.COLUMN(),
)


class Busy(Exception):
    """Somebody else has been writing for so long that this write was given up; trying again later is safe."""


@dataclass(frozen=True, slots=True)
class Document:
    """What can be found of an idea: ``said`` is found by searching, but makes no two ideas similar."""

    id: int
    title: str
    body: str = ""
    said: str = ""


class Engine:
    """A search index in a folder of its own, for any number of threads and processes, of which one writes at a time."""

    def __init__(self, folder: Path, cache_bytes: int = 64 * 2**20) -> None:
        self.folder = Path(folder)
        self._cache = PostingCache(cache_bytes)
        self._snapshot: Snapshot | None = None
        self._looked_at = 0.0
        self._opening = Lock()

    def index(self, documents: Iterable[Document]) -> None:
        """The documents can be found as they are now, and no longer as they were."""
        latest = {document.id: document for document in documents}
        self._write(latest.keys(), latest.values())

    def remove(self, ids: Iterable[int]) -> None:
        """The documents can no longer be found; ids that never could be do no harm."""
        self._write(set(ids), ())

    def search(self, query: str, limit: int = 20) -> list[Hit]:
        """Documents with the words and quoted phrases of ``query``, best first."""
        return ranking.search(self._current(), words.read(query), limit)

    def similar(self, title: str, body: str = "", limit: int = 5, exclude: Collection[int] = ()) -> list[Hit]:
        """Documents that resemble an idea, perhaps half typed, best first."""
        return ranking.similar(self._current(), title, body, limit, exclude)

    def count(self) -> int:
        """How many documents can be found."""
        return len(self.ids())

    def ids(self) -> set[int]:
        """Which documents can be found: to be compared with those that should be."""
        return self._current().live_ids()

    def is_healthy(self) -> bool:
        """Whether the index is there and its files can be read; what it lacks, only the database can tell."""
        try:
            return self._open(None).is_readable()
        except NeedsRebuild:
            return False

    def rebuild(
        self,
        documents: Iterable[Document],
        total: int | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """The index holds exactly ``documents``; until the last of them is in, the old one answers."""
        with self._only_writer():
            fresh = self.folder / f"index-{FORMAT}-{secrets.token_hex(4)}"
            fresh.mkdir(mode=0o700)
            try:
                done = _build(fresh, documents, total, on_progress)
                self._put_in_place(fresh)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise
        self._refresh()
        return done

    def _write(self, gone: Collection[int], added: Collection[Document]) -> None:
        if not gone:
            return
        with self._only_writer():
            writer = self._with_index(lambda opened: opened.writer(timeout=LOCK_TIMEOUT, codec=_codec()))
            try:
                with reading():
                    _delete(writer, gone)
                    for document in added:
                        _add(writer, document)
                    writer.commit()
            except BaseException:
                with suppress(Exception):
                    writer.cancel()
                raise
        self._refresh()

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
        if before is not None and before.generation == self._generation():
            return before
        try:
            self._snapshot = snapshot = self._open(before)
        except NeedsRebuild:
            self._snapshot = None
            raise
        self._cache.keep_only({segment.name for segment in snapshot.segments})
        return snapshot

    def _open(self, before: Snapshot | None) -> Snapshot:
        """The newest generation; segments that were open before stay open."""
        known = {segment.name: segment for segment in before.segments} if before else {}

        def snapshot(opened: Any) -> Snapshot:
            toc = opened._read_toc()
            kept = [segment for segment in toc.segments if segment.doc_count_all()]
            return Snapshot(
                [known.get(one.segment_id()) or Segment(SegmentReader(opened.storage, SCHEMA, one)) for one in kept],
                [sorted(one.deleted_docs() or ()) for one in kept],
                (Path(opened.storage.folder).name, toc.generation),
                self._cache,
            )

        return self._with_index(snapshot)

    def _with_index(self, use: Callable[[Any], T]) -> T:
        """What ``use`` makes of the index; a file that a writer just replaced is no damage, so it is tried again."""
        for attempt in range(OPEN_ATTEMPTS):
            try:
                with reading(but=(FileNotFoundError, index.EmptyIndexError)):
                    return use(index.open_dir(str(self._live_folder()), schema=SCHEMA))
            except (FileNotFoundError, index.EmptyIndexError):
                time.sleep(0.02 * attempt)
        raise NeedsRebuild("Files of the search index are missing.")

    def _generation(self) -> tuple[str, int]:
        folder = self._live_folder()
        names = os.listdir(folder) if folder.is_dir() else ()
        return folder.name, max((int(found[1]) for name in names if (found := _TOC.fullmatch(name))), default=-1)

    def _live_folder(self) -> Path:
        try:
            name = (self.folder / "current").read_text().strip()
        except OSError as error:
            raise NeedsRebuild("There is no search index yet.") from error
        if not re.fullmatch(rf"index-{FORMAT}-[0-9a-f]{{8}}", name):
            raise NeedsRebuild("The search index was made by another version.")
        return self.folder / name

    def _put_in_place(self, fresh: Path) -> None:
        pointer = self.folder / "current.new"
        with pointer.open("w") as file:
            file.write(fresh.name)
            file.flush()
            os.fsync(file.fileno())
        pointer.replace(self.folder / "current")
        for old in self.folder.glob("index-*"):
            if old != fresh:
                shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(str(self.folder / "writing.lock"))
        if not try_for(lock.acquire, timeout=LOCK_TIMEOUT, delay=0.05):
            raise Busy("The search index is being written by somebody else.")
        try:
            yield
        finally:
            lock.release()


def _codec() -> Any:
    """Whoosh's own way to write, less the statistics that only its own scores need: a third less time to build."""
    codec = W3Codec(blocklimit=1024, compression=0)
    codec.length_stats = False
    return codec


def _build(
    folder: Path,
    documents: Iterable[Document],
    total: int | None,
    on_progress: Callable[[int, int], None] | None,
) -> int:
    writer = index.create_in(str(folder), SCHEMA).writer(limitmb=BUILD_MB, codec=_codec())
    done = 0
    try:
        for done, document in enumerate(documents, 1):
            _add(writer, document)
            if on_progress and done % 100 == 0:
                on_progress(done, done if total is None else total)
        writer.commit()
    except BaseException:
        with suppress(Exception):
            writer.cancel()
        raise
    if on_progress:
        on_progress(done, done if total is None else total)
    return done


def _add(writer: Any, document: Document) -> None:
    alike = words.stems(document.title) * TITLE_REPEATS + words.stems(document.body)
    said = words.stems(document.said)
    sequence = "\n".join(map(words.sequence, (document.title, document.body, document.said)))
    writer.add_document(
        id=str(document.id),
        number=document.id,
        title=words.sequence(document.title).encode(),
        alike=alike,
        alike_length=len(alike),
        said=said,
        said_length=len(said),
        sequence=sequence.encode(),
    )


def _delete(writer: Any, ids: Iterable[int]) -> None:
    reader = writer.reader()
    try:
        for leaf, base in reader.leaf_readers():
            for id in map(str, ids):
                if ("id", id) in leaf:
                    for doc in list(leaf.postings("id", id).all_ids()):
                        writer.delete_document(base + doc)
    finally:
        reader.close()
