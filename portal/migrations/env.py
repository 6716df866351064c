"""How Alembic reaches the portal's database: through the app, in batch mode, with our own types written plainly."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from flask import current_app

from portal.db import Model, UTCDateTime


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write types into revisions as the database sees them, so that a revision never imports today's code."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String(length={item.length})"
    return False


def run() -> None:
    """Carry out the revisions on the app's database."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Model.metadata,
            render_as_batch=True,
            render_item=render_item,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
