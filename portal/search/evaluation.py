"""How well similar ideas are found: measured on labelled texts, through the very code that the portal uses.

    python -m portal.search.evaluation issues.jsonl.gz

Each line of the file is an object with id, title, body and, where staff marked it as a duplicate, duplicate_of (a list
of ids). The text of every duplicate is asked for, it is itself left out of the answer, and each other member of its
group counts as a hit.
"""

import atexit
import gzip
import json
import os
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateSchema, DropSchema

from portal.db import Model
from portal.search.engine import CACHE, Document, Engine
from portal.search.models import SearchDocument, SearchIndex, SearchPostings, SearchSegment
from portal.search.on_postgres import PostgresEngine
from portal.search.on_whoosh import WhooshEngine

TABLES = (SearchIndex, SearchSegment, SearchPostings, SearchDocument)

Issue = Mapping[str, Any]
Search = Callable[[str, int], list[tuple[Any, float]]]
"""Names the k documents most like a text, best first, each with its score; their names are as they were given."""

DEPTH = 10
# What is known: half a title while somebody types, the title, and everything once the form is sent.
TEXTS: dict[str, Callable[[Issue], str]] = {
    "prefix": lambda issue: text_in(issue, "title")[: max(8, int(len(text_in(issue, "title")) * 0.6))],
    "title": lambda issue: text_in(issue, "title"),
    "full": lambda issue: f"{text_in(issue, 'title')}\n{text_in(issue, 'body')}",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of the queries with a hit among the first 1, 5 and 10, the mean of 1/rank, and the time it took."""

    queries: int
    recall_at_1: float
    recall_at_5: float
    recall_at_10: float
    mean_reciprocal_rank: float
    median_ms: float


def whoosh_engine(docs: Iterable[Issue]) -> Search:
    """A callable that names the documents most like a text (a title, or a title, a new line and a body)."""
    return answering(new_whoosh_engine(), docs)


def new_whoosh_engine() -> WhooshEngine:
    """An engine with a folder that goes with this process."""
    folder = Path(tempfile.mkdtemp(prefix="portal-search-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return WhooshEngine(folder)


def new_postgres_engine(url: str = "", cache_bytes: int = CACHE) -> PostgresEngine:
    """An engine with a schema of its own, beside whatever the database holds; it goes with this process."""
    schema = f"portal_search_{secrets.token_hex(4)}"
    database = sa.create_engine(postgres_address(url).update_query_dict({"options": f"-c search_path={schema}"}))
    with database.begin() as connection:
        connection.execute(CreateSchema(schema))
    Model.metadata.create_all(database, tables=[Model.metadata.tables[table.__tablename__] for table in TABLES])
    atexit.register(_drop, database, schema)
    return PostgresEngine(database, cache_bytes)


def postgres_address(url: str = "") -> sa.URL:
    """The PostgreSQL given, that of PORTAL_DATABASE_URL, or a throw-away one."""
    url = url or os.environ.get("PORTAL_DATABASE_URL", "")
    if not url.startswith("postgres"):
        url = _throw_away()
    return sa.make_url(url.replace("postgres://", "postgresql://", 1))


@cache
def _throw_away() -> str:
    """The address of a server that goes with this process."""
    from portal.throwaway import PostgreSQL

    return PostgreSQL().url()


def _drop(database: sa.Engine, schema: str) -> None:
    database.dispose()
    with suppress(sa.exc.OperationalError), database.begin() as connection:
        connection.execute(DropSchema(schema, cascade=True))
    database.dispose()


def text_in(doc: Issue, field: str) -> str:
    """A text of a document, empty where it has none."""
    found = doc.get(field)
    return "" if found is None else str(found)


def answering(engine: Engine, docs: Iterable[Issue]) -> Search:
    """What the engine says once it holds nothing but these documents."""
    names: dict[int, Any] = {}
    documents = []
    for number, doc in enumerate(docs, 1):
        names[number] = doc.get("id", number)
        documents.append(Document(number, text_in(doc, "title"), text_in(doc, "body")))
    engine.rebuild(documents)

    def search(text: str, k: int) -> list[tuple[Any, float]]:
        title, _, body = text.partition("\n")
        return [(names[hit.id], hit.score) for hit in engine.similar(title, body, limit=k)]

    return search


def measure(
    search: Search, issues: Sequence[Issue], text_of: Callable[[Issue], str], asked: Sequence[Issue] | None = None
) -> Figures:
    """Ask for every duplicate, or for some, and see at which rank the first of its group comes."""
    same = groups(issues)
    ranks, times = [], []
    for issue in issues if asked is None else asked:
        if issue.get("duplicate_of"):
            began = time.process_time()
            found = search(text_of(issue), DEPTH + 1)
            times.append((time.process_time() - began) * 1000)
            others = [name for name, _ in found if name != issue["id"]][:DEPTH]
            ranks.append(next((rank for rank, name in enumerate(others, 1) if name in same[issue["id"]]), 0))

    def recall(depth: int) -> float:
        return sum(0 < rank <= depth for rank in ranks) / len(ranks)

    reciprocal = sum(1 / rank for rank in ranks if rank) / len(ranks)
    return Figures(len(ranks), recall(1), recall(5), recall(10), reciprocal, statistics.median(times))


def main(path: str) -> None:
    """Print the figures for a file of issues, packed or not."""
    content = Path(path).read_bytes()
    issues = [json.loads(line) for line in (gzip.decompress(content) if path.endswith(".gz") else content).splitlines()]
    search = whoosh_engine(issues)
    for mode, text_of in TEXTS.items():
        figures = measure(search, issues, text_of)
        print(mode, *(f"{name} {value:.4g}" for name, value in asdict(figures).items()), sep="  ")


def groups(issues: Iterable[Issue]) -> dict[Any, set[Any]]:
    """For each issue of a group of duplicates, all members of the group."""
    groups: dict[Any, set[Any]] = {}
    for issue in issues:
        for other in issue.get("duplicate_of") or ():
            group = groups.get(issue["id"], {issue["id"]}) | groups.get(other, {other})
            groups |= dict.fromkeys(group, group)
    return groups


if __name__ == "__main__":
    main(sys.argv[1])
