"""What the search engine says of ideas: which others they may be the same as, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.duplicates.weighing import is_worth_reading
from portal.ideas.models import Idea
from portal.search.index import engine

LOOKED_AT = 8  # that are most like an idea, itself among them
RANKED = 50  # where the rank of a decided pair is looked up


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another idea that one resembles."""

    idea_id: int
    strength: str
    score: float  # how much of the idea's likeness to itself the other one has
    rank: int
    words: frozenset[str]


def likenesses(idea: Idea, limit: int = LOOKED_AT) -> list[Likeness] | None:
    """Return the ideas most like this one, best first; None while the index does not know it. Raises NeedsRebuild."""
    hits = engine().similar(idea.title, f"{idea.need}\n{idea.proposal}", limit=limit)
    own = next((hit.score for hit in hits if hit.id == idea.id), 0.0)
    if not own:
        return None
    others = [hit for hit in hits if hit.id != idea.id]
    return [
        Likeness(hit.id, str(hit.strength), round(hit.score / own, 4), rank, hit.words)
        for rank, hit in enumerate(others, 1)
    ]


def worth_reading(found: Sequence[Likeness]) -> list[Likeness]:
    """Return those that belong in the team's queue."""
    return [one for one in found if is_worth_reading(one.strength, one.score, one.rank)]
