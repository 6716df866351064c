"""What ideas are to each other, in words, read from either end."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from portal.ideas.models import Nature
from portal.links.models import Kind

READ: dict[tuple[Kind, bool], tuple[object, object]] = {
    (Kind.RELATES, True): (_l("Relates to"), _l("said that this relates to")),
    (Kind.RELATES, False): (_l("Relates to"), _l("said that this relates to")),
    (Kind.PART_OF, True): (_l("Part of"), _l("said that this is part of")),
    (Kind.PART_OF, False): (_l("Has as a part"), _l("said that a part of this is")),
    (Kind.FOLLOWS, True): (_l("Follows from"), _l("said that this follows from")),
    (Kind.FOLLOWS, False): (_l("Leads to"), _l("said that this leads to")),
    (Kind.SOLVES, True): (_l("A solution for the need"), _l("put this as a solution under the need")),
    (Kind.SOLVES, False): (_l("Could be solved by"), _l("put under this need the solution")),
    (Kind.BUILDS_ON, True): (_l("Builds on"), _l("built this on")),
    (Kind.BUILDS_ON, False): (_l("Taken further in"), _l("took this further in")),
}
"""The heading of such a link, and what whoever made it did; by kind, and whether one stands at its first idea."""

CHOICES: tuple[tuple[str, object], ...] = tuple(
    (f"{kind.value}{'' if outward else '-back'}", label)
    for (kind, outward), (label, _act) in READ.items()
    if kind is not Kind.RELATES or outward
)
"""What one can say of an idea and another one."""

NATURES: dict[Nature | None, object] = {
    None: _l("As it is written"),
    Nature.NEED: lazy_pgettext("idea", "A need"),
    Nature.SOLUTION: lazy_pgettext("idea", "A solution"),
    Nature.BOTH: lazy_pgettext("idea", "A need with a solution"),
}


def label_of(kind: Kind, outward: bool) -> str:
    """Return the heading under which the other idea stands."""
    return str(READ[kind, outward][0])


def read_choice(choice: str) -> tuple[Kind, bool] | None:
    """Return what somebody chose: the kind, and whether the idea before them is the first of the two."""
    name = choice.removesuffix("-back")
    return (Kind(name), name == choice) if choice in {value for value, _label in CHOICES} else None


def choice_of(kind: Kind, outward: bool) -> str:
    """Return what somebody would have chosen to make such a link."""
    return kind.value if outward or kind is Kind.RELATES else f"{kind.value}-back"
