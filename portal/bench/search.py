"""How well and how fast ideas are found: both engines beside other ways to search, measured in one run."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import secrets
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateSchema, DropSchema

from portal.bench.measure import folder
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
SMALL = ((500, 16), (50, 60))  # ideas of small portals, and how many of these are drawn
UNMARKED = 1_000  # texts that nobody marked as a duplicate, of which a strength should say little
DEPTH = 5
ASKED = 100  # searches of each kind at each size
WRITES = 10

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the portal's engines, and how a new one is made."""

    name: str
    new: Callable[[], Engine]
    database: Callable[[str], AbstractContextManager[str]]


def engines(database: str, say: Say) -> list[Kind]:
    """The portal's engines, PostgreSQL's where there is one."""
    kinds = [Kind("Portal on Whoosh", new_whoosh_engine, lambda _given: nullcontext(""))]
    try:
        new_postgres_engine(database).database.dispose()
    except (ImportError, LookupError, sa.exc.OperationalError) as problem:
        say(f"PostgreSQL is left out: {problem}")
        return kinds
    return [*kinds, Kind("Portal on PostgreSQL", lambda: new_postgres_engine(database), _empty_database)]


@contextmanager
def _empty_database(given: str) -> Iterator[str]:
    """A schema with nothing in it, beside whatever the database holds; it goes afterwards."""
    server, schema = sa.create_engine(evaluation.postgres_address(given)), f"portal_bench_{secrets.token_hex(4)}"
    with server.begin() as connection:
        connection.execute(CreateSchema(schema))
    try:
        inside = server.url.update_query_dict({"options": f"-c search_path={schema}"})
        yield inside.render_as_string(hide_password=False)
    finally:
        with server.begin() as connection:
            connection.execute(DropSchema(schema, cascade=True))
        server.dispose()


def read_issues(place: Path) -> Iterator[tuple[str, list[Issue]]]:
    """Yield each file of labelled texts that lies here, and what it holds."""
    files = sorted(place.glob("*.jsonl*")) if place.is_dir() else [place]
    if not files:
        raise ConfigurationError(f"There is no file of labelled texts (*.jsonl, *.jsonl.gz) in {place}.")
    for file in files:
        content = file.read_bytes()
        lines = (gzip.decompress(content) if file.suffix == ".gz" else content).splitlines()
        yield file.name, [_issue(json.loads(line)) for line in lines if line.strip()]


def _issue(read: dict[str, Any]) -> Issue:
    """An issue as every way to search can take it, whatever it lacks."""
    return read | {field: evaluation.text_in(read, field) for field in ("title", "body")}


def quality(
    kinds: Sequence[Kind], name: str, issues: list[Issue], queries: int, peers: bool, database: str, say: Say
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
        if kind is kinds[0]:
            unmarked = _unmarked(engine, issues)
            small = [row for size, draws in SMALL for row in _in_small(kind, issues, size, draws)]
        _close(engine)
    for peer, build in PEERS.items() if peers else ():
        say(f"{name}: {peer}")
        try:
            with ExitStack() as closing:
                rows += _measured(peer, build(issues, database, closing), issues, asked)
        except (ImportError, LookupError, sa.exc.OperationalError) as problem:
            say(f"left out: {problem}")
    yield from table(("Engine", "known", "R@1", "R@5", "R@10", "MRR", "CPU ms, median"), rows)
    yield ""
    yield "### What a strength is worth: the share of hits that staff marked as the same"
    yield ""
    heads = ("known", "strength", "first hits", "right", "first five", "right")
    yield from table(("Engine", *heads), [*confidence, *small])
    yield ""
    yield f"Of texts that nobody marked, {unmarked}."
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


def freshness(kinds: Sequence[Kind], database: str, say: Say) -> Iterator[str]:
    """Yield how soon a posted idea is found by another server process."""
    from portal.bench.freshness import measure_freshness, told

    yield "### Posted to one server process, found by another one"
    yield ""
    rows = []
    for kind in kinds:
        say(f"freshness: {kind.name}")
        with folder(None) as place, kind.database(database) as url:
            rows.append((kind.name, told(measure_freshness(place, url, "postgres" if url else "whoosh"))))
    yield from table(("Engine", "from the answer to the post until it is found"), rows)
    yield ""


def _measured(name: str, search: Search, issues: list[Issue], asked: list[Issue]) -> list[tuple[str, ...]]:
    rows = []
    for mode in MODES:
        found = evaluation.measure(search, issues, evaluation.TEXTS[mode], asked)
        shares = (found.recall_at_1, found.recall_at_5, found.recall_at_10, found.mean_reciprocal_rank)
        rows.append((name, mode, *(f"{share:.3f}" for share in shares), f"{found.median_ms:.1f}"))
    return rows


def _strengths(name: str, engine: Engine, issues: list[Issue], asked: list[Issue]) -> list[tuple[str, ...]]:
    return _shares(name, _counts(engine, issues, asked))


def _counts(engine: Engine, issues: list[Issue], asked: list[Issue]) -> Counter[tuple[str, ...]]:
    """How often a hit of each strength is there, and right: the numbers of the issues are their places, from 1."""
    groups, places = evaluation.groups(issues), {issue["id"]: place for place, issue in enumerate(issues, 1)}
    counts: Counter[tuple[str, ...]] = Counter()
    for mode in ("title", "full"):
        for issue in asked:
            title, _, body = evaluation.TEXTS[mode](issue).partition("\n")
            others = [
                (hit, issues[hit.id - 1]["id"])
                for hit in engine.similar(title, body, limit=DEPTH, exclude={places[issue["id"]]})
            ]
            for place, (hit, other) in enumerate(others):
                for among in ("five", "first") if place == 0 else ("five",):
                    counts[mode, hit.strength, among, "all"] += 1
                    counts[mode, hit.strength, among, "right"] += other in groups[issue["id"]]
    return counts


def _shares(name: str, counts: Counter[tuple[str, ...]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for mode in ("title", "full"):
        for one in STRENGTHS:
            first, five = (
                (counts[mode, one, among, "all"], counts[mode, one, among, "right"]) for among in ("first", "five")
            )
            shares = (f"{right / max(all_, 1):.0%}" for all_, right in (first, five))
            rows.append((name, mode, one, str(first[0]), next(shares), str(five[0]), next(shares)))
    return rows


def _unmarked(engine: Engine, issues: list[Issue]) -> str:
    """What the first hits are said to be where no duplicate is known."""
    known = evaluation.groups(issues)
    others = [number for number, issue in enumerate(issues, 1) if issue["id"] not in known]
    asked = random.Random(6).sample(others, min(UNMARKED, len(others)))  # noqa: S311
    said: Counter[str] = Counter()
    for number in asked:
        title, _, body = evaluation.TEXTS["full"](issues[number - 1]).partition("\n")
        said.update(hit.strength for hit in engine.similar(title, body, limit=1, exclude={number}))
    return ", ".join(f"{said[one] / max(len(asked), 1):.1%} have a first hit called {one}" for one in STRENGTHS)


def _in_small(kind: Kind, issues: list[Issue], size: int, draws: int) -> list[tuple[str, ...]]:
    """What a strength is worth in portals of few ideas, of which a tenth are in groups of duplicates."""
    chance = random.Random(9)  # noqa: S311
    known = evaluation.groups(issues)
    groups = list(dict.fromkeys(tuple(sorted(group, key=str)) for group in known.values()))
    by_id = {issue["id"]: issue for issue in issues}
    others = [issue for issue in issues if issue["id"] not in known]
    total: Counter[tuple[str, ...]] = Counter()
    for _ in range(draws):
        grouped = {one for ids in chance.sample(groups, min(size // 20, len(groups))) for one in ids if one in by_id}
        drawn = [by_id[one] for one in sorted(grouped, key=str)]
        drawn += chance.sample(others, min(max(size - len(drawn), 0), len(others)))
        engine = kind.new()
        evaluation.answering(engine, drawn)
        marked = [issue for issue in drawn if grouped.intersection(issue.get("duplicate_of") or ())]
        total.update(_counts(engine, drawn, marked))
        _close(engine)
    return _shares(f"{kind.name}, {size} ideas, {draws} times", total)


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
        _spread(lambda one: engine.similar(one.title), asked),
        _spread(lambda one: engine.similar(one.title, one.body), asked),
        _spread(lambda one: engine.search(" ".join(one.title.split()[:3])), asked),
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


def _spread(ask: Callable[[Document], Any], documents: Sequence[Document]) -> str:
    times = []
    for document in documents:
        began = time.perf_counter()
        ask(document)
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return f"{statistics.median(times):.1f} / {times[int(len(times) * 0.95) - 1]:.1f}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _close(engine: Engine) -> None:
    if isinstance(engine, PostgresEngine):
        engine.database.dispose()


# What others do


def plain_whoosh(issues: list[Issue], _database: str, closing: ExitStack) -> Search:
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
    searcher = closing.enter_context(index.searcher())
    closing.callback(index.close)
    parser = qparser.MultifieldParser(["title", "body"], index.schema, group=qparser.OrGroup, plugins=[])

    def search(text: str, k: int) -> list[tuple[str, float]]:
        return [(hit["id"], hit.score) for hit in searcher.search(parser.parse(_plain(text)), limit=k)]

    return search


def fts5(issues: list[Issue], _database: str, closing: ExitStack) -> Search:
    """SQLite's full text search: any word, its own BM25, the title three times as heavy."""
    database = closing.enter_context(contextlib.closing(sqlite3.connect(":memory:")))
    database.execute("CREATE VIRTUAL TABLE issues USING fts5(id UNINDEXED, title, body, tokenize = 'porter unicode61')")
    rows = [(str(issue["id"]), issue["title"], issue["body"]) for issue in issues]
    database.executemany("INSERT INTO issues VALUES (?, ?, ?)", rows)
    asked = "SELECT id, -bm25(issues, 0, 3, 1) FROM issues WHERE issues MATCH ? ORDER BY 2 DESC LIMIT ?"

    def search(text: str, k: int) -> list[tuple[str, float]]:
        terms = dict.fromkeys(word for word in _plain(text).split() if word not in words.NOISE)
        return database.execute(asked, (" OR ".join(f'"{term}"' for term in terms), k)).fetchall() if terms else []

    return search


def ts_rank(issues: list[Issue], database: str, closing: ExitStack) -> Search:
    """PostgreSQL's full text search: any word, ts_rank over a weighted tsvector."""
    return _in_postgres(issues, database, closing)


def raw_title_words(issues: list[Issue], database: str, closing: ExitStack) -> Search:
    """The words of the title as they were typed, any of them, ranked by ts_rank over title and text."""
    search = _in_postgres(issues, database, closing)
    return lambda text, k: search(text.partition("\n")[0], k)


def _in_postgres(issues: list[Issue], database: str, closing: ExitStack) -> Search:
    tables = new_postgres_engine(database).database  # in a schema of its own
    closing.callback(tables.dispose)
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


PEERS: dict[str, Callable[[list[Issue], str, ExitStack], Search]] = {
    "Whoosh as it comes": plain_whoosh,
    "SQLite FTS5": fts5,
    "PostgreSQL ts_rank": ts_rank,
    "Raw title words, OR-ed": raw_title_words,
}
