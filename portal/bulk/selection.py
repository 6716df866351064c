"""Which ideas an act is about: some that were ticked, or all that a queue or a filter holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import User
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.queries import ideas_visible_to
from portal.triage import queues
from portal.triage.queues import Queue

MOST = 1_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Ideas to do something with: ``numbers``, or everything in the queue on that board."""

    queue: Queue
    board: Board | None = None
    numbers: tuple[int, ...] = ()
    everything: bool = False

    @property
    def name(self) -> str:
        """The queue that they all are of; empty where they were ticked one by one."""
        if not self.everything:
            return ""
        return f"{self.queue.label} · {self.board.name}" if self.board else str(self.queue.label)


def read(selection: Selection, viewer: User) -> tuple[Sequence[Idea], bool]:
    """Return the ideas that the viewer may see and work on, and whether there are more than can be done at once."""
    numbers = list(dict.fromkeys(selection.numbers))
    if selection.everything:
        numbers = queues.ids_of(selection.queue, viewer, selection.board, MOST + 1)
    ideas = ideas_visible_to(viewer).where(Idea.id.in_(numbers[:MOST]))
    if not viewer.reads_as_staff:
        ideas = ideas.where(Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer))))
    loaded = ideas.options(joinedload(Idea.board), selectinload(Idea.tags)).order_by(Idea.id)
    return db.session.scalars(loaded).all(), len(numbers) > MOST
