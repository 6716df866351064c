"""The database: session, base model, aware times; the one module that knows which database it is."""

from __future__ import annotations

import enum
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, registry

Key = TypeVar("Key")
Value = TypeVar("Value")


def utcnow() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """An aware moment, stored in UTC on either database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse a moment without a zone; store the others in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give back what was stored, aware and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def moment(away: timedelta = timedelta()) -> sa.BindParameter[datetime]:
    """Stand in a statement for the moment when it is carried out, or one so far off: it may be built long before."""
    return sa.bindparam(None, callable_=lambda: utcnow() + away, type_=UTCDateTime())


NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Model(DeclarativeBase):
    """The base of every table."""

    metadata = sa.MetaData(naming_convention=NAMING)
    registry = registry(
        metadata=metadata,
        type_annotation_map={
            datetime: UTCDateTime,
            enum.StrEnum: sa.Enum(
                enum.StrEnum,
                native_enum=False,
                length=20,
                values_callable=lambda kind: [member.value for member in kind],
            ),
            dict[str, Any]: sa.JSON,
        },
    )


db = SQLAlchemy(
    model_class=Model,
    disable_autonaming=True,
    engine_options={"connect_args": {}, "hide_parameters": True},  # what people wrote stays out of logs of errors
)


def init_app(app: Flask) -> None:
    """Bind the session to this app's database and set that database up for what the portal promises."""
    postgres = not app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = (
        {"pool_pre_ping": True, "connect_args": {"options": "-c statement_timeout=5000 -c lock_timeout=4000"}}
        if postgres
        else {"connect_args": {"check_same_thread": False}}
    )
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)


def insert_if_absent(model: type[Model], **values: Any) -> bool:
    """Insert one row unless a constraint says it is there; return whether it was inserted."""
    db.session.flush()
    return count_rows(_insert(model.__table__).on_conflict_do_nothing(), values) == 1


def insert_or_change(model: type[Model], key: dict[str, Any], **values: Any) -> None:
    """Let the row with this primary key have these values, whether it was there before or not."""
    db.session.flush()
    insert = _insert(model.__table__)
    changed = {name: insert.excluded[name] for name in values}
    db.session.execute(insert.on_conflict_do_update(index_elements=list(key), set_=changed), key | values)
    known = db.session.identity_map.get(sa.orm.util.identity_key(model, tuple(key.values())))
    if known is not None:
        db.session.expire(known)


def insert_absent(model: type[Model], columns: list[str], rows: sa.Select[*tuple[Any, ...]]) -> int:
    """Insert the rows of a select, leaving out those a constraint knows; return how many came in."""
    # SQLite needs the WHERE to tell an upsert's ON from a join's.
    selected = rows if rows.whereclause is not None else rows.where(sa.true())
    return count_rows(_insert(model).from_select(columns, selected).on_conflict_do_nothing())


def count_rows(change: sa.Executable, values: dict[str, Any] | None = None) -> int:
    """Carry out an insert, update or delete and return how many rows it met."""
    result: Any = db.session.execute(change, values, execution_options={"preserve_rowcount": True})
    return int(result.rowcount)


def number_of(row: Any) -> int:
    """Return the number of a row that is in the database, without reading the row again to know it."""
    return int(sa.inspect(row).identity[0])


def lookup(pairs: sa.Select[Key, Value]) -> dict[Key, Value]:
    """Carry out a select of two columns; return the second by the first."""
    return {row[0]: row[1] for row in db.session.execute(pairs)}


def on_sqlite() -> bool:
    """Whether this portal keeps its data in SQLite."""
    return bool(db.engine.dialect.name == "sqlite")


def be_patient() -> None:
    """Let statements run as long as they need; for commands, which nobody waits for in a browser."""
    if not on_sqlite():
        sa.event.listen(db.engine, "connect", _lift_time_limit)


def skip_locked(query: sa.Select[int]) -> sa.Select[int]:
    """Let several workers claim rows side by side where the database can."""
    return query if on_sqlite() else query.with_for_update(skip_locked=True)


def only_checked(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Let rows that were found by something better be checked against this; SQLite would begin with it, and read all.

    It counts neither rows nor values before it decides; an expression instead of a column keeps it from using an index.
    """
    plus = sa.sql.operators.custom_op[bool]("+")
    return sa.UnaryExpression(condition.self_group(), operator=plus, type_=sa.Boolean()) if on_sqlite() else condition


_one_writer = threading.RLock()


@contextmanager
def write_lock() -> Iterator[None]:
    """Begin the session's transaction as a writer: SQLite has one at a time, and waiting in line beats retrying."""
    with _one_writer if on_sqlite() else nullcontext():
        db.session.commit()  # ends what was read before; it is read again under the lock
        db.session.connection(execution_options={"writes": True})
        yield


def _insert(model: type[Model] | sa.FromClause) -> Any:
    return (sqlite if on_sqlite() else postgresql).insert(model)


def _lift_time_limit(connection: Any, _record: Any) -> None:
    connection.execute("SET statement_timeout = 0")
    connection.commit()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "busy_timeout=5000", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Pulse:
    """Tells whether anything was committed, by this process or another, since it was last felt.

    Equal answers mean that the database holds exactly the same: SQLite counts the commits of all other connections, and
    this one writes nothing; PostgreSQL names the transactions whose work can be seen.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._lock = engine, threading.Lock()
        self._connection: Any = None
        sqlite_here = engine.dialect.name == "sqlite"
        self._question = "PRAGMA data_version" if sqlite_here else "SELECT pg_current_snapshot()::text"
        sa.event.listen(engine, "engine_disposed", self._let_go)

    def feel(self) -> Any:
        """Return what changes with every commit; None when the database cannot be asked."""
        with self._lock:
            try:
                return self._connect().execute(self._question).fetchone()[0]
            except self._engine.dialect.loaded_dbapi.Error:
                self._let_go()
                return None

    def _connect(self) -> Any:
        if self._connection is None:
            arguments, options = self._engine.dialect.create_connect_args(self._engine.url)
            more = {"check_same_thread": False} if self._engine.dialect.name == "sqlite" else {"autocommit": True}
            self._connection = self._engine.dialect.loaded_dbapi.connect(*arguments, **{**options, **more})
        return self._connection

    def _let_go(self, _engine: Any = None) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
