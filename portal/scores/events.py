"""What can happen to scores."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class ScoreGiven(Event, name="idea.scored"):
    """The team gave an idea the parts of its score, or took them away."""

    value: float | None


@dataclass(frozen=True, kw_only=True)
class FormulaChanged(Event, name="score.formula_changed"):
    """Scores come about in another way from now on."""

    formula: str
