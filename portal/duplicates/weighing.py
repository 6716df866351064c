"""What the queue is sorted by: people's word before the computer's, and of that the surest first."""

from __future__ import annotations

from collections.abc import Sequence

from portal.duplicates.models import Found, Pair, Proposal

LIKELY_FROM = 0.35  # for an idea that is nearest to one to which a third is nearer
POSSIBLE_FROM = 0.15  # below, two ideas are each other's nearest because nothing is near
A_MEMBER, A_CHAMPION, CONFIRMED = 4.0, 8.0, 100.0
AGREEING = 2  # champions who say the same


def is_worth_keeping(strength: str, score: float, mutual: bool) -> bool:
    """Whether a pair that was computed is kept, be it only to show groups of ideas that are all alike."""
    return strength != "possible" or (mutual and score >= POSSIBLE_FROM)


def is_worth_reading(pair: Pair) -> bool:
    """Whether a pair that was computed belongs in the queue; what the rule is worth is in docs/search.md."""
    if pair.strength == "same" or pair.mutual:
        return True
    return pair.strength == "likely" and pair.rank == 1 and (pair.score or 0.0) >= LIKELY_FROM


def weigh(pair: Pair, proposals: Sequence[Proposal]) -> float:
    """Return where a pair stands in the queue, the heaviest first; 0 keeps it out."""
    champions = sum(proposal.as_champion for proposal in proposals)
    said = A_MEMBER * (len(proposals) - champions) + A_CHAMPION * champions
    computed = (pair.strength == "same") + pair.mutual + min(pair.score or 0.0, 0.99)
    if not proposals and (pair.found is Found.STAFF or not is_worth_reading(pair)):
        return 0.0
    return computed + min(said, CONFIRMED - 10) + (CONFIRMED if pair.confirmed else 0.0)


def is_confirmed(proposals: Sequence[Proposal]) -> bool:
    """Whether two champions agree."""
    return sum(proposal.as_champion for proposal in proposals) >= AGREEING
