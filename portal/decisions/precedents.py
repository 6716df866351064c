"""What was decided about ideas like this one, and where deciding otherwise now would contradict it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person
from portal.accounts.readers import built_once
from portal.db import db
from portal.decisions.models import DECIDED, REVERSIBLE, Decision
from portal.decisions.queries import decisions_readable_by
from portal.ideas.models import Idea
from portal.ideas.workflow import Category, Status
from portal.search.engine import NeedsRebuild, Strength, mark
from portal.search.index import engine

Pieces = list[tuple[str, bool]]

SHOWN, LOOKED_AT = 3, 16
ENOUGH = 3  # words that two ideas share, for the weakest of likenesses
NEAR: frozenset[Strength] = frozenset({"same", "likely"})


@dataclass(frozen=True, slots=True)
class Precedent:
    """The last decision about an idea like the one that is being decided."""

    decision: Decision
    strength: Strength
    title: Pieces

    @property
    def idea(self) -> Idea:
        """The idea that was decided."""
        return self.decision.idea

    @property
    def is_near(self) -> bool:
        """Whether the two are so alike that people will compare what became of them."""
        return self.strength in NEAR

    @property
    def was_yes(self) -> bool:
        """Whether it will be done, or is there."""
        return self.decision.status not in REVERSIBLE

    @property
    def came_to_yes(self) -> bool | None:
        """What it came to: done or to be done, not, or open again."""
        if self.idea.rule.category in {Category.COMMITTED, Category.DONE}:
            return True
        return False if self.idea.status in REVERSIBLE else None

    @property
    def has_turned(self) -> bool:
        """Whether it came to something else than what was decided then."""
        return self.came_to_yes is not None and self.came_to_yes is not self.was_yes


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A precedent that speaks against a decision, and how."""

    precedent: Precedent
    over: str  # "idea": a like one came to something else; "reason": its reason did not hold there, or holds here too


def precedents(idea: Idea, viewer: Person, limit: int = SHOWN) -> list[Precedent]:
    """Return the decisions on ideas like this one that the viewer may read, most alike first; none without an index."""

    def decided(ids: Sequence[int]) -> Sequence[int]:
        return db.session.scalars(*_decided_of(viewer, ids=ids)).all()

    try:
        words = f"{idea.need}\n{idea.proposal}"
        hits = engine().similar(idea.title, words, limit=LOOKED_AT, exclude=[idea.id], readable=decided)
    except NeedsRebuild:
        return []
    telling = [hit for hit in hits if hit.strength != "possible" or len(hit.words) >= ENOUGH]
    last = _last_decisions(viewer, [hit.id for hit in telling])
    found = [(last[hit.id], hit) for hit in telling if hit.id in last]
    return [Precedent(made, hit.strength, mark(made.idea.title, hit.words)) for made, hit in found][:limit]


def contradictions(found: Sequence[Precedent], target: Status, reason_id: int | None = None) -> list[Contradiction]:
    """Return what of the precedents a decision of this kind, for this reason, would contradict; each once.

    A like idea that came to something else does; so does one that was decided for the same reason and came to
    something else since, or one that was refused for a reason while this like one is to be done.
    """
    if target not in DECIDED:
        return []
    yes = target not in REVERSIBLE
    said = []
    for precedent in found:
        against = precedent.came_to_yes is not None and precedent.came_to_yes is not yes
        same_reason = reason_id is not None and precedent.decision.reason_id == reason_id
        if same_reason and (against or precedent.has_turned):
            said.append(Contradiction(precedent, "reason"))
        elif against and precedent.is_near:
            said.append(Contradiction(precedent, "idea"))
    return said


def _last_decisions(viewer: Person, ids: Sequence[int]) -> dict[int, Decision]:
    made = db.session.scalars(*_made_on(viewer, ids=ids)) if ids else ()
    return {decision.idea_id: decision for decision in made}


@built_once
def _decided_of(viewer: Person, *, ids: Sequence[int]) -> Select[int]:
    return decisions_readable_by(viewer).with_only_columns(Decision.idea_id).where(Decision.idea_id.in_(ids)).distinct()


@built_once
def _made_on(viewer: Person, *, ids: Sequence[int]) -> Select[Decision]:
    made = decisions_readable_by(viewer).where(Decision.idea_id.in_(ids)).order_by(Decision.at, Decision.id)
    return made.options(joinedload(Decision.idea), joinedload(Decision.reason), joinedload(Decision.answer))


def given_for(reason_id: int, viewer: Person, but: Idea, limit: int = 3) -> list[Decision]:
    """Return the last decisions on other ideas that were made for this reason."""
    made = decisions_readable_by(viewer).where(Decision.reason_id == reason_id, Decision.idea_id != but.id)
    loaded = made.options(joinedload(Decision.idea), joinedload(Decision.reason))
    return list(db.session.scalars(loaded.order_by(Decision.at.desc(), Decision.id.desc()).limit(limit)))
