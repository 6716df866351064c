"""The search index in tables of the portal's PostgreSQL: for portals that run on several machines."""

from __future__ import annotations

import secrets
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate, groupby, islice
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import ARRAY

from portal.search import engine, words
from portal.search.engine import CACHE, FORMAT, Busy, Document, Engine
from portal.search.models import SearchDocument, SearchIndex, SearchPostings, SearchSegment
from portal.search.postings import FIELDS, MAX_COMPLETIONS, NeedsRebuild, Outdated, Place, Postings, Segment, Snapshot

THE_ONE = 1  # row of search_index
LOCK = 0x504F5254  # of PostgreSQL's advisory locks: whoever writes the index holds it
TOGETHER = 10_000  # documents that a rebuild puts into one segment
SETTLED = 5_000  # documents of a segment that is never merged with others
MOST_UNSETTLED = 8
LAST = "\U0010ffff"
TRIES = 3
MAX_TITLES = 50_000  # kept in memory

POSTING = np.dtype([("doc", "<i4"), ("alike", "<u2"), ("said", "<u2")])
MOST = 2**16 - 1

Found = NDArray[Any]


class PostgresEngine(Engine):
    """A search index that all machines share: each process keeps in memory what it read of it."""

    def __init__(self, database: sa.Engine, cache_bytes: int = CACHE) -> None:
        super().__init__(cache_bytes)
        self.database = database
        self._reading = database.execution_options(isolation_level="AUTOCOMMIT")
        # A document of a segment has one title for ever.
        self._titles: dict[tuple[str, int], str] = {}

    def is_healthy(self) -> bool:
        """Whether the index is there and whole; what it lacks, only the portal's tables can tell."""
        try:
            live = self._open(None).live_ids()
        except NeedsRebuild:
            return False
        there = [
            select(func.count()).select_from(SearchDocument).where(SearchDocument.segment_id.in_(_in_use())),
            select(func.count()).select_from(SearchPostings).where(SearchPostings.segment_id.in_(_in_use())),
            select(func.coalesce(func.sum(SearchSegment.words), 0)).where(SearchSegment.id.in_(_in_use())),
        ]
        with self._reading.connect() as connection:
            texts, postings, counted = connection.execute(select(*(one.scalar_subquery() for one in there))).one()
        return bool(texts == len(live) and postings == counted)

    def size(self) -> int:
        """How many bytes the tables take, with their indexes."""
        tables = (SearchSegment, SearchPostings, SearchDocument)
        with self._reading.connect() as connection:
            return sum(connection.scalar(select(func.pg_total_relation_size(one.__tablename__))) or 0 for one in tables)

    def _replace(self, documents: Iterable[Document]) -> int:
        rest, done = iter(documents), 0
        with self._only_writer() as connection:
            number = secrets.randbelow(2**31)  # never that of an index which somebody still has open
            while batch := list(islice(rest, TOGETHER)):
                _add_segment(connection, number, batch, ())
                done += len(batch)
            connection.execute(sa.delete(SearchIndex))
            connection.execute(sa.insert(SearchIndex).values(id=THE_ONE, number=number, version=0, format=FORMAT))
            connection.execute(sa.delete(SearchSegment).where(SearchSegment.number != number))
            connection.execute(sa.text("ANALYZE search_segments, search_postings, search_documents"))
        return done

    def _write(self, gone: Collection[int], added: Collection[Document]) -> None:
        with self._only_writer() as connection:
            number, version = _index_in_use(connection)
            earlier = select(SearchSegment.id).where(SearchSegment.number == number)
            connection.execute(
                sa.delete(SearchDocument).where(
                    SearchDocument.idea_id == _any(list(gone), sa.Integer), SearchDocument.segment_id.in_(earlier)
                )
            )
            _add_segment(connection, number, list(added), gone)
            _merge(connection, number)
            connection.execute(sa.update(SearchIndex).values(version=version + 1))

    def _generation(self) -> tuple[int, int]:
        with self._reading.connect() as connection:
            return _index_in_use(connection)

    def _open(self, before: Snapshot | None) -> Snapshot:
        known = {segment.name: segment for segment in before.segments} if before else {}
        for _ in range(TRIES):
            with self._reading.connect() as connection:
                generation = _index_in_use(connection)
                rows = connection.execute(
                    select(SearchSegment.id, SearchSegment.gone)
                    .where(SearchSegment.number == generation[0])
                    .order_by(SearchSegment.id)
                ).all()
                fresh = [row.id for row in rows if str(row.id) not in known]
                if fresh:
                    arrays = select(SearchSegment.__table__).where(SearchSegment.id == _any(fresh, sa.Integer))
                    known |= {segment.name: segment for segment in _as_segments(connection.execute(arrays))}
                if generation == _index_in_use(connection) and all(str(row.id) in known for row in rows):
                    segments = [known[str(row.id)] for row in rows]
                    gone = [np.frombuffer(row.gone, "<i8") for row in rows]
                    tables = Tables(self._reading, segments, self._titles)
                    return Snapshot(tables, segments, _deleted(segments, gone), generation, self._cache)
        raise NeedsRebuild("The search index is written all the time.")

    @contextmanager
    def _only_writer(self) -> Iterator[sa.Connection]:
        with self.database.begin() as connection:
            patience = f"{int(engine.LOCK_TIMEOUT * 1000)}ms"
            connection.execute(
                select(func.set_config("lock_timeout", patience, True), func.set_config("statement_timeout", "0", True))
            )
            try:
                connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
            except sa.exc.OperationalError as error:
                if "lock timeout" in str(error.orig):
                    raise Busy("The search index is being written by somebody else.") from error
                raise
            yield connection


class Tables:
    """The segments of one generation, in the database."""

    def __init__(self, database: sa.Engine, segments: Sequence[Segment], titles: dict[tuple[str, int], str]) -> None:
        self._database = database
        self._titles = titles
        self._segments = [int(segment.name) for segment in segments]

    def read(
        self, field: str, words: Collection[str], segments: Sequence[str]
    ) -> Iterator[tuple[tuple[str, str, str], Postings]]:
        """Yield postings by segment, field and word, of both fields, since they come from one row."""
        with_words = sa.and_(
            SearchPostings.segment_id == SearchSegment.id, SearchPostings.word == _any(list(words), sa.Text)
        )
        rows = self._ask(
            select(SearchSegment.id, SearchPostings.word, SearchPostings.postings)
            .outerjoin(SearchPostings, with_words)
            .where(SearchSegment.id == _any([int(name) for name in segments], sa.Integer))
        )
        if len({row.id for row in rows}) < len(segments):
            raise Outdated
        for number, word, postings in rows:
            if word is not None:
                found = np.frombuffer(postings, POSTING)
                for name in ("alike", "said"):
                    has = found[name] > 0
                    yield (
                        (str(number), name, word),
                        Postings(found["doc"][has].astype(np.int32), found[name][has].astype(np.float32)),
                    )

    def texts(self, name: str, places: Sequence[Place]) -> list[str]:
        """Return what some documents have in a column of texts."""
        if name != "title":
            return self._of_documents(places, SearchDocument.sequence)
        keys = [(segment.name, doc) for segment, doc in places]
        known = {key: title for key in keys if (title := self._titles.get(key)) is not None}
        missing = [place for place, key in zip(places, keys, strict=True) if key not in known]
        read = self._of_documents(missing, SearchDocument.title)
        fresh = {(segment.name, doc): title for (segment, doc), title in zip(missing, read, strict=True)}
        if len(self._titles) > MAX_TITLES:
            self._titles.clear()
        self._titles.update(fresh)
        known |= fresh
        return [known[key] for key in keys]

    def with_passage(self, places: Sequence[Place], passage: str) -> list[bool]:
        """Return for some documents whether their words have a passage in this order."""
        return self._of_documents(places, SearchDocument.sequence.contains(passage, autoescape=True))

    def words_from(self, prefix: str) -> Mapping[str, int]:
        """Return the words that begin so, or the first of many, with how many documents have each."""
        begin_so = self._counted().where(SearchPostings.word >= prefix, SearchPostings.word < prefix + LAST)
        return _counts(self._ask(begin_so.order_by(SearchPostings.word).limit(MAX_COMPLETIONS)))

    def frequencies(self, words: Collection[str]) -> Mapping[str, int]:
        """Return how many documents have each of these words."""
        return _counts(self._ask(self._counted().where(SearchPostings.word == _any(list(words), sa.Text))))

    def _counted(self) -> sa.Select[str, int]:
        return (
            select(SearchPostings.word, func.sum(SearchPostings.documents))
            .where(SearchPostings.segment_id == _any(self._segments, sa.Integer), SearchPostings.documents > 0)
            .group_by(SearchPostings.word)
        )

    def _of_documents(self, places: Sequence[Place], what: sa.SQLColumnExpression[Any]) -> list[Any]:
        if not places:
            return []
        ids = [int(segment.ids[doc]) for segment, doc in places]
        asked = select(SearchDocument.idea_id, what).where(
            SearchDocument.segment_id == _any(sorted({int(segment.name) for segment, _ in places}), sa.Integer),
            SearchDocument.idea_id == _any(ids, sa.Integer),
        )
        found = dict(map(tuple, self._ask(asked)))
        if len(found) < len(ids):
            raise Outdated
        return [found[idea_id] for idea_id in ids]

    def _ask(self, asked: sa.Select[*tuple[Any, ...]]) -> Sequence[Any]:
        with self._database.connect() as connection:
            return connection.execute(asked).all()


def _index_in_use(connection: sa.Connection) -> tuple[int, int]:
    try:
        row = connection.execute(select(SearchIndex.number, SearchIndex.version, SearchIndex.format)).first()
    except sa.exc.ProgrammingError as error:
        raise NeedsRebuild("The tables of the search index are missing.") from error
    if row is None:
        raise NeedsRebuild("There is no search index yet.")
    if row.format != FORMAT:
        raise NeedsRebuild("The search index was made by another version.")
    return row.number, row.version


def _deleted(segments: Sequence[Segment], gone: Sequence[Found]) -> list[list[int]]:
    """Of each segment the documents that a later one has anew, or that were removed."""
    deleted: list[list[int]] = []
    later = np.empty(0, np.int64)
    for segment, removed in zip(reversed(segments), reversed(gone), strict=True):
        deleted.append(np.flatnonzero(np.isin(segment.ids, later)).tolist() if len(later) else [])
        later = np.union1d(later, removed) if len(removed) else later
    return deleted[::-1]


def _add_segment(connection: sa.Connection, number: int, added: Sequence[Document], gone: Collection[int]) -> None:
    postings: dict[str, array[int]] = {}
    documents: Counter[str] = Counter()
    lengths: list[tuple[int, int]] = []
    for doc, document in enumerate(added):
        alike, said = Counter(document.alike()), Counter(words.stems(document.said))
        lengths.append((alike.total(), said.total()))
        documents.update(alike.keys())
        for word in alike.keys() | said.keys():
            postings.setdefault(word, array("q")).extend((doc, min(alike[word], MOST), min(said[word], MOST)))
    segment_id = _insert_segment(
        connection,
        number,
        np.array([document.id for document in added], "<i8"),
        np.array(sorted(gone), "<i8"),
        np.array(lengths, "<f4").reshape(-1, 2),
        {word: (documents[word], _packed(rows)) for word, rows in postings.items()},
    )
    if added:
        connection.execute(
            sa.insert(SearchDocument),
            [
                {
                    "segment_id": segment_id,
                    "idea_id": document.id,
                    "title": words.sequence(document.title),
                    "sequence": document.sequence(),
                }
                for document in added
            ],
        )


def _insert_segment(
    connection: sa.Connection,
    number: int,
    ids: Found,
    gone: Found,
    lengths: Found,
    postings: Mapping[str, tuple[int, Found]],
) -> int:
    values = {
        "number": number,
        "size": len(ids),
        "words": len(postings),
        "ids": ids.tobytes(),
        "gone": gone.tobytes(),
        "alike_lengths": lengths[:, 0].tobytes(),
        "said_lengths": lengths[:, 1].tobytes(),
    }
    segment_id = connection.execute(sa.insert(SearchSegment).values(values).returning(SearchSegment.id)).scalar_one()
    if postings:
        connection.execute(
            sa.insert(SearchPostings),
            [
                {"segment_id": segment_id, "word": word, "documents": has, "postings": found.tobytes()}
                for word, (has, found) in sorted(postings.items())
            ],
        )
    return segment_id


def _packed(rows: array[int]) -> Found:
    table = np.array(rows, np.int64).reshape(-1, 3)
    packed = np.empty(len(table), POSTING)
    for place, name in enumerate(("doc", "alike", "said")):
        packed[name] = table[:, place]
    return packed


def _merge(connection: sa.Connection, number: int) -> None:
    """Keep segments few: of the small ones at the end, those that together outweigh the one before become one."""
    newest_first = connection.execute(
        sa.select(SearchSegment.__table__)
        .where(SearchSegment.number == number, SearchSegment.id > _last_settled(number))
        .order_by(SearchSegment.id.desc())
    ).all()
    if len(newest_first) <= MOST_UNSETTLED:
        return
    sizes = [max(row.size, 1) for row in newest_first]
    weights = list(accumulate(sizes))
    some = next((place for place in range(2, len(sizes)) if sizes[place] > 2 * weights[place - 1]), len(sizes))
    _join(connection, number, newest_first[:some][::-1])


def _join(connection: sa.Connection, number: int, rows: Sequence[Any]) -> None:
    """One segment in the place of several that follow each other."""
    segments = list(_as_segments(rows))
    deleted = _deleted(segments, [np.frombuffer(row.gone, "<i8") for row in rows])
    starts = [0, *accumulate(len(one.ids) for one in segments)]
    live = np.ones(starts[-1], bool)
    for start, docs in zip(starts, deleted, strict=False):
        live[[start + doc for doc in docs]] = False
    places = np.cumsum(live) - 1
    base_of = {int(one.name): start for one, start in zip(segments, starts, strict=False)}
    old = _any([row.id for row in rows], sa.Integer)
    words_of = connection.execute(
        select(SearchPostings.word, SearchPostings.segment_id, SearchPostings.postings)
        .where(SearchPostings.segment_id == old)
        .order_by(SearchPostings.word, SearchPostings.segment_id)
    )
    postings: dict[str, tuple[int, Found]] = {}
    for word, parts in groupby(words_of, key=lambda row: row.word):
        found = np.concatenate([_moved(part.postings, base_of[part.segment_id]) for part in parts])
        found = found[live[found["doc"]]]
        if len(found):
            found["doc"] = places[found["doc"]]
            postings[word] = int((found["alike"] > 0).sum()), found
    new = _insert_segment(
        connection,
        number,
        np.concatenate([one.ids for one in segments])[live],
        np.unique(np.concatenate([np.frombuffer(row.gone, "<i8") for row in rows])),
        np.stack([np.concatenate([one.lengths[name] for one in segments])[live] for name in FIELDS], axis=1),
        postings,
    )
    connection.execute(sa.update(SearchDocument).where(SearchDocument.segment_id == old).values(segment_id=new))
    connection.execute(sa.delete(SearchSegment).where(SearchSegment.id == old))


def _moved(postings: bytes, base: int) -> Found:
    found = np.frombuffer(postings, POSTING).copy()
    found["doc"] += base
    return found


def _last_settled(number: int) -> sa.ScalarSelect[Any]:
    settled = select(func.max(SearchSegment.id)).where(SearchSegment.number == number, SearchSegment.size >= SETTLED)
    return select(func.coalesce(settled.scalar_subquery(), 0)).scalar_subquery()


def _as_segments(rows: Iterable[Any]) -> Iterator[Segment]:
    for row in rows:
        lengths = {"alike": np.frombuffer(row.alike_lengths, "<f4"), "said": np.frombuffer(row.said_lengths, "<f4")}
        yield Segment(str(row.id), np.frombuffer(row.ids, "<i8"), lengths)


def _in_use() -> sa.Select[int]:
    return select(SearchSegment.id).join(SearchIndex, SearchIndex.number == SearchSegment.number)


def _any(values: Sequence[Any], kind: type[sa.types.TypeEngine[Any]]) -> sa.CollectionAggregate[Any]:
    """One of many values, as one array: a statement is the same however many there are."""
    return sa.any_(sa.literal(list(values), ARRAY(kind)))


def _counts(rows: Iterable[Any]) -> dict[str, int]:
    return {word: int(number) for word, number in rows}
