"""What can happen to demand that never became a post."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class BackedInstead(Event, name="idea.backed_instead"):
    """Somebody stood behind an idea that exists instead of posting theirs."""


@dataclass(frozen=True, kw_only=True)
class DifferenceHidden(Event, name="receipt.hidden"):
    """The team hid what somebody wrote about how theirs differs."""

    user_id: int


@dataclass(frozen=True, kw_only=True)
class DifferenceShown(Event, name="receipt.shown"):
    """The team shows it again."""

    user_id: int


@dataclass(frozen=True, kw_only=True)
class SearchesSetAside(Event, name="searches.set_aside"):
    """The team decided that searches for something need no more attention."""

    verdict: str


@dataclass(frozen=True, kw_only=True)
class SearchesBroughtBack(Event, name="searches.brought_back"):
    """The team looks at searches for something again."""
