"""How well and how fast ideas are found: both engines beside other ways to search, measured in one run."""

from __future__ import annotations

import gzip
import json
import random
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from portal.bench.processes import memory_of_this
from portal.bench.report import table
from portal.bench.wording import Writer
from portal.config import ConfigurationError
from portal.search import evaluation, words
from portal.search.engine import Document, Engine, Strength
from portal.search.evaluation import Issue, Search, new_postgres_engine, new_whoosh_engine
from portal.search.on_postgres import PostgresEngine
from portal.search.on_whoosh import WhooshEngine

MODES = ("prefix", "title", "full")
STRENGTHS: tuple[Strength, ...] = ("same", "likely", "possible")
DEPTH = 5
ASKED = 100  # searches of each kind at each size
WRITES = 10

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the portal's engines, and how a new one is made."""

    name: str
    new: Callable[[], Engine]


def engines(database: str, say: Say) -> list[Kind]:
    """The portal's engines, PostgreSQL's where there is one."""
    kinds = [Kind("Portal on Whoosh", new_whoosh_engine)]
    try:
        new_postgres_engine(database).database.dispose()
    except (ImportError, LookupError, sa.exc.OperationalError) as problem:
        say(f"PostgreSQL is left out: {problem}")
        return kinds
    return [*kinds, Kind("Portal on PostgreSQL", lambda: new_postgres_engine(database))]


def read_issues(place: Path) -> Iterator[tuple[str, list[Issue]]]:
    """Yield each file of labelled texts that lies here, and what it holds."""
    files = sorted(place.glob("*.jsonl*")) if place.is_dir() else [place]
    if not files:
        raise ConfigurationError(f"There is no file of labelled texts (*.jsonl, *.jsonl.gz) in {place}.")
    for file in files:
        content = file.read_bytes()
        lines = (gzip.decompress(content) if file.suffix == ".gz" else content).splitlines()
        yield file.name, [json.loads(line) for line in lines if line.strip()]


def quality(
    kinds: Sequence[Kind], name: str, issues: list[Issue], queries: int, database: str, say: Say
) -> Iterator[str]:
    """Yield how often a known duplicate is found, by both engines and by what others do."""
    asked = [issue for issue in issues if issue.get("duplicate_of")]
    if queries and queries < len(asked):
        asked = random.Random(5).sample(asked, queries)  # noqa: S311 - the same sample in every run
    yield f"### Known duplicates found: {name}, {len(issues):,} texts, {len(asked):,} queries"
    yield ""
    rows, confidence = [], []
    for kind in kinds:
        say(f"{name}: {kind.name}")
        engine = kind.new()
        search = evaluation.answering(engine, issues)
        rows += _measured(kind.name, search, issues, asked)
        confidence += _strengths(kind.name, engine, issues, asked)
        _close(engine)
    for peer, build in PEERS.items():
        say(f"{name}: {peer}")
        try:
            rows += _measured(peer, build(issues, database), issues, asked)
        except (ImportError, LookupError, sa.exc.OperationalError) as problem:
            say(f"left out: {problem}")
    yield from table(("Engine", "known", "R@1", "R@5", "R@10", "MRR", "CPU ms, median"), rows)
    yield ""
    yield "### What a strength is worth: the share of hits that staff marked as the same"
    yield ""
    yield from table(("Engine", "known", "strength", "first hits", "right", "first five", "right"), confidence)
    yield ""


def speed(kinds: Sequence[Kind], size: int, say: Say) -> Iterator[str]:
    """Yield how long things take with so many ideas."""
    rows = []
    for kind in kinds:
        say(f"{size:,} ideas: {kind.name}")
        rows.append(_sized(kind, size))
    yield f"### {size:,} ideas"
    yield ""
    head = ("Engine", "similar by title", "by title and text", "search", "write", "seen by others", "first answer")
    yield from table((*head, "rebuild", "index", "memory"), [(row[0], *(f"{one}" for one in row[1:])) for row in rows])
    yield ""


def _measured(name: str, search: Search, issues: list[Issue], asked: list[Issue]) -> list[tuple[str, ...]]:
    rows = []
    for mode in MODES:
        found = evaluation.measure(search, issues, evaluation.TEXTS[mode], asked)
        shares = (found.recall_at_1, found.recall_at_5, found.recall_at_10, found.mean_reciprocal_rank)
        rows.append((name, mode, *(f"{share:.3f}" for share in shares), f"{found.median_ms:.1f}"))
    return rows


def _strengths(name: str, engine: Engine, issues: list[Issue], asked: list[Issue]) -> list[tuple[str, ...]]:
    """How often a hit of each strength is right: the numbers of the issues are their places, from 1."""
    groups = evaluation.groups(issues)
    rows: list[tuple[str, ...]] = []
    for mode in ("title", "full"):
        right = {one: [0, 0, 0, 0] for one in STRENGTHS}
        for issue in asked:
            title, _, body = evaluation.TEXTS[mode](issue).partition("\n")
            hits = engine.similar(title, body, limit=DEPTH + 1)
            others = [(hit, str(issues[hit.id - 1]["id"])) for hit in hits]
            for place, (hit, other) in enumerate([pair for pair in others if pair[1] != issue["id"]][:DEPTH]):
                counts, is_right = right[hit.strength], other in groups[issue["id"]]
                counts[2] += 1
                counts[3] += is_right
                counts[0] += place == 0
                counts[1] += place == 0 and is_right
        for one, (first, first_right, all_, all_right) in right.items():
            shares = f"{first_right / max(first, 1):.0%}", f"{all_right / max(all_, 1):.0%}"
            rows.append((name, mode, one, str(first), shares[0], str(all_), shares[1]))
    return rows


def _sized(kind: Kind, size: int) -> tuple[str, ...]:
    writer = Writer(random.Random(7))  # noqa: S311 - the same texts in every run
    ideas = [writer.idea() for _ in range(size)]
    documents = [Document(number, idea.title, idea.need) for number, idea in enumerate(ideas, 1)]
    asked = random.Random(8).sample(documents, min(ASKED, size))  # noqa: S311
    engine = kind.new()
    began = time.perf_counter()
    engine.rebuild(documents)
    rebuilt = time.perf_counter() - began
    before = memory_of_this()
    began = time.perf_counter()
    engine.similar(asked[0].title, asked[0].body)
    cold = _ms(time.perf_counter() - began)
    for document in asked:
        engine.similar(document.title)
        engine.similar(document.title, document.body)
    spread = [
        _spread([lambda one=one: engine.similar(one.title) for one in asked]),  # type: ignore[misc]
        _spread([lambda one=one: engine.similar(one.title, one.body) for one in asked]),  # type: ignore[misc]
        _spread([lambda one=one: engine.search(" ".join(one.title.split()[:3])) for one in asked]),  # type: ignore[misc]
    ]
    memory = memory_of_this() - before
    written, seen = _writes(engine, size)
    took = (
        kind.name, *spread, written, seen, cold,
        f"{rebuilt:.1f} s, {size / rebuilt:,.0f}/s", f"{engine.size() / 2**20:.1f} MB", f"{memory:.0f} MB",
    )  # fmt: skip
    _close(engine)
    return took


def _writes(engine: Engine, size: int) -> tuple[str, str]:
    """How long a write of one idea takes, and until a process that looks all the time finds it."""
    other = _another(engine)
    other.similar("anything")
    writes, sights = [], []
    for number in range(WRITES):
        began = time.perf_counter()
        engine.index([Document(size + 1 + number, f"A thing called unheardof{number}x", "Nobody knew of it.")])
        written = time.perf_counter()
        while not other.search(f"unheardof{number}x "):
            time.sleep(0.005)
        writes.append(written - began)
        sights.append(time.perf_counter() - written)
    return _ms(statistics.median(writes)), _ms(max(sights))


def _another(engine: Engine) -> Engine:
    if isinstance(engine, WhooshEngine):
        return WhooshEngine(engine.folder)
    assert isinstance(engine, PostgresEngine)
    return PostgresEngine(engine.database)


def _spread(calls: Sequence[Callable[[], Any]]) -> str:
    times = []
    for call in calls:
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return f"{statistics.median(times):.1f} / {times[int(len(times) * 0.95) - 1]:.1f}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _close(engine: Engine) -> None:
    if isinstance(engine, PostgresEngine):
        engine.database.dispose()


# What others do


def plain_whoosh(issues: list[Issue], _database: str) -> Search:
    """Whoosh as its guide shows it: stemmed title and body, any word, its own scores."""
    from whoosh import fields as whoosh_fields
    from whoosh import index as whoosh_index
    from whoosh import qparser
    from whoosh.analysis import StemmingAnalyzer

    folder = new_whoosh_engine().folder
    kind = whoosh_fields.TEXT(analyzer=StemmingAnalyzer())
    folder.mkdir(exist_ok=True)
    index = whoosh_index.create_in(str(folder), whoosh_fields.Schema(id=whoosh_fields.STORED, title=kind, body=kind))
    writer = index.writer(limitmb=128)
    for issue in issues:
        writer.add_document(id=str(issue["id"]), title=issue["title"], body=issue["body"])
    writer.commit()
    searcher = index.searcher()
    parser = qparser.MultifieldParser(["title", "body"], index.schema, group=qparser.OrGroup, plugins=[])

    def search(text: str, k: int) -> list[tuple[str, float]]:
        return [(hit["id"], hit.score) for hit in searcher.search(parser.parse(_plain(text)), limit=k)]

    return search


def fts5(issues: list[Issue], _database: str) -> Search:
    """SQLite's full text search: any word, its own BM25, the title three times as heavy."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE issues USING fts5(id UNINDEXED, title, body, tokenize = 'porter unicode61')")
    rows = [(str(issue["id"]), issue["title"], issue["body"]) for issue in issues]
    database.executemany("INSERT INTO issues VALUES (?, ?, ?)", rows)
    asked = "SELECT id, -bm25(issues, 0, 3, 1) FROM issues WHERE issues MATCH ? ORDER BY 2 DESC LIMIT ?"

    def search(text: str, k: int) -> list[tuple[str, float]]:
        terms = dict.fromkeys(word for word in _plain(text).split() if word not in words.NOISE)
        return database.execute(asked, (" OR ".join(f'"{term}"' for term in terms), k)).fetchall() if terms else []

    return search


def ts_rank(issues: list[Issue], database: str) -> Search:
    """PostgreSQL's full text search: any word, ts_rank over a weighted tsvector."""
    return _in_postgres(issues, database)


def raw_title_words(issues: list[Issue], database: str) -> Search:
    """The words of the title as they were typed, any of them, ranked by ts_rank over title and text."""
    search = _in_postgres(issues, database)
    return lambda text, k: search(text.partition("\n")[0], k)


def _in_postgres(issues: list[Issue], database: str) -> Search:
    tables = new_postgres_engine(database).database  # in a schema of its own
    weighed = sa.text(
        "INSERT INTO issues VALUES (:id, setweight(to_tsvector('english', :title), 'A') || "
        "setweight(to_tsvector('english', :body), 'D'))"
    )
    rows = [{name: str(issue[name]).replace("\0", " ") for name in ("id", "title", "body")} for issue in issues]
    with tables.begin() as connection:
        connection.execute(sa.text("CREATE TABLE issues (id text, words tsvector)"))
        connection.execute(weighed, rows)
        connection.execute(sa.text("CREATE INDEX ON issues USING gin (words)"))
        connection.execute(sa.text("ANALYZE issues"))
    ranked = sa.text(
        "SELECT id, ts_rank(words, asked) AS score FROM issues, to_tsquery('english', :terms) asked "
        "WHERE words @@ asked ORDER BY score DESC LIMIT :k"
    )

    def search(text: str, k: int) -> list[tuple[str, float]]:
        terms = " | ".join(dict.fromkeys(_plain(text).split()))
        if not terms:
            return []
        with tables.connect() as connection:
            return [(row.id, row.score) for row in connection.execute(ranked, {"terms": terms, "k": k})]

    return search


def _plain(text: str) -> str:
    return " ".join(word for word in "".join(sign if sign.isalnum() else " " for sign in text.lower()).split())


PEERS: dict[str, Callable[[list[Issue], str], Search]] = {
    "Whoosh as it comes": plain_whoosh,
    "SQLite FTS5": fts5,
    "PostgreSQL ts_rank": ts_rank,
    "Raw title words, OR-ed": raw_title_words,
}
