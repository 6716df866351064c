"""What can happen to the changelog."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class EntryPublished(Event, name="changelog.published"):
    """An entry came out; the ideas it moved have events of their own."""

    entry_id: int


@dataclass(frozen=True, kw_only=True)
class EntryEdited(Event, name="changelog.edited"):
    """The words of a published entry changed."""

    entry_id: int


@dataclass(frozen=True, kw_only=True)
class EntryWithdrawn(Event, name="changelog.withdrawn"):
    """A published entry is a draft again."""

    entry_id: int


@dataclass(frozen=True, kw_only=True)
class CreditOffered(Event, name="changelog.credit_offered"):
    """Somebody had a part in what came out, and may say whether they want to be named."""

    entry_id: int
    user_id: int


@dataclass(frozen=True, kw_only=True)
class CreditAnswered(Event, name="changelog.credit_answered"):
    """Somebody said whether an entry may name them."""

    entry_id: int
    agreed: bool
