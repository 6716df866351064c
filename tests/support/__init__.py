"""What the tests stand on: real peers, databases, browsers, and a few words to speak about them."""

import os
from collections.abc import Callable
from typing import TypeVar

import pytest

from tests.support.accessibility import assert_accessible
from tests.support.browser import HTMX, PLAIN, Browser, either_way, timeless
from tests.support.databases import on_one_database
from tests.support.live import with_and_without_javascript
from tests.support.queries import queries

__all__ = [
    "HTMX",
    "PLAIN",
    "Browser",
    "assert_accessible",
    "either_way",
    "need",
    "on_one_database",
    "queries",
    "timeless",
    "with_and_without_javascript",
]

PEERS = {"chromium", "postgres", "valkey", "smtp", "openid"}
Peer = TypeVar("Peer")


def need(kind: str, make: Callable[[], Peer]) -> Peer:
    """Make a peer; one that cannot be had is a skip with its reason, or an error where it is required."""
    try:
        return make()
    except Exception as problem:
        if kind in required():
            raise
        pytest.skip(f"{kind} cannot be had: {problem}")


def required() -> set[str]:
    """The peers that PORTAL_TEST_REQUIRE names, as CI does."""
    names = set(filter(None, os.environ.get("PORTAL_TEST_REQUIRE", "").replace(" ", "").split(",")))
    if names - PEERS:
        raise pytest.UsageError(f"PORTAL_TEST_REQUIRE knows {', '.join(sorted(PEERS))}; not {names - PEERS}")
    return names
