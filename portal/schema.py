"""Which migrations a database has seen, and which there are."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app

from portal.db import db


@dataclass(frozen=True, slots=True)
class Schema:
    """Where a database stands in the history of the schema; None is before the first migration."""

    current: str | None
    newest: str | None

    @property
    def is_newest(self) -> bool:
        """Whether nothing is left to upgrade."""
        return self.current == self.newest


def read_schema() -> Schema:
    """Return where the app's database stands."""
    newest = ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head()
    with db.engine.connect() as connection:
        return Schema(MigrationContext.configure(connection).get_current_revision(), newest)
