"""What pages show of decisions: the record beside the official answer, and what stands beside the form of a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from portal.accounts.models import Person
from portal.decisions import queries
from portal.decisions.models import DECIDED, Decision, Need
from portal.decisions.precedents import Contradiction, Precedent, contradictions, precedents
from portal.decisions.queries import Standing
from portal.ideas.models import Idea, StatusChange
from portal.ideas.workflow import Status


@dataclass(frozen=True, slots=True)
class Deciding:
    """All that the desk shows of decisions: the one that stands, who asks again, and what was decided on like ideas."""

    standing: Standing | None = None
    records: dict[int, Decision] = field(default_factory=dict)  # by the answer that has their words
    words: Sequence[Need] = ()
    organisations: int = 0  # behind it, where the condition counts them
    precedents: list[Precedent] = field(default_factory=list)

    def against(self, target: Status | None, reason: str = "") -> list[Contradiction]:
        """Return the precedents that a decision of this kind would contradict."""
        chosen = int(reason) if str(reason).isdigit() else None
        return contradictions(self.precedents, target, chosen) if target else []


def of_page(idea: Idea, viewer: Person, changes: Sequence[StatusChange]) -> tuple[dict[int, Decision], Standing | None]:
    """Return the records of the idea by the answer that has their words, and the decision by which it stands.

    ``changes`` are its moves: where they say that it never was decided, nothing is asked for.
    """
    made = queries.of_idea(idea) if _may_have_records(idea, changes) else []
    records = {each.answer_id: each for each in made if each.answer_id}
    return records, queries.standing_for(idea, viewer, made)


def _may_have_records(idea: Idea, changes: Sequence[StatusChange]) -> bool:
    """Whether the idea is or was decided; of a merged one the viewer may not know of every move."""
    own = [change for change in changes if change.idea_id == idea.id]
    been = {idea.status, *(change.source for change in own), *(change.target for change in own)}
    return not been.isdisjoint({*DECIDED, Status.MERGED})


def open_decisions(idea: Idea, viewer: Person, targets: Sequence[Status], changes: Sequence[StatusChange]) -> Deciding:
    """Return what the desk shows; precedents only where a decision of one of these kinds is offered."""
    records, standing = of_page(idea, viewer, changes)
    record = standing.record if standing else None
    return Deciding(
        standing=standing,
        records=records,
        words=queries.words_of(idea) if standing and standing.demand.needs else (),
        organisations=queries.count_organisations(idea) if record and record.organisations else 0,
        precedents=precedents(idea, viewer) if set(targets) & set(DECIDED) else [],
    )
