"""What tests of signing in by another service's word share."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.support import Browser
from tests.support.openid import SmallProvider


@pytest.fixture(scope="session")
def small_provider() -> Iterator[SmallProvider]:
    provider = SmallProvider()
    yield provider
    provider.stop()


@pytest.fixture
def small(small_provider) -> SmallProvider:
    """A provider that signs what the test tells it to, and is right in everything so far."""
    small_provider.begin_anew()
    return small_provider


def go_there(browser: Browser, provider: Any, **query: str) -> dict[str, str]:
    """Press the provider's button; return what the portal asks the provider."""
    address = f"/sso/{provider.slug}" + (f"?{urlencode(query)}" if query else "")
    answer = browser.post(address)
    assert answer.status_code == 200, answer.text
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
    assert found
    url = html.unescape(found[1])
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return asked | {"to": url.partition("?")[0]}


def come_back(browser: Browser, provider: Any, asked: dict[str, str], **answer: str) -> Any:
    """Come back with the provider's answer."""
    given = {"code": "a-code", "state": asked["state"]} | answer
    return browser.get(f"/sso/{provider.slug}/back?{urlencode(given)}")


def sign_in(browser: Browser, small: SmallProvider, provider: Any, **query: str) -> Any:
    """Go to the provider and come back."""
    small.asked_for = go_there(browser, provider, **query)
    return come_back(browser, provider, small.asked_for)
