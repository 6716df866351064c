"""The journal: facts that happened, each written once, in the transaction of the change, and what has to follow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Model, db, utcnow
from portal.leases import Leased

_kinds: dict[str, type[Event]] = {}
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact: ids of who did it and of what it concerns."""

    name: ClassVar[str] = ""

    actor_id: int | None = None
    idea_id: int | None = None

    def __init_subclass__(cls, name: str, **options: Any) -> None:
        """Register the event under its dotted ``name`` in the journal."""
        super().__init_subclass__(**options)
        cls.name = name
        _kinds[name] = cls


Reaction = Callable[["Recorded"], None]


class EventRecord(Model):
    """An event as the journal keeps it; rows are never changed."""

    __tablename__ = "events"
    __table_args__ = (sa.Index(None, "idea_id", "id"), sa.Index(None, "name", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    idea_id: Mapped[int | None]
    data: Mapped[dict[str, Any]]


class OutboxRow(Leased, Model):
    """One reaction to one event, to be carried out once."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.UniqueConstraint("event_id", "reaction"),
        sa.Index(
            "ix_outbox_due",
            "available_at",
            "id",
            sqlite_where=sa.text("done_at IS NULL AND given_up_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND given_up_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"))
    reaction: Mapped[str] = mapped_column(sa.String(100))


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event together with its place in the journal: what a reaction is given."""

    id: int
    at: datetime
    event: Any


def emit(event: Event, at: datetime | None = None) -> int:
    """Write the fact, and beside it one outbox row for each reaction; return its number in the journal."""
    data = {key: value for key, value in dataclasses.asdict(event).items() if key not in {"actor_id", "idea_id"}}
    row = {"name": event.name, "actor_id": event.actor_id, "idea_id": event.idea_id, "data": data, "at": at or utcnow()}
    db.session.flush()
    added: Any = db.session.execute(sa.insert(EventRecord.__table__), row)  # type: ignore[arg-type]
    event_id = int(added.inserted_primary_key[0])
    names = [] if _quiet.get() else [name_of(reaction) for reaction in reactions_to(type(event))]
    if names:
        follows = [{"event_id": event_id, "reaction": name} for name in names]
        db.session.execute(sa.insert(OutboxRow.__table__), follows)  # type: ignore[arg-type]
    return event_id


@contextmanager
def quietly() -> Iterator[None]:
    """Let nothing follow from what happens inside, as when history is brought in: it is only recorded."""
    before = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(before)


def read(record: EventRecord) -> Recorded:
    """Turn a row of the journal back into the event it was."""
    event = _kinds[record.name](actor_id=record.actor_id, idea_id=record.idea_id, **record.data)
    return Recorded(record.id, record.at, event)


def reactions_to(kind: type[Event]) -> list[Reaction]:
    """Return what follows from an event of this kind, by the table of reactions."""
    table: dict[type[Event], tuple[Reaction, ...]] = current_app.extensions["reactions"]
    return [reaction for base in kind.__mro__ if base in table for reaction in table[base]]


def name_of(reaction: Reaction) -> str:
    """Return the name under which the outbox remembers a reaction: ``search.index_idea``."""
    return f"{reaction.__module__.removeprefix('portal.').partition('.')[0]}.{reaction.__name__}"
