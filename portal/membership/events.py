"""What can happen to memberships."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class MemberApproved(Event, name="member.approved"):
    """A moderator let somebody in who waited."""

    user_id: int
    words: str


@dataclass(frozen=True, kw_only=True)
class MemberDeclined(Event, name="member.declined"):
    """A moderator said no to somebody who waited; the account is gone."""

    words: str


@dataclass(frozen=True, kw_only=True)
class MemberSuspended(Event, name="member.suspended"):
    """An account was shut, for a time or until somebody opens it."""

    user_id: int
    reason: str
    until: str | None


@dataclass(frozen=True, kw_only=True)
class SuspensionLifted(Event, name="member.suspension_lifted"):
    """A shut account was opened before its time."""

    user_id: int
