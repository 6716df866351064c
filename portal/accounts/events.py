"""What can happen to accounts."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class MemberRegistered(Event, name="member.registered"):
    """Somebody opened an account."""

    user_id: int


@dataclass(frozen=True, kw_only=True)
class SignedIn(Event, name="member.signed_in"):
    """Somebody signed in."""


@dataclass(frozen=True, kw_only=True)
class SignInFailed(Event, name="member.sign_in_failed"):
    """A password was wrong; the account is named only if there is one."""

    user_id: int | None


@dataclass(frozen=True, kw_only=True)
class SignedOut(Event, name="member.signed_out"):
    """Somebody signed out."""


@dataclass(frozen=True, kw_only=True)
class RulesAccepted(Event, name="member.rules_accepted"):
    """A member agreed to a version of the rules."""

    version: int


@dataclass(frozen=True, kw_only=True)
class RulesPublished(Event, name="rules.published"):
    """A version of the rules came into force."""

    version: int


@dataclass(frozen=True, kw_only=True)
class ConfirmationWanted(Event, name="member.confirmation_wanted"):
    """A member asked for the link that confirms the address once more."""

    user_id: int


@dataclass(frozen=True, kw_only=True)
class EmailConfirmed(Event, name="member.email_confirmed"):
    """A member showed that the address is theirs."""


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Event, name="member.password_changed"):
    """A member chose another password; other sessions ended."""


@dataclass(frozen=True, kw_only=True)
class RoleChanged(Event, name="member.role_changed"):
    """Somebody was given a role."""

    user_id: int
    role: str
