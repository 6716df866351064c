"""A push service that the portal takes for one of the open internet."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal import outgoing
from tests.support.push import PushService


@pytest.fixture
def service(monkeypatch: Any, tmp_path: Path) -> Iterator[PushService]:
    """A real push service; tests that use it allow ``127.0.0.1`` to be asked."""
    running = PushService(tmp_path)
    monkeypatch.setattr(outgoing, "_resolve", lambda host, port: ["127.0.0.1"])
    monkeypatch.setattr(outgoing, "_trust", lambda: ssl.create_default_context(cafile=running.certificate))
    yield running
    running.stop()
