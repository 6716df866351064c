"""Who would hear of what is about to be done with an idea, before anybody does it."""

from __future__ import annotations

from dataclasses import dataclass

from portal.ideas.followers import REASONS
from portal.ideas.models import Idea
from portal.ideas.workflow import Status, move_between, place_named
from portal.notifications.policy import Kind, kind_of_move

ANSWER, MERGE = "answer", "merge"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be done: what it means to people, who of them is told, and what it is called."""

    name: str
    kind: Kind
    among: tuple[str, ...]
    goal: str  # where the idea goes; empty for a word without a move


def step_named(idea: Idea, name: str) -> Step | None:
    """Return what a move, an answer or a merge of this idea means to people; None where there is no such thing."""
    if name == ANSWER:
        return Step(name, Kind.ANSWERED, tuple(REASONS), "")
    goal = place_named(Status.MERGED.value if name == MERGE else name)
    move = move_between(idea.rule, goal) if goal else None
    if goal is None or move is None:
        return None
    if goal.kind is Status.MERGED:
        return Step(MERGE, Kind.MERGED, tuple(REASONS), str(goal.label))
    kind = kind_of_move(idea.status, goal.kind, move.news)
    return Step(name, kind, tuple(move.tells), str(goal.label))
