"""Formulas that admins write: the parser knows numbers, names and a few signs, and runs no code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from portal.errors import Refusal

LONGEST, DEEPEST = 300, 20

FUNCTIONS: dict[str, tuple[int, int, Callable[..., float]]] = {
    "min": (1, 9, lambda *numbers: min(numbers)),
    "max": (1, 9, lambda *numbers: max(numbers)),
    "sqrt": (1, 1, math.sqrt),
    "log": (1, 1, math.log10),
    "round": (1, 1, lambda number: float(round(number))),
}
"""What can be called, with how many numbers at least and at most."""
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[a-z][a-z0-9_]*|[-+*/(),]")
_AS_TYPED = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})


class WrongFormula(Refusal):
    """This cannot be worked out; says where, in words."""

    status = 422


@dataclass(frozen=True, slots=True)
class Node:
    """One piece of a formula: a number, a name, or a sign or function with what it works on."""

    kind: str
    value: float = 0.0
    parts: tuple[Node, ...] = ()

    def names(self) -> set[str]:
        """Return every name that the formula asks for."""
        here = {self.kind[1:]} if self.kind.startswith("$") else set()
        return here.union(*(part.names() for part in self.parts))


def read(text: str) -> Node:
    """Read a formula; raise WrongFormula with a sentence that helps."""
    text = text.strip().lower().translate(_AS_TYPED)
    if not text:
        raise WrongFormula(_("Write a formula, such as reach * impact / effort."))
    if len(text) > LONGEST:
        raise WrongFormula(_("A formula has at most %(max)d characters.", max=LONGEST))
    return _Reader(_tokens(text)).whole()


def work_out(node: Node, values: Mapping[str, float | None]) -> float | None:
    """Return what the formula comes to; None where a part is missing, or there is no such number."""
    try:
        found = _value(node, values)
    except (ArithmeticError, ValueError, _Missing):
        return None
    return found if math.isfinite(found) else None


class _Missing(Exception):
    """A part has no value yet."""


def _value(node: Node, values: Mapping[str, float | None]) -> float:
    if node.kind == "number":
        return node.value
    if node.kind.startswith("$"):
        found = values.get(node.kind[1:])
        if found is None:
            raise _Missing
        return float(found)
    numbers = [_value(part, values) for part in node.parts]
    match node.kind:
        case "+":
            return numbers[0] + numbers[1]
        case "-":
            return numbers[0] - numbers[1] if len(numbers) > 1 else -numbers[0]
        case "*":
            return numbers[0] * numbers[1]
        case "/":
            return numbers[0] / numbers[1]
    return float(FUNCTIONS[node.kind][2](*numbers))


def _tokens(text: str) -> list[str]:
    found = []
    for piece in text.split():
        at = 0
        while at < len(piece):
            token = _TOKEN.match(piece, at)
            if token is None:
                raise WrongFormula(_("“%(sign)s” has no meaning in a formula.", sign=piece[at]))
            found.append(token.group())
            at = token.end()
    return found


class _Reader:
    """Reads a formula from left to right; products before sums, brackets before both."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0

    def whole(self) -> Node:
        found = self._sum()
        if self._next():
            raise WrongFormula(_("Something is missing before “%(word)s”.", word=self._next()))
        return found

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        if self._next() not in wanted:
            return ""
        self._at += 1
        return self._tokens[self._at - 1]

    def _sum(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise WrongFormula(_("These are too many brackets inside each other."))
        found = self._product()
        while sign := self._take("+", "-"):
            found = Node(sign, parts=(found, self._product()))
        self._depth -= 1
        return found

    def _product(self) -> Node:
        found = self._one()
        while sign := self._take("*", "/"):
            found = Node(sign, parts=(found, self._one()))
        return found

    def _one(self) -> Node:
        minus = False
        while self._take("-"):
            minus = not minus
        found = self._bare()
        return Node("-", parts=(found,)) if minus else found

    def _bare(self) -> Node:
        word = self._next()
        if self._take("("):
            found = self._sum()
            self._close()
            return found
        if not word or word in "+*/),":
            raise WrongFormula(
                _("Something is missing before “%(word)s”.", word=word) if word else _("The formula ends too early.")
            )
        self._at += 1
        if word[0].isdigit():
            return Node("number", float(word))
        return self._call(word) if self._next() == "(" else Node(f"${word}")

    def _call(self, name: str) -> Node:
        if name not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise WrongFormula(_("There is no “%(name)s(…)”; there are %(known)s.", name=name, known=known))
        self._take("(")
        parts = [self._sum()]
        while self._take(","):
            parts.append(self._sum())
        self._close()
        least, most, _function = FUNCTIONS[name]
        if not least <= len(parts) <= most:
            raise WrongFormula(_("“%(name)s(…)” takes another number of parts.", name=name))
        return Node(name, parts=tuple(parts))

    def _close(self) -> None:
        if not self._take(")"):
            raise WrongFormula(_("A bracket is not closed."))
