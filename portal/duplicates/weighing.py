"""What the queue is sorted by: people's word before the computer's, and of that the surest first."""

from __future__ import annotations

from collections.abc import Sequence

from portal.duplicates.models import Found, Pair, Proposal

LEVELS = {"possible": 1.0, "likely": 2.0, "same": 3.0}
LIKELY_FROM = 0.35  # below, what only shares rare words of its title is not worth reading
POSSIBLE_FROM = 0.45
A_MEMBER, A_CHAMPION, CONFIRMED = 4.0, 8.0, 100.0
AGREEING = 2  # champions who say the same


def is_worth_reading(strength: str, score: float, rank: int) -> bool:
    """Whether a pair that was computed belongs in the queue; what each rule costs is in docs/search.md."""
    if strength == "same":
        return True
    return score >= LIKELY_FROM if strength == "likely" else rank == 1 and score >= POSSIBLE_FROM


def weigh(pair: Pair, proposals: Sequence[Proposal]) -> float:
    """Return where a pair stands in the queue, the heaviest first; 0 keeps it out."""
    champions = sum(proposal.as_champion for proposal in proposals)
    said = A_MEMBER * (len(proposals) - champions) + A_CHAMPION * champions
    computed = LEVELS.get(pair.strength or "", 0.0) + min(pair.score or 0.0, 0.99)
    if pair.found is Found.STAFF and not proposals:
        return 0.0
    return computed + min(said, CONFIRMED - 10) + (CONFIRMED if pair.confirmed else 0.0)


def is_confirmed(proposals: Sequence[Proposal]) -> bool:
    """Whether two champions agree."""
    return sum(proposal.as_champion for proposal in proposals) >= AGREEING
