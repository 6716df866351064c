"""By what the results of a search can be narrowed down, each with how many ideas it would leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.boards.queries import BoardLine
from portal.db import db
from portal.ideas.workflow import Status
from portal.search.asking import LONGEST_VALUE, Asked
from portal.search.meaning import Meaning

MOST = 10  # people, and tags


class Fact(NamedTuple):
    """What an idea is narrowed down by."""

    id: int
    status: Status
    board_id: int
    author_id: int | None
    published_at: datetime
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()  # private ones, of boards that the viewer works on

    def values(self, name: str) -> tuple[Any, ...]:
        """Return what the idea has of one thing that can be chosen."""
        match name:
            case "status":
                return (self.status,)
            case "board":
                return (self.board_id,)
            case "author":
                return (self.author_id,)
            case "year":
                return (self.published_at.year,)
            case "label":
                return self.labels
        return self.tags


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: how it is typed and shown, how many ideas it leaves, and the search that it leads to."""

    label: str
    number: int
    chosen: bool
    asked: Asked


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing by which results differ."""

    name: str
    label: str
    options: list[Option]
    any: Asked  # the search without a choice here
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """One limit of a search in words, and the search without it."""

    text: str
    asked: Asked


def facets(
    asked: Asked,
    meaning: Meaning,
    chosen: Sequence[Fact],
    others: Mapping[str, Sequence[Fact]],
    boards: Sequence[BoardLine],
) -> list[Facet]:
    """Return what can be chosen: counted among all that answer, but for the choice already made of the same thing."""
    found: list[Facet] = []
    for name, label in labels().items():
        counts = _spread(others.get(name, chosen), name)
        known = _VALUES[name](boards, counts)
        choice = meaning.choices.get(name)
        wanted = choice.wanted if choice and choice.wanted is not None else frozenset()
        options = [
            Option(shown, counts[value], value in wanted, asked.narrowed(name, typed))
            for value, typed, shown in known
            if counts[value] or value in wanted
        ]
        if len(options) > 1 or wanted:
            found.append(Facet(name, label, options, asked.narrowed(name, ""), bool(wanted)))
    return found


def chips(asked: Asked) -> list[Chip]:
    """Return the limits of a search in words, each with the search that is left without it."""
    names = labels() | {"before": _("Before"), "after": _("From"), "votes": _("Votes"), "is": _("Is")}
    shown = []
    for one in asked.operators:
        text = _("%(field)s: %(value)s", field=names[one.field], value=one.value)
        shown.append(Chip(_("Not %(limit)s", limit=text) if one.minus else text, asked.without(one)))
    return shown


def labels() -> dict[str, str]:
    """Return what can be chosen, in the order in which it is shown."""
    return {
        "status": _("Status"),
        "board": _("Board"),
        "year": _("Year"),
        "author": _("Author"),
        "tag": _("Tag"),
        "label": _("Private label"),
    }


Known = Iterable[tuple[Any, str, str]]
"""Values that can be chosen: as the facts hold them, as they are typed, and as they are shown."""


def _statuses(_boards: Sequence[BoardLine], _counts: Counter[Any]) -> Known:
    return [(status, status.value.replace("_", "-"), status.label) for status in Status]


def _boards(boards: Sequence[BoardLine], counts: Counter[Any]) -> Known:
    lines = {line.id: line for line in boards}
    return [(n, lines[n].slug, lines[n].name) for n, _number in counts.most_common() if n in lines]


def _years(_boards: Sequence[BoardLine], counts: Counter[Any]) -> Known:
    return [(year, str(year), str(year)) for year in sorted(counts, reverse=True)]


def _authors(_boards: Sequence[BoardLine], counts: Counter[Any]) -> Known:
    first = [number for number, _count in counts.most_common(MOST)]
    people = select(User.id, User.name).where(User.id.in_(first), User.leaves_at.is_(None), User.erased_at.is_(None))
    names = {row.id: row.name for row in db.session.execute(people)} if first else {}
    typable = {number: name for number, name in names.items() if '"' not in name and len(name) <= LONGEST_VALUE}
    return [(n, typable[n], typable[n]) for n in first if n in typable and typable[n].lower() != "me"]


def _tags(_boards: Sequence[BoardLine], counts: Counter[Any]) -> Known:
    return [(name, name, name) for name, _count in counts.most_common(MOST)]


_VALUES = {"status": _statuses, "board": _boards, "year": _years, "author": _authors, "tag": _tags, "label": _tags}


def _spread(facts: Iterable[Fact], name: str) -> Counter[Any]:
    return Counter(value for fact in facts for value in fact.values(name) if value is not None)
