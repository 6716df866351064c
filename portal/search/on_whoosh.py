"""The search index in files of this machine, kept by Whoosh."""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
import time
import warnings
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from random import SystemRandom
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from portal.search import engine, words
from portal.search.engine import CACHE, FORMAT, Busy, Document, Engine
from portal.search.postings import (
    FIELDS,
    MAX_COMPLETIONS,
    NOTHING,
    NeedsRebuild,
    Place,
    Postings,
    Segment,
    Snapshot,
    reading,
)

with warnings.catch_warnings():
    # Old string literals, seen only where no byte code is cached.
    warnings.simplefilter("ignore")
    from whoosh import columns, fields, index, util
    from whoosh.codec.whoosh3 import W3Codec
    from whoosh.filedb import compound
    from whoosh.filedb.structfile import BufferFile
    from whoosh.reading import SegmentReader
    from whoosh.util.filelock import FileLock, try_for

# Whoosh names its files at random. Were these the numbers that anybody may seed, it would write over files in use.
util.random = SystemRandom()


class MappedFile(BufferFile):
    """A file of a segment, read where it is mapped: Whoosh would copy all of it into memory, each time it is opened."""

    def __init__(self, buf: memoryview, name: str | None = None, onclose: Callable[[Any], None] | None = None) -> None:
        self._buf, self._name, self.onclose = buf, name, onclose
        self.file = io.BufferedReader(Window(buf))
        self.is_real = self.is_closed = False


class Window(io.RawIOBase):
    """Some bytes that lie elsewhere, as a file."""

    def __init__(self, there: memoryview) -> None:
        super().__init__()
        self._there, self._at = there, 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """From any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._there)}[whence]
        return self._at

    def readinto(self, into: Any, /) -> int:
        """Copy what fits from the place on."""
        found = self._there[self._at : self._at + len(into)]
        into[: len(found)] = found
        self._at += len(found)
        return len(found)


compound.BufferFile = MappedFile

BUILD_MB = 64
OPEN_ATTEMPTS = 6

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


class WhooshEngine(Engine):
    """A search index in a folder of its own, for any number of processes of this machine."""

    def __init__(self, folder: Path, cache_bytes: int = CACHE) -> None:
        super().__init__(cache_bytes)
        self.folder = Path(folder)

    def is_healthy(self) -> bool:
        """Whether the index is there and its files can be read; what it lacks, only the database can tell."""
        try:
            for file in _files(self._open(None)):
                file.try_out()
        except NeedsRebuild:
            return False
        return True

    def size(self) -> int:
        """How many bytes the index takes on the disk."""
        return sum(path.stat().st_size for path in self._live_folder().iterdir())

    def _replace(self, documents: Iterable[Document]) -> int:
        with self._only_writer():
            fresh = self.folder / f"index-{FORMAT}-{secrets.token_hex(4)}"
            fresh.mkdir(mode=0o700)
            try:
                done = _build(fresh, documents)
                self._put_in_place(fresh)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise
        return done

    def _write(self, gone: Collection[int], added: Collection[Document]) -> None:
        with self._only_writer():
            writer = self._with_index(lambda opened: opened.writer(timeout=engine.LOCK_TIMEOUT, codec=_codec()))
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

    def _open(self, before: Snapshot | None) -> Snapshot:
        known = {file.segment.name: file for file in _files(before)} if before else {}
        return self._with_index(lambda opened: self._snapshot_of(opened, known))

    def _snapshot_of(self, opened: Any, known: Mapping[str, SegmentFile]) -> Snapshot:
        toc = opened._read_toc()
        kept = [one for one in toc.segments if one.doc_count_all()]
        files = [known.get(one.segment_id()) or SegmentFile(SegmentReader(opened.storage, SCHEMA, one)) for one in kept]
        return Snapshot(
            Files(files),
            [file.segment for file in files],
            [sorted(one.deleted_docs() or ()) for one in kept],
            (Path(opened.storage.folder).name, toc.generation),
            self._cache,
        )

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
        if not try_for(lock.acquire, timeout=engine.LOCK_TIMEOUT, delay=0.05):
            raise Busy("The search index is being written by somebody else.")
        try:
            yield
        finally:
            lock.release()


class SegmentFile:
    """The files of one segment."""

    def __init__(self, leaf: Any) -> None:
        self._leaf = leaf
        self.segment = Segment(
            leaf.segment().segment_id(),
            np.array(self._column("number").load(), np.int64),
            {name: np.array(self._column(f"{name}_length").load(), np.float32) for name in FIELDS},
        )
        self._texts = {name: self._column(name) for name in ("title", "sequence")}
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
        vocabulary = self._words()
        first = bisect_left(vocabulary, prefix)
        begin_so = takewhile(lambda word: word.startswith(prefix), vocabulary[first : first + MAX_COMPLETIONS])
        return {word: self.frequency(word) for word in begin_so}

    def has(self, word: str) -> bool:
        """Whether any document has the word."""
        vocabulary = self._words()
        place = bisect_left(vocabulary, word)
        return place < len(vocabulary) and vocabulary[place] == word

    def frequency(self, word: str) -> int:
        """How many documents have the word."""
        with self._lock:
            return int(self._leaf.doc_frequency("alike", word))

    def try_out(self) -> None:
        """Read one word and one document."""
        with reading():
            self.text("sequence", self.segment.size - 1)
            with self._lock:
                word = next(iter(self._leaf.lexicon("alike")), None)
            if word is not None:
                self.read("alike", word.decode())

    def _words(self) -> list[str]:
        with self._lock:
            if self._vocabulary is None:
                self._vocabulary = [word.decode() for word in self._leaf.lexicon("alike")]
            return self._vocabulary

    def _column(self, name: str) -> Any:
        return self._leaf.column_reader(name, translate=False)


class Files:
    """All segments of one generation."""

    def __init__(self, files: Sequence[SegmentFile]) -> None:
        self.files = files
        self._by_name = {file.segment.name: file for file in files}

    def read(
        self, field: str, words: Collection[str], segments: Sequence[str]
    ) -> Iterator[tuple[tuple[str, str, str], Postings]]:
        """Yield postings by segment, field and word."""
        with reading():
            for name in segments:
                for word in words:
                    yield (name, field, word), self._by_name[name].read(field, word)

    def texts(self, name: str, places: Sequence[Place]) -> list[str]:
        """Return what some documents have in a column of texts."""
        with reading():
            return [self._by_name[segment.name].text(name, doc) for segment, doc in places]

    def with_passage(self, places: Sequence[Place], passage: str) -> list[bool]:
        """Return for some documents whether their words have a passage in this order."""
        return [passage in text for text in self.texts("sequence", places)]

    def words_from(self, prefix: str) -> Mapping[str, int]:
        """Return the words that begin so, with how many documents have each."""
        found: Counter[str] = Counter()
        with reading():
            for file in self.files:
                found.update(file.words_from(prefix))
        return found

    def frequencies(self, words: Collection[str]) -> Mapping[str, int]:
        """Return how many documents have each of these words."""
        found: Counter[str] = Counter()
        with reading():
            for file in self.files:
                found.update({word: file.frequency(word) for word in words if file.has(word)})
        return found


def _files(snapshot: Snapshot) -> Sequence[SegmentFile]:
    assert isinstance(snapshot.store, Files)
    return snapshot.store.files


def _codec() -> Any:
    """Whoosh's own way to write, less the statistics that only its own scores need: a third less time to build."""
    codec = W3Codec(blocklimit=1024, compression=0)
    codec.length_stats = False
    return codec


def _build(folder: Path, documents: Iterable[Document]) -> int:
    writer = index.create_in(str(folder), SCHEMA).writer(limitmb=BUILD_MB, codec=_codec())
    done = 0
    try:
        for document in documents:
            _add(writer, document)
            done += 1
        writer.commit()
    except BaseException:
        with suppress(Exception):
            writer.cancel()
        raise
    return done


def _add(writer: Any, document: Document) -> None:
    alike, said = document.alike(), words.stems(document.said)
    writer.add_document(
        id=str(document.id),
        number=document.id,
        title=words.sequence(document.title).encode(),
        alike=alike,
        alike_length=len(alike),
        said=said,
        said_length=len(said),
        sequence=document.sequence().encode(),
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
