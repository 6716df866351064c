"""What the tests of duplicates share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from portal import worker
from portal.db import db


@pytest.fixture
def settle(app: Flask) -> Callable[[], None]:
    """Work off all that follows in a session of its own, so that what the test holds stays usable."""

    def settle_apart() -> None:
        db.session.rollback()
        with app.app_context():
            worker.settle()

    return settle_apart
