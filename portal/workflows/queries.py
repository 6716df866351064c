"""Reading the workflow as it is kept: its versions, and what a change of it would mean."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.queries import is_seen_by
from portal.ideas.workflow import Status, StatusRule, read
from portal.options import option
from portal.workflows.checks import as_counts, problems, unreachable
from portal.workflows.differences import differences, effects
from portal.workflows.drafting import Document, beginning, fingerprint
from portal.workflows.models import State, WorkflowVersion

LATEST = 50


@dataclass(frozen=True, slots=True)
class Preview:
    """What would change, what that means for the ideas of today, and what stands against it."""

    differences: list[str]
    effects: list[str]
    problems: list[str]
    unreachable: list[StatusRule]
    fingerprint: str

    @property
    def is_possible(self) -> bool:
        """Whether it changes something and nothing stands against it."""
        return bool(self.differences) and not self.problems


def now_held() -> tuple[int, Document]:
    """Return the tables that hold, and the number of their version; 0 is the beginning."""
    document = option("workflow")
    return (document.get("version", 0), document) if document else (0, beginning())


def preview(document: Document, viewer: Person) -> Preview:
    """Return what it would mean if these tables held, as far as the viewer may know."""
    held, ideas, promised = now_held()[1], count_ideas(viewer), count_promised(viewer)
    against = problems(document, ideas)
    if against:
        return Preview([], [], against, [], fingerprint(document))
    before = {rule.key for rule in unreachable(read(held))}
    lost = [rule for rule in unreachable(read(document)) if rule.key not in before]
    said = effects(held, document, ideas, promised)
    return Preview(differences(held, document), said, [], lost, fingerprint(document))


def count_ideas(viewer: Person | None) -> dict[str, int]:
    """Count the ideas at each status that the viewer may know of; None counts all, for what must hold for all."""
    return as_counts(db.session.execute(_counted(viewer)))


def count_promised(viewer: Person) -> dict[str, int]:
    """Count those of them that have a date for the next word."""
    return as_counts(db.session.execute(_counted(viewer).where(Idea.due_at.is_not(None))))


def versions() -> list[WorkflowVersion]:
    """Return what held and what holds, the latest first."""
    return _in_state(State.HELD)


def proposals() -> list[WorkflowVersion]:
    """Return what waits for an admin."""
    return _in_state(State.PROPOSED)


def find_version(number: int) -> WorkflowVersion:
    """Return one version, or a 404."""
    return db.first_or_404(select(WorkflowVersion).where(WorkflowVersion.id == number))


def _counted(viewer: Person | None) -> sa.Select[Status, str, int]:
    counted = select(Idea.status, Idea.stage, sa.func.count()).group_by(Idea.status, Idea.stage)
    return counted if viewer is None else counted.where(is_seen_by(viewer))


def _in_state(state: State) -> list[WorkflowVersion]:
    found = select(WorkflowVersion).where(WorkflowVersion.state == state).options(joinedload(WorkflowVersion.author))
    latest = found.order_by(WorkflowVersion.at.desc(), WorkflowVersion.id.desc()).limit(LATEST)
    return list(db.session.scalars(latest))
