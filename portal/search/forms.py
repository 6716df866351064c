"""What people ask the search for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from portal.accounts.models import Person
from portal.ideas.workflow import Status
from portal.search.queries import Asked
from portal.text import clean_line

WORDS_MAX = 200


def read(asked: Mapping[str, str], viewer: Person) -> Asked:
    """Take what is known from an address; what only the team may ask is left out for others."""
    status, staff = asked.get("status", ""), viewer.works_here
    return Asked(
        words=clean_line(asked.get("q"))[:WORDS_MAX],
        status=status if status in set(Status) else "",
        board=asked.get("board", "")[:60],
        author=clean_line(asked.get("author"))[:60] if staff else "",
        after=_date(asked.get("after")) if staff else None,
        before=_date(asked.get("before")) if staff else None,
    )


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
