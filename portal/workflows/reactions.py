"""What follows when somebody proposes another workflow, and when it was decided."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from portal.accounts.models import User
from portal.accounts.roles import ADMINS
from portal.events import EventRecord, Recorded
from portal.notifications.models import Notification
from portal.notifications.noting import count_as_read
from portal.notifications.policy import Kind, Reason
from portal.notifications.portal_reactions import tell
from portal.notifications.service import queue_letter
from portal.workflows.events import WorkflowProposed
from portal.workflows.letters import PROPOSED_LETTER, SETTLED_LETTER


def tell_admins_of_proposal(recorded: Recorded) -> None:
    """Let admins know that they are to decide."""
    _write(recorded, PROPOSED_LETTER, tell(recorded, Kind.WORKFLOW_PROPOSED, User.role.in_(ADMINS)))


def count_proposal_as_read(recorded: Recorded) -> None:
    """Let nobody's unread count, and no digest, ask admins to decide what one of them has decided."""
    proposed = sa.select(EventRecord.id).where(
        EventRecord.name == WorkflowProposed.name,
        EventRecord.data["version_id"].as_integer() == recorded.event.version_id,
    )
    asked = Notification.event_id.in_(proposed) & (Notification.kind == Kind.WORKFLOW_PROPOSED)
    count_as_read(recorded, asked)


def tell_proposer(recorded: Recorded) -> None:
    """Let whoever proposed a workflow know what became of it, and why."""
    theirs = User.id == (recorded.event.user_id or 0)
    _write(recorded, SETTLED_LETTER, tell(recorded, Kind.WORKFLOW_SETTLED, theirs, reason=Reason.PROPOSER))


def _write(recorded: Recorded, kind: str, readers: Sequence[User]) -> None:
    data = {"version_id": recorded.event.version_id, "said": getattr(recorded.event, "said", "")}
    for user in readers:
        queue_letter(kind, to=user.email, user=user, data=data, key=f"{kind}-{recorded.id}-{user.id}", rationed=False)
