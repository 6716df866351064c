"""The formula in force, and the parts that the team gives to an idea."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.options import option
from portal.scores.formula import FUNCTIONS, Node, WrongFormula, read

COUNTED: dict[str, Any] = {
    "votes": _l("People behind it"),
    "organisations": _l("Organisations behind it"),
    "comments": _l("Comments"),
}
"""What the portal counts by itself, so that nobody gives it."""
MOST = 8
HIGHEST = 1_000_000_000
FORMULA = "reach * impact * confidence / 100 / effort"
_KEY = re.compile(r"[a-z][a-z0-9_]{0,19}")


@dataclass(frozen=True, slots=True)
class Factor:
    """One part of a score: what it is called in the formula and on pages, and between which numbers it lies."""

    key: str
    label: Any
    low: float = 0
    high: float = HIGHEST
    hint: Any = ""


STARTING = (
    Factor("reach", _l("Reach"), 0, 1_000_000, _l("How many people it helps in three months.")),
    Factor("impact", _l("Impact"), 0, 3, _l("3: a lot for each of them. 1: some. 0.25: hardly anything.")),
    Factor("confidence", _l("Confidence"), 0, 100, _l("How sure we are of all this, in per cent.")),
    Factor("effort", _l("Effort"), 0.1, 1000, _l("Weeks of work for one person.")),
)


@dataclass(frozen=True, slots=True)
class Scoring:
    """How scores come about: the formula as it was written, as it was read, and its parts."""

    formula: str
    factors: tuple[Factor, ...]
    node: Node

    def kept(self) -> dict[str, Any]:
        """Return it as it is kept."""
        rows = [
            {"key": f.key, "label": str(f.label), "low": f.low, "high": f.high, "hint": str(f.hint)}
            for f in self.factors
        ]
        return {"formula": self.formula, "factors": rows}


def scoring() -> Scoring:
    """Return the formula in force with its parts: what admins decided, or what was brought along."""
    kept = option("score")
    if not kept:
        return Scoring(FORMULA, STARTING, read(FORMULA))
    return Scoring(kept["formula"], tuple(Factor(**row) for row in kept["factors"]), read(kept["formula"]))


def check(formula: str, factors: list[Factor]) -> Scoring:
    """Return a formula that fits its parts; raise WrongFormula with a sentence that helps."""
    node, keys = read(formula), [factor.key for factor in factors]
    if len(factors) > MOST:
        raise WrongFormula(_("A score has at most %(max)d parts.", max=MOST))
    for factor in factors:
        if not _KEY.fullmatch(factor.key) or factor.key in {*COUNTED, *FUNCTIONS}:
            raise WrongFormula(
                _("“%(name)s” cannot be the name of a part: small letters, digits and _ only.", name=factor.key)
            )
        if not str(factor.label).strip():
            raise WrongFormula(_("Say what “%(name)s” is called on pages.", name=factor.key))
        if not -HIGHEST <= factor.low < factor.high <= HIGHEST:
            raise WrongFormula(_("“%(name)s”: the first number must be the smaller one.", name=factor.key))
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise WrongFormula(_("“%(name)s” is there twice.", name=twice))
    asked = node.names()
    if unknown := sorted(asked - {*keys, *COUNTED}):
        raise WrongFormula(_("The formula asks for “%(name)s”, which is no part.", name=unknown[0]))
    if unused := sorted(set(keys) - asked):
        raise WrongFormula(_("“%(name)s” is a part that the formula does not use.", name=unused[0]))
    return Scoring(formula.strip(), tuple(factors), node)
