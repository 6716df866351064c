"""What can happen to organisations and segments, and to votes beside their voters."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class OrganisationsChanged(Event, name="organisation.changed"):
    """An organisation was made, changed or taken away."""

    organisation_id: int
    what: str


@dataclass(frozen=True, kw_only=True)
class BelongingChanged(Event, name="organisation.belonging_changed"):
    """Somebody counts for an organisation from now on, or for none; their domain, an admin or they said so."""

    user_id: int
    organisation_id: int | None
    way: str


@dataclass(frozen=True, kw_only=True)
class SegmentsChanged(Event, name="segment.changed"):
    """A segment was made, changed or taken away."""

    segment_id: int
    what: str


@dataclass(frozen=True, kw_only=True)
class VoteCastForSomebody(Event, name="idea.vote_cast_on_behalf"):
    """The team gave a vote for a person who asked for the idea elsewhere."""

    user_id: int


@dataclass(frozen=True, kw_only=True)
class VoteForSomebodyTakenBack(Event, name="idea.vote_on_behalf_taken_back"):
    """The team took back a vote that it gave for a person."""

    user_id: int


@dataclass(frozen=True, kw_only=True)
class OrganisationSpokenFor(Event, name="idea.organisation_spoken_for"):
    """The team put an organisation behind an idea, or took that back."""

    organisation_id: int
    stands: bool


@dataclass(frozen=True, kw_only=True)
class VotesSetAside(Event, name="idea.votes_set_aside"):
    """Votes do not count until somebody gives them back."""

    user_ids: list[int]
    reason: str


@dataclass(frozen=True, kw_only=True)
class VotesGivenBack(Event, name="idea.votes_given_back"):
    """Votes that were set aside count again."""

    user_ids: list[int]
