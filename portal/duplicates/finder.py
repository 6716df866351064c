"""What the search engine says of ideas: which others they may be the same as, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select

from portal.db import db
from portal.duplicates.queries import refused_with
from portal.duplicates.weighing import is_worth_keeping
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication, Status
from portal.search.index import engine

LOOKED_AT = 12  # that are most like an idea, itself among them
RANKED = 50  # where the rank of a decided pair is looked up


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another idea that one resembles."""

    idea_id: int
    strength: str
    score: float  # how much of the idea's likeness to itself the other one has
    rank: int
    words: frozenset[str]
    mutual: bool = False


def likenesses(idea: Idea, limit: int = LOOKED_AT) -> list[Likeness] | None:
    """Return the ideas most like this one, best first; None while the index does not know it. Raises NeedsRebuild."""
    hits = engine().similar(idea.title, f"{idea.need}\n{idea.proposal}", limit=limit, itself=idea.id)
    own = next((hit.score for hit in hits if hit.id == idea.id), 0.0)
    if not own:
        if idea.id not in engine().ids():
            return None
        own = hits[0].score if hits else 1.0  # too many are as like it as it is itself, or it says nothing
    others = [hit for hit in hits if hit.id != idea.id]
    return [
        Likeness(hit.id, str(hit.strength), round(hit.score / own, 4), rank, hit.words)
        for rank, hit in enumerate(others, 1)
    ]


def suggestions(idea: Idea) -> list[Likeness] | None:
    """Return those that a team may want to compare with it; None while the index does not know the idea."""
    found = _in_question(idea)
    if not found:
        return found
    nearest = db.session.get(Idea, found[0].idea_id)
    back = _in_question(nearest) if nearest is not None else None
    if back and back[0].idea_id == idea.id:
        found[0] = replace(found[0], mutual=True)
    return [one for one in found if is_worth_keeping(one.strength, one.score, one.mutual)]


def _in_question(idea: Idea) -> list[Likeness] | None:
    """Return what an idea may still be the same as: no merged ideas, and none that the team keeps apart from it."""
    found = likenesses(idea)
    if not found:
        return found
    standing = select(Idea.id).where(Idea.publication == Publication.PUBLISHED, Idea.status != Status.MERGED)
    ids = set(db.session.scalars(standing.where(Idea.id.in_([one.idea_id for one in found]))))
    ids -= set(refused_with(idea.id))
    kept = [one for one in found if one.idea_id in ids]
    return [replace(one, rank=rank) for rank, one in enumerate(kept, 1)]
