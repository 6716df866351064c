"""What can happen to the workflow."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class WorkflowChanged(Event, name="workflow.changed"):
    """Other statuses or moves hold from now on."""

    version_id: int
    before_id: int


@dataclass(frozen=True, kw_only=True)
class WorkflowProposed(Event, name="workflow.proposed"):
    """A product manager proposed other statuses or moves."""

    version_id: int


@dataclass(frozen=True, kw_only=True)
class WorkflowProposalAccepted(Event, name="workflow.proposal_accepted"):
    """An admin let a proposal of somebody else hold."""

    version_id: int
    user_id: int


@dataclass(frozen=True, kw_only=True)
class WorkflowProposalRefused(Event, name="workflow.proposal_refused"):
    """An admin said no to a proposal, and why; the proposer is missing where the account is gone."""

    version_id: int
    user_id: int | None = None
    said: str = ""
