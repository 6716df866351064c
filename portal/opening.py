"""The portal as commands use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Flask

from portal import create_app
from portal.db import be_patient, db
from portal.server import refuse_old_schema


@contextmanager
def opened(settings: Mapping[str, Any] | None = None, *, any_schema: bool = False) -> Iterator[Flask]:
    """Build the portal and enter it; at the end nothing of it is left open.

    Raises ConfigurationError for a database that lacks migrations, unless ``any_schema`` will do.
    """
    app = create_app(settings)
    with app.app_context():
        try:
            be_patient()
            if not any_schema:
                refuse_old_schema()
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()
