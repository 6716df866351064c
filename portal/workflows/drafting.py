"""Changing the tables of the workflow on paper: each function returns another document, and none asks the database."""

from __future__ import annotations

import json
from copy import deepcopy
from hashlib import sha256
from typing import Any

from portal.ideas.starting import EVERYBODY, STARTING

Document = dict[str, Any]

MERGED = "merged"


def beginning() -> Document:
    """Return the tables that a portal starts with."""
    return deepcopy(STARTING)


def status_of(document: Document, key: str) -> dict[str, Any] | None:
    """Return one row of the statuses."""
    return next((row for row in document["statuses"] if row["key"] == key), None)


def move_of(document: Document, source: str, target: str) -> dict[str, Any] | None:
    """Return one row of the moves."""
    return next((row for row in document["moves"] if (row["from"], row["to"]) == (source, target)), None)


def with_status(document: Document, key: str, **values: Any) -> Document:
    """Return the tables with other rules for one status."""
    changed = deepcopy(document)
    row = status_of(changed, key)
    if row is not None:
        row.update(values)
    return changed


def with_new_status(document: Document, kind: str, key: str, **values: Any) -> Document:
    """Return the tables with one status more, beside the one of its kind and with the same ways in and out.

    It is entered and left as that one is, and both lead to each other, so that no idea is stranded from the start.
    """
    changed = deepcopy(document)
    own = status_of(changed, kind)
    if own is None:
        return changed
    row = own | {"key": key, "kind": kind} | values
    last = max(number for number, each in enumerate(changed["statuses"]) if each["kind"] == kind)
    changed["statuses"].insert(last + 1, row)
    copies = [move | {"from": key} for move in changed["moves"] if move["from"] == kind]
    copies += [move | {"to": key} for move in changed["moves"] if move["to"] == kind]
    between = {"by": "decider", "demands": [], "one_of": [], "offers": ["answer", "reason"], "news": "step"}
    copies += [between | {"from": kind, "to": key}, between | {"from": key, "to": kind}]
    changed["moves"] += [deepcopy(move) | {"tells": list(move.get("tells", EVERYBODY))} for move in copies]
    return changed


def without_status(document: Document, key: str) -> Document:
    """Return the tables without one status and the moves from and to it."""
    changed = deepcopy(document)
    changed["statuses"] = [row for row in changed["statuses"] if row["key"] != key]
    changed["moves"] = [row for row in changed["moves"] if key not in {row["from"], row["to"]}]
    return changed


def with_move(document: Document, source: str, target: str, **values: Any) -> Document:
    """Return the tables with this move as told, new or changed."""
    changed = deepcopy(document)
    row = move_of(changed, source, target)
    if row is None:
        row = {"from": source, "to": target}
        changed["moves"].append(row)
    row.update(values)
    return changed


def without_move(document: Document, source: str, target: str) -> Document:
    """Return the tables without one move."""
    changed = deepcopy(document)
    changed["moves"] = [row for row in changed["moves"] if (row["from"], row["to"]) != (source, target)]
    return changed


def is_same(one: Document, other: Document) -> bool:
    """Whether two documents say the same."""
    return fingerprint(one) == fingerprint(other)


def fingerprint(document: Document) -> str:
    """Return a short word for what a document says, whatever it is called."""
    said = {name: document[name] for name in ("statuses", "moves")}
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def free_key(document: Document, kind: str, name: str) -> str:
    """Return a word for tables and addresses that no status has: the same for the same name and tables."""
    taken = {row["key"] for row in document["statuses"]}
    words = (
        f"{kind}_{sha256(f'{name.casefold()} {number}'.encode()).hexdigest()[:8]}" for number in range(len(taken) + 1)
    )
    return next(word for word in words if word not in taken)
