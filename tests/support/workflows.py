"""Workflows that somebody edited, for tests of what holds under them."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.transactions import transaction
from portal.workflows import drafting, queries, service
from portal.workflows.models import WorkflowVersion
from tests.factories import make_user


def change(edit: service.Edit, actor: User | None = None) -> WorkflowVersion:
    """Let other tables hold."""
    with transaction():
        return service.change_workflow(
            edit, actor or make_user(Role.ADMIN), base=queries.now_held()[0], reason="It reads better."
        )


def stage_beside(kind: str, name: str, **values: Any) -> str:
    """Add a status beside the one of a kind, and return its key."""
    held = queries.now_held()[1]
    key = drafting.free_key(held, kind, name)
    change(lambda document: drafting.with_new_status(document, kind, key, label=name, **values))
    return key


def added_status() -> str:
    """Return the key of a status that admins added; there is one for all who ask."""
    held = queries.now_held()[1]
    known = next((row["key"] for row in held["statuses"] if row["label"] == "Being tried out"), None)
    return known or stage_beside("in_progress", "Being tried out")


def proposed_workflow() -> int:
    """Return the number of a proposal of today."""

    def edit(held: drafting.Document) -> drafting.Document:
        row: Any = drafting.status_of(held, "under_review")
        return drafting.with_status(held, "under_review", days=row["days"] + 1)

    with transaction():
        return service.propose_workflow(
            edit, make_user(Role.PM), base=queries.now_held()[0], reason="A month is short."
        ).id
