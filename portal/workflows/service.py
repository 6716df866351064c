"""Changing the workflow: only to tables under which every idea can go on, and never over somebody else's change."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.options import OptionRow, decide
from portal.security.log import note
from portal.text import clean_text
from portal.workflows import checks, queries
from portal.workflows.drafting import Document, beginning, is_same
from portal.workflows.events import (
    WorkflowChanged,
    WorkflowProposalAccepted,
    WorkflowProposalRefused,
    WorkflowProposed,
)
from portal.workflows.models import State, WorkflowVersion

REASON_MAX = 600

Edit = Callable[[Document], Document]
"""Makes other tables of those that hold."""


class WorkflowMoved(Refusal):
    """Somebody else changed the workflow since this person looked."""


class CannotHold(Refusal):
    """Under these tables ideas could not go on, or the portal could not do its own part."""

    status = 422


def change_workflow(edit: Edit, actor: User, *, base: int, reason: str) -> WorkflowVersion:
    """Let other tables hold from now on, made by ``edit`` of version ``base``; the reason stays with them."""
    held_id, held = _lock()
    document = _checked(edit, held, held_id, base, reason)
    return _let_hold(WorkflowVersion(author_id=actor.id, reason=clean_text(reason)), document, actor, held_id)


def propose_workflow(edit: Edit, actor: User, *, base: int, reason: str) -> WorkflowVersion:
    """Keep other tables as a proposal; they hold when an admin accepts them."""
    held_id, held = queries.now_held()
    document = _checked(edit, held, held_id, base, reason)
    version = WorkflowVersion(
        author_id=actor.id,
        reason=clean_text(reason),
        state=State.PROPOSED,
        base_id=held_id or None,
        document=_without_version(document),
    )
    db.session.add(version)
    db.session.flush()
    emit(WorkflowProposed(actor_id=actor.id, version_id=version.id))
    return version


def accept_proposal(version: WorkflowVersion, actor: User) -> WorkflowVersion:
    """Let a proposal hold, if the workflow is still the one that it was made of."""
    held_id, held = _lock()
    db.session.refresh(version)
    if version.state is not State.PROPOSED:
        raise WorkflowMoved(_("Somebody has decided about this proposal already."))
    document = _checked(lambda _held: version.document, held, held_id, version.base_id or 0, version.reason)
    if version.author_id is not None:
        emit(WorkflowProposalAccepted(actor_id=actor.id, version_id=version.id, user_id=version.author_id))
    return _let_hold(version, document, actor, held_id)


def refuse_proposal(version: WorkflowVersion, actor: User, reason: str) -> None:
    """Say no to a proposal, and why; twice is once."""
    _lock()
    db.session.refresh(version)
    if not reason.strip():
        raise CannotHold(_("Say why. Whoever proposed it reads it."))
    if len(reason) > REASON_MAX:
        raise CannotHold(_("Say it in at most %(max)d characters.", max=REASON_MAX))
    if version.state is State.PROPOSED:
        version.state = State.REFUSED
        said = clean_text(reason)
        emit(WorkflowProposalRefused(actor_id=actor.id, version_id=version.id, user_id=version.author_id, said=said))


def _lock() -> tuple[int, Document]:
    """Return what holds, locked: whoever moves an idea now waits, and so does whoever changes the workflow."""
    insert_if_absent(OptionRow, name="workflow", value={})
    row = sa.select(OptionRow.value).where(OptionRow.name == "workflow").with_for_update()
    document = db.session.scalar(row)
    return (document.get("version", 0), document) if document else (0, beginning())


def _checked(edit: Edit, held: Document, held_id: int, base: int, reason: str) -> Document:
    if base != held_id:
        raise WorkflowMoved(_("Somebody changed the workflow meanwhile. Look again at what would change now."))
    if not reason.strip():
        raise CannotHold(_("Say why. The reason stays in the list of versions."))
    if len(reason) > REASON_MAX:
        raise CannotHold(_("Say it in at most %(max)d characters.", max=REASON_MAX))
    document = edit(held)
    if is_same(document, held):
        raise CannotHold(_("Nothing would change."))
    against = checks.problems(document, queries.count_ideas(None))
    if against:
        raise CannotHold(" ".join(against))
    return document


def _let_hold(version: WorkflowVersion, document: Document, actor: User, before: int) -> WorkflowVersion:
    version.state, version.at, version.base_id = State.HELD, utcnow(), before or None
    version.document = _without_version(document)
    db.session.add(version)
    db.session.flush()
    decide("workflow", _without_version(document) | {"version": version.id})
    emit(WorkflowChanged(actor_id=actor.id, version_id=version.id, before_id=before))
    note("workflow.changed", user=None, actor=actor, version=version.id)
    return version


def _without_version(document: Document) -> Document:
    return {name: deepcopy(document[name]) for name in ("statuses", "moves")}
