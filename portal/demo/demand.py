"""What the demo community looked for and did not post: receipts by the service that leaves them, and searches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from portal.accounts.models import User
from portal.db import db
from portal.demand.models import NotedSearch, Origin, Reach, Searcher, Verdict
from portal.demand.service import back_instead, set_aside
from portal.demand.wording import group_of, kept_words
from portal.ideas.models import Idea

FILE = Path(__file__).parent / "fellside" / "demand.json"


def leave_demand(ideas: Mapping[str, Idea], people: Mapping[str, int], moderator: str, now: datetime) -> None:
    """Let people back what they were about to post, and look for things; what the portal is without is left out."""
    told = json.loads(FILE.read_text(encoding="utf-8"))
    for receipt in told["receipts"]:
        if receipt["idea"] in ideas and receipt["who"] in people:
            back_instead(
                ideas[receipt["idea"]],
                db.session.get_one(User, people[receipt["who"]]),
                typed=receipt["typed"],
                differs=receipt["differs"],
                origin=Origin(receipt["origin"]),
                at=now - timedelta(days=receipt["age"], hours=5),
            )
    numbers = count(1)
    for search in told["searches"]:
        db.session.add_all(NotedSearch(key=f"demo-{next(numbers)}", **row) for row in _rows(search, now))
        if "aside" in search and moderator in people:
            staff = db.session.get_one(User, people[moderator])
            set_aside([group_of(kept_words(search["words"]))], Verdict(search["aside"]), staff)


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
