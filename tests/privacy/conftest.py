"""What the tests of this folder share."""

from collections.abc import Callable

import pytest
from flask import Flask

from portal import worker
from portal.db import db


@pytest.fixture
def settle(app: Flask) -> Callable[[], None]:
    """Work off what follows as a worker does, with a session of its own: what the test holds stays in its hands."""

    def work() -> None:
        with app.app_context():
            worker.settle()
        db.session.rollback()

    return work
