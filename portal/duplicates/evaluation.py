"""What the queue of possible duplicates is worth: measured on labelled texts, through the rules that the portal uses.

    python -m portal.duplicates.evaluation issues.jsonl.gz

The file is that of ``portal.search.evaluation``. Every text is compared with all others, and of the pairs that would
stand in the queue it is counted how many lie in one group of duplicates. Chores (``"type": "task"``) are left out.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.duplicates.finder import LOOKED_AT
from portal.duplicates.models import Found, Pair
from portal.duplicates.weighing import is_worth_keeping, is_worth_reading, weigh
from portal.search.engine import Document, Engine
from portal.search.evaluation import new_whoosh_engine

TOPS = (50, 100, 200, 500, 1000, 2000)

Ids = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue over an archive: how long it is, and what share of its first so many is marked as the same."""

    texts: int
    pairs: int
    right: dict[int, float]
    seconds: float


def measure(issues: Sequence[Mapping[str, Any]]) -> Queue:
    """Return what the queue over these texts would be."""
    texts = [issue for issue in issues if issue.get("type") != "task"]
    engine = new_whoosh_engine()
    engine.rebuild(Document(number, text["title"], text["body"]) for number, text in enumerate(texts))
    began = time.monotonic()
    queue = sorted(_queue(engine, texts), key=lambda pair: -weigh(pair, ()))
    group = _groups(texts)
    right = [group[pair.first_id] == group[pair.second_id] for pair in queue]
    shares = {top: sum(right[:top]) / top for top in TOPS if top <= len(right)}
    return Queue(len(texts), len(queue), shares, time.monotonic() - began)


def _queue(engine: Engine, texts: Sequence[Mapping[str, Any]]) -> list[Pair]:
    found: dict[Ids, Pair] = {}
    nearest: dict[int, int] = {}
    for number, text in enumerate(texts):
        hits = engine.similar(text["title"], text["body"], limit=LOOKED_AT)
        own = next((hit.score for hit in hits if hit.id == number), 0.0)
        others = [hit for hit in hits if hit.id != number] if own else []
        for rank, hit in enumerate(others, 1):
            nearest.setdefault(number, hit.id)
            ids = min(number, hit.id), max(number, hit.id)
            score = round(hit.score / own, 4)
            pair = found.get(ids)
            if pair is None:
                found[ids] = Pair(
                    first_id=ids[0],
                    second_id=ids[1],
                    found=Found.COMPUTED,
                    strength=hit.strength,
                    score=score,
                    rank=rank,
                )
                continue
            pair.rank = min(pair.rank or rank, rank)
            if (pair.score or 0.0) < score:
                pair.strength, pair.score = hit.strength, score
    for (first, second), pair in found.items():
        pair.mutual = nearest.get(first) == second and nearest.get(second) == first
        pair.confirmed = False
    kept = [pair for pair in found.values() if is_worth_keeping(pair.strength or "", pair.score or 0.0, pair.mutual)]
    return [pair for pair in kept if is_worth_reading(pair)]


def _groups(texts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the group of duplicates that each text lies in."""
    leads: dict[str, str] = {}

    def lead(name: str) -> str:
        while leads.get(name, name) != name:
            name = leads[name]
        return name

    for text in texts:
        for other in text.get("duplicate_of", ()):
            leads[lead(text["id"])] = lead(other)
    return [lead(text["id"]) for text in texts]


if __name__ == "__main__":
    with gzip.open(Path(sys.argv[1]), "rt", encoding="utf-8") as lines:
        queue = measure([json.loads(line) for line in lines])
    print(f"{queue.texts} texts, {queue.pairs} pairs in the queue, {queue.seconds:.0f} s")
    for top, share in queue.right.items():
        print(f"of the first {top}: {share:.3f}")
