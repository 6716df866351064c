"""Databases with the schema in place, as good as new before each test, on SQLite and on PostgreSQL."""

import sqlite3
from pathlib import Path
from typing import Any, Protocol

import flask_migrate
import pytest

import portal
from portal.db import db
from tests.support.connections import outlives_tests
from tests.support.postgres import PostgreSQL

on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For tests of what no statement has a part in: how a page looks and behaves, what a field takes."""


class Database(Protocol):
    """A database that tests use one after the other."""

    url: str

    def renew(self, name: str = "pristine") -> None:
        """Bring it back to what the migrations left, or to what was kept by a name."""

    def keep(self, name: str) -> None:
        """Keep what is in it now, by a name."""

    def close(self) -> None:
        """Let go of it."""


class SQLite:
    """A file; what the migrations left is kept in memory and copied back, page by page."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "portal.db"
        self.url = f"sqlite:///{self.file}"
        migrate(self.url, folder)
        self.kept: dict[str, sqlite3.Connection] = {}
        self.keep("pristine")

    def renew(self, name: str = "pristine") -> None:
        """Copy all pages back, whatever happened to the tables."""
        used = sqlite3.connect(self.file, timeout=1)
        in_a_hurry(used)
        self.kept[name].backup(used)
        used.close()

    def keep(self, name: str) -> None:
        """Copy all pages."""
        self.kept[name] = outlives_tests(sqlite3.connect(":memory:"))
        used = sqlite3.connect(self.file)
        used.backup(self.kept[name])
        used.close()

    def close(self) -> None:
        """Forget the copies; the file goes with its folder."""
        for copy in self.kept.values():
            copy.close()


class Postgres:
    """A database of a real server; what the migrations left is kept in a schema beside the tables."""

    def __init__(self, server: PostgreSQL, folder: Path) -> None:
        server.execute("CREATE DATABASE portal")
        self.url = server.url("portal")
        migrate(self.url, folder)
        self.connection = outlives_tests(server.connect("portal"))
        self.keep("pristine")

    def renew(self, name: str = "pristine") -> None:
        """Empty the tables and put back what was there."""
        self.connection.execute(f"CALL {name}.renew()")

    def keep(self, name: str) -> None:
        """Copy all rows into tables of another schema."""
        self.connection.execute(KEEP.replace("pristine", name))

    def close(self) -> None:
        """Let go of the server."""
        self.connection.close()


def migrate(url: str, instance: Path) -> None:
    """Bring an empty database to today's schema, as `portal db upgrade` does."""
    app = portal.create_app(
        {"SQLALCHEMY_DATABASE_URI": url, "INSTANCE": str(instance), "WORKER": "off", "TESTING": True}
    )
    with app.app_context():
        flask_migrate.upgrade()
        forget(db)


def in_a_hurry(connection: Any, _record: Any = None) -> None:
    """Let the system write to the disk when it likes: no test cuts the power."""
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA reverse_unordered_selects = ON")  # who counts on an order must ask for it


def forget(database: Any) -> None:
    """Close the session and every connection of the current app."""
    database.session.remove()
    for engine in database.engines.values():
        engine.dispose()


# Ten times quicker than a fresh copy of a template. Whoever still holds a lock then has left a transaction open.
KEEP = """
CREATE SCHEMA pristine;
CREATE TABLE pristine.sequences AS
  SELECT sequencename AS name, last_value FROM pg_sequences WHERE schemaname = 'public';
CREATE TABLE pristine.tables (name text);

CREATE PROCEDURE pristine.keep() LANGUAGE plpgsql AS $$
DECLARE kept text; used boolean;
BEGIN
  FOR kept IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', kept) INTO used;
    CONTINUE WHEN NOT used;
    EXECUTE format('CREATE TABLE pristine.%I AS TABLE public.%I', 'rows of ' || kept, kept);
    INSERT INTO pristine.tables VALUES (kept);
  END LOOP;
END $$;

CREATE PROCEDURE pristine.renew() LANGUAGE plpgsql
SET session_replication_role = replica SET lock_timeout = '2s' AS $$
DECLARE kept record;
BEGIN
  FOR kept IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('DELETE FROM public.%I', kept.name);
  END LOOP;
  FOR kept IN SELECT name FROM pristine.tables LOOP
    EXECUTE format('INSERT INTO public.%I TABLE pristine.%I', kept.name, 'rows of ' || kept.name);
  END LOOP;
  FOR kept IN SELECT name, last_value FROM pristine.sequences LOOP
    PERFORM setval(format('public.%I', kept.name), coalesce(kept.last_value, 1), kept.last_value IS NOT NULL);
  END LOOP;
END $$;

CALL pristine.keep();
"""
