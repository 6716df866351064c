"""From a row of somebody's file to an idea of ours, or to the reason why it cannot be one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from portal.ideas.models import TEXT_MAX, TITLE_MAX
from portal.ideas.workflow import Status
from portal.text import clean_line, clean_text

ID_MAX, TAGS_MAX, TAG_MAX = 100, 10, 30

NAMES = {
    "id": "id",
    "external id": "id",
    "external_id": "id",
    "key": "id",
    "title": "title",
    "summary": "title",
    "subject": "title",
    "body": "need",
    "need": "need",
    "description": "need",
    "text": "need",
    "proposal": "proposal",
    "board": "board",
    "status": "status",
    "state": "status",
    "tags": "tags",
    "labels": "tags",
    "type": "type",
    "author": "author",
    "created": "created",
    "created_at": "created",
    "date": "created",
    "duplicate_of": "duplicate_of",
    "duplicate of": "duplicate_of",
}
"""What the columns are called elsewhere, and what they are called here."""

STATUSES = {status.value.replace("_", " "): status for status in Status} | {
    "already available": Status.AVAILABLE,
    "open": Status.NEW,
    "submitted": Status.NEW,
    "under consideration": Status.UNDER_REVIEW,
    "reviewing": Status.UNDER_REVIEW,
    "started": Status.IN_PROGRESS,
    "done": Status.SHIPPED,
    "completed": Status.SHIPPED,
    "complete": Status.SHIPPED,
    "released": Status.SHIPPED,
    "rejected": Status.DECLINED,
    "closed": Status.DECLINED,
    "later": Status.NOT_NOW,
    "duplicate": Status.MERGED,
}
"""Words for statuses, ours and those common elsewhere."""


class Unfit(Exception):
    """The row cannot become an idea; the text says why."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An idea that is ready to come in."""

    line: int
    external_id: str
    title: str
    need: str
    proposal: str
    board: str
    status: Status
    tags: tuple[str, ...]
    author: str
    created: datetime
    duplicate_of: tuple[str, ...]


def is_known(column: str) -> bool:
    """Whether a column of this name says something to us."""
    return column.strip().lower() in NAMES


def read_row(line: int, fields: Mapping[str, Any], now: datetime) -> Draft:
    """Understand one row; raise Unfit with the reason."""
    row = {
        NAMES[name.strip().lower()]: value
        for name, value in fields.items()
        if name and is_known(name) and value is not None
    }
    full_title, need = clean_line(_text(row, "title")), clean_text(_text(row, "need"))
    if not full_title:
        raise Unfit("there is no title")
    title = _cut(full_title)
    if title != full_title:
        need = f"{full_title}\n\n{need}".strip()
    proposal = clean_text(_text(row, "proposal"))
    if max(len(need), len(proposal)) > TEXT_MAX:
        raise Unfit(f"the text is longer than {TEXT_MAX:,} characters")
    created = _moment(_text(row, "created"), now)
    external_id = clean_line(_text(row, "id"))
    if len(external_id) > ID_MAX:
        raise Unfit(f"the id is longer than {ID_MAX} characters")
    duplicate_of = tuple(name for name in map(clean_line, _words(row, "duplicate_of")) if name)
    return Draft(
        line=line,
        external_id=external_id
        or _fingerprint(full_title, need, proposal, _text(row, "author"), _text(row, "created")),
        title=title,
        need=need,
        proposal=proposal,
        board=clean_line(_text(row, "board")),
        status=_status(clean_line(_text(row, "status")), bool(duplicate_of)),
        tags=_tags([*_words(row, "tags"), *_words(row, "type")]),
        author=_name(clean_line(_text(row, "author"))),
        created=created,
        duplicate_of=duplicate_of,
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name, "")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Unfit(f"{name} is not a text")
    return str(value)


def _words(row: Mapping[str, Any], name: str) -> list[str]:
    """Return a list, or a text with commas, semicolons or bars between the words, as words."""
    value = row.get(name, "")
    if isinstance(value, list):
        return [_text({name: item}, name) for item in value]
    return re.split(r"[,;|]", _text(row, name))


def _cut(title: str) -> str:
    if len(title) <= TITLE_MAX:
        return title
    head = title[: TITLE_MAX - 1]
    return (head.rsplit(" ", 1)[0] if " " in head[TITLE_MAX // 2 :] else head).rstrip(" ,;:.") + "…"


def _moment(text: str, now: datetime) -> datetime:
    if not text.strip():
        return now
    try:
        found = datetime.fromisoformat(text.strip())
        moment = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unfit(f"created is not a date such as 2024-05-31: {text.strip()[:40]}") from None
    if moment > now:
        raise Unfit(f"created lies in the future: {text.strip()[:40]}")
    return moment


def _status(word: str, is_duplicate: bool) -> Status:
    if not word:
        return Status.NEW
    status = STATUSES.get(word.lower().replace("_", " "))
    if status is None:
        raise Unfit(f"no status is called {word[:40]}")
    if status is Status.MERGED and not is_duplicate:
        raise Unfit("it is merged, but duplicate_of does not say into which")
    return Status.NEW if status is Status.MERGED else status


def _tags(words: list[str]) -> tuple[str, ...]:
    cleaned = (clean_line(word).lower()[:TAG_MAX].strip() for word in words)
    return tuple(dict.fromkeys(word for word in cleaned if word))[:TAGS_MAX]


def _name(author: str) -> str:
    """Return a name to show; of an address only what stands before the @, for addresses are nobody's business."""
    return author.partition("@")[0].replace("://", " ").strip()[:60]


def _fingerprint(*texts: str) -> str:
    return "row-" + hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]
