"""The history of the schema: up, down, and up again, without losing what people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

import portal
from portal.db import Model, db
from portal.schema import read_schema
from tests.support.databases import forget

FIRST = "0001"


@pytest.fixture
def empty_app(empty_database: str, tmp_path: Path) -> Iterator[Flask]:
    """The portal over a database without a single table."""
    app = portal.create_app(
        {
            "SQLALCHEMY_DATABASE_URI": empty_database,
            "INSTANCE": str(tmp_path),
            "WORKER": "off",
            "TESTING": True,
            "LIMITS": False,
        }
    )
    with app.app_context():
        yield app
        forget(db)


def tables() -> set[str]:
    """The tables there are, but for the one that Alembic keeps its place in."""
    with db.engine.connect() as connection:
        return set(sa.inspect(connection).get_table_names()) - {"alembic_version"}


def differences() -> list[Any]:
    """What Alembic would write into a new migration."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, Model.metadata)


def test_the_newest_schema_is_the_one_of_the_models(empty_app):
    flask_migrate.upgrade()

    assert read_schema().is_newest
    assert tables() == set(Model.metadata.tables)
    assert differences() == []


def test_alembic_finds_nothing_to_write(empty_app):
    flask_migrate.upgrade()

    flask_migrate.check()  # exits where something is missing


def test_every_step_can_be_taken_back_and_again(empty_app):
    flask_migrate.upgrade()
    flask_migrate.downgrade(revision="base")
    left = tables()

    flask_migrate.upgrade()

    assert left == set()
    assert differences() == []


def test_each_step_alone_can_be_taken_back(empty_app):
    steps = [step.revision for step in ScriptDirectory(portal.MIGRATIONS).walk_revisions()][::-1]

    for step in steps:
        flask_migrate.upgrade(revision=step)
        if step != steps[0]:
            flask_migrate.downgrade(revision="-1")
            flask_migrate.upgrade(revision=step)

    assert read_schema().is_newest


def test_upgrading_twice_is_upgrading_once(empty_app):
    flask_migrate.upgrade()

    flask_migrate.upgrade()

    assert read_schema().is_newest


def test_there_is_one_line_of_history():
    script = ScriptDirectory(portal.MIGRATIONS)

    assert len(script.get_heads()) == 1
    assert script.get_bases() == [FIRST]


def test_what_was_written_at_the_first_schema_is_there_at_the_newest(empty_app):
    flask_migrate.upgrade(revision=FIRST)
    with db.engine.begin() as connection:
        written = fill(connection)

    flask_migrate.upgrade()

    with db.engine.connect() as connection:
        for name, rows in written.items():
            found = connection.execute(sa.text(f'SELECT * FROM "{name}"')).mappings().all()
            kept = [{column: value for column, value in row.items() if column in rows[0]} for row in found]
            assert kept == rows, name


def fill(connection: sa.Connection) -> dict[str, list[dict[str, Any]]]:
    """Write a row into every table there is, by nothing but its columns; return what is there then."""
    there = sa.MetaData()
    there.reflect(connection)
    ordered = [table for table in there.sorted_tables if table.name != "alembic_version"]
    for table in ordered:
        connection.execute(table.insert().values({column.name: sample(column) for column in table.columns}))
    return {
        table.name: [dict(row) for row in connection.execute(sa.text(f'SELECT * FROM "{table.name}"')).mappings()]
        for table in ordered
    }


WORDS = {
    "status": "new",
    "source": "new",
    "target": "under_review",
    "publication": "published",
    "role": "member",
    "audience": "public",
}


def sample(column: sa.Column[Any]) -> Any:
    """Some value that the column takes."""
    if column.name == "merged_into_id":
        return None
    if column.foreign_keys or column.primary_key:
        kind = next(iter(column.foreign_keys)).column.type if column.foreign_keys else column.type
        return 1 if isinstance(kind, sa.Integer) else "1"
    if isinstance(column.type, sa.String | sa.Enum):
        return WORDS.get(column.name, "Words with “quotes” and an ü")[: column.type.length or 40]
    if isinstance(column.type, sa.Boolean):
        return True
    if isinstance(column.type, sa.JSON):
        return {"said": "ü"}
    if isinstance(column.type, sa.DateTime):
        return sa.func.current_timestamp()
    if isinstance(column.type, sa.Date):
        return sa.func.current_date()
    return 1
