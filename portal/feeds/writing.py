"""A feed as readers of feeds want it: Atom (RFC 4287) or JSON Feed (version 1.1)."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from flask import render_template

from portal.feeds.queries import Feed, Item
from portal.notifications.links import mail_domain
from portal.options import option

_FORBIDDEN = {code: None for code in (*range(32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)) if code not in (9, 10, 13)}
"""What XML 1.0 (section 2.2) does not allow, however it is written."""


class Format(StrEnum):
    """How a feed is written."""

    ATOM = "atom"
    JSON = "json"

    @property
    def label(self) -> str:
        """The name of the format, the same in every language."""
        return "Atom" if self is Format.ATOM else "JSON Feed"

    @property
    def mimetype(self) -> str:
        """What the answer says it is."""
        return "application/atom+xml" if self is Format.ATOM else "application/feed+json"


def write(feed: Feed, written_as: Format, own_url: str) -> str:
    """Return the feed in this format. ``own_url`` is the address at which it can be had."""
    return _atom(feed, own_url) if written_as is Format.ATOM else _json(feed, own_url)


def id_of(key: str) -> str:
    """Return the name of something for good, the same whatever page or feed it stands in (RFC 4151)."""
    return f"tag:{mail_domain()},2026:{key}"


def _atom(feed: Feed, own_url: str) -> str:
    written = render_template("feeds/feed.xml", feed=feed, own_url=own_url, id_of=id_of)
    return written.translate(_FORBIDDEN)


def _json(feed: Feed, own_url: str) -> str:
    written = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"{feed.title} · {option('name')}",
        "home_page_url": feed.url,
        "feed_url": own_url,
        "items": [_item(item) for item in feed.items],
    }
    return json.dumps(written, ensure_ascii=False, indent=1)


def _item(item: Item) -> dict[str, Any]:
    written = {
        "id": id_of(item.key),
        "url": item.url,
        "title": item.title,
        "content_html": item.html,
        "date_published": item.at.isoformat(),
        "date_modified": item.updated_at.isoformat(),
        "authors": [{"name": item.author}] if item.author else [],
        "tags": list(item.labels),
    }
    return {name: value for name, value in written.items() if value or name == "content_html"}
