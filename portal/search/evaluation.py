"""How well similar ideas are found, measured on any labelled set of texts through the code the portal uses."""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from portal.search.engine import Document, Engine


def whoosh_engine(docs: Iterable[Mapping[str, Any]]) -> Callable[[str, int], list[tuple[str, float]]]:
    """A callable that names the documents most like a text (a title, or a title, a new line and a body)."""
    names = {}
    documents = []
    for number, doc in enumerate(docs, 1):
        names[number] = str(doc["id"])
        documents.append(Document(number, str(doc["title"]), str(doc["body"])))
    folder = Path(tempfile.mkdtemp(prefix="portal-search-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = Engine(folder)
    engine.rebuild(documents)

    def search(text: str, k: int) -> list[tuple[str, float]]:
        title, _, body = text.partition("\n")
        return [(names[hit.id], hit.score) for hit in engine.similar(title, body, limit=k)]

    return search
