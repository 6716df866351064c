"""What the demo community looked for and did not post: receipts by the service that leaves them, and searches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from portal.accounts.models import User
from portal.db import db
from portal.demand.models import NotedSearch, Origin, Reach, Searcher, Verdict
from portal.demand.service import back_instead, set_aside
from portal.demand.wording import group_of, kept_words
from portal.demo.plan import Act
from portal.ideas.models import Idea

FILE = Path(__file__).parent / "fellside" / "demand.json"


def backings(now: datetime) -> Iterator[Act]:
    """When who backed what they were about to post."""
    for receipt in _told()["receipts"]:
        at = now - timedelta(days=receipt["age"], hours=5)
        yield Act(at, "back", receipt["who"], receipt["idea"], receipt)


def back(idea: Idea, person: User, receipt: Mapping[str, Any], at: datetime) -> None:
    """Let somebody back what they were about to post."""
    origin = Origin(receipt["origin"])
    back_instead(idea, person, typed=receipt["typed"], differs=receipt["differs"], origin=origin, at=at)


def leave_searches(people: Mapping[str, int], moderator: str, now: datetime) -> None:
    """Let people look for things, and the team set some of that aside."""
    numbers = count(1)
    for search in _told()["searches"]:
        db.session.add_all(NotedSearch(key=f"demo-{next(numbers)}", **row) for row in _rows(search, now))
        if "aside" in search and moderator in people:
            staff = db.session.get_one(User, people[moderator])
            set_aside([group_of(kept_words(search["words"]))], Verdict(search["aside"]), staff)


def _told() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return told


def _rows(search: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
    """Spread the searches for something over its days, most of them of late."""
    first, last = search["ages"]
    words, by = kept_words(search["words"]), Searcher(search.get("by", "visitor"))
    rows = []
    for number in range(search["times"]):
        share = (number / max(1, search["times"] - 1)) ** 2
        at = now - timedelta(days=first + share * (last - first), minutes=37 * number)
        rows.append(
            {
                "words": words,
                "stems": group_of(words),
                "found": search["found"],
                "opened": number < search.get("opened", 0),
                "by": by,
                "reach": Reach.STAFF if by is Searcher.STAFF else Reach.OPEN,
                "at": at,
                "day": at.date(),
            }
        )
    return rows
