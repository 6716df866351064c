"""What operators mean to one viewer: the ideas they allow, and a sentence about each that means nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select

from portal.accounts.models import Person, User, name_key
from portal.boards.queries import list_boards
from portal.db import db
from portal.ideas.models import Idea, Tag, idea_tags
from portal.ideas.queries import is_out_for
from portal.ideas.workflow import Category, Status, kinds_in
from portal.labels import queries as labels
from portal.search.asking import Asked, Operator, fields_for, unknown_fields

MOST_PEOPLE = 50
MOST_NAMED = 12
CATEGORIES: dict[Category, Any] = {
    Category.OPEN: _l("Open"),
    Category.COMMITTED: _l("Committed"),
    Category.DONE: _l("Done"),
    Category.PARKED: _l("Parked"),
    Category.CLOSED: _l("Closed"),
}
IS = ("open", "decided", "answered", "mine")

_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2}))?(?:[-/.](\d{1,2}))?")
_VOTES = re.compile(r"(?:(>=|<=|>|<|=)\s*)?(\d{1,9})|(\d{1,9})\.\.(\d{1,9})")
_COMPARED: dict[str, Callable[[Any, int], ColumnElement[bool]]] = {
    ">": lambda column, number: column > number,
    "<": lambda column, number: column < number,
    ">=": lambda column, number: column >= number,
    "<=": lambda column, number: column <= number,
    "=": lambda column, number: column == number,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which values of one thing are wanted, None for any, and which are not."""

    wanted: frozenset[Any] | None = None
    unwanted: frozenset[Any] = frozenset()

    def fits(self, values: Collection[Any]) -> bool:
        """Whether something with these values is wanted."""
        return (self.wanted is None or not self.wanted.isdisjoint(values)) and self.unwanted.isdisjoint(values)


@dataclass(slots=True)
class Meaning:
    """What is looked for: choices for what has facets, conditions for the rest, and what could not be understood."""

    choices: dict[str, Choice] = field(default_factory=dict)
    conditions: list[ColumnElement[bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    viewer: Person | None = None

    def where(self, but: str = "") -> list[ColumnElement[bool]]:
        """Return all that must hold for an idea, leaving out one choice."""
        chosen = [(name, choice) for name, choice in self.choices.items() if name != but]
        return [*self.conditions, *(part for name, choice in chosen for part in _in_sql(name, choice, self.viewer))]


def meaning_of(asked: Asked, viewer: Person) -> Meaning:
    """Return what the operators mean to the viewer; nobody learns by them of what they may not see."""
    meaning = Meaning(viewer=viewer)
    for name, values_of in _CHOICES.items():
        wanted, unwanted = (asked.values(name, minus) for minus in (False, True))
        if wanted or unwanted:
            known = [_known(values_of, values, viewer, meaning) for values in (wanted, unwanted)]
            if known[0] or known[1]:
                meaning.choices[name] = Choice(frozenset(known[0]) if known[0] else None, frozenset(known[1]))
    for one in asked.operators:
        if one.field in _CONDITIONS:
            condition = _CONDITIONS[one.field](one.value, viewer)
            if isinstance(condition, str):
                meaning.notes.append(condition)
            else:
                meaning.conditions.append(sa.not_(condition) if one.minus else condition)
    return meaning


def hints_about(asked: Asked, viewer: Person) -> list[str]:
    """Return a sentence about each word that looks like an operator and is none."""
    there = ", ".join(f"{name}:" for name in fields_for(viewer.works_here))
    return [_("“%(name)s:” is taken as a word. There are %(there)s", name=name, there=there)
            for name in unknown_fields(asked)]  # fmt: skip


def in_any_language(asked: Asked, viewer: Person) -> Asked:
    """Return the same search with each status called as everybody may type it."""
    return replace(asked, operators=tuple(_in_any_language(one, viewer) for one in asked.operators))


def span(text: str) -> tuple[datetime, datetime] | None:
    """Return when a year, month or day begins and when it is over; None for what is no date."""
    found = _DATE.fullmatch(text.strip())
    if not found:
        return None
    year, month, day = (int(part) if part else 0 for part in found.groups())
    try:
        begin = date(year, month or 1, day or 1)
        if day:
            end = begin + timedelta(days=1)
        else:
            end = date(year + (not month or month == 12), month % 12 + 1 if month else 1, 1)
    except (ValueError, OverflowError):
        return None
    return datetime.combine(begin, time(), UTC), datetime.combine(end, time(), UTC)


def status_names() -> dict[str, str]:
    """Return what a status can be called, in the viewer's language, each with how it is typed."""
    return {status.label: status.value.replace("_", "-") for status in Status}


Known = Callable[[str, Person], Collection[Any] | str]


def _known(values_of: Known, values: Iterable[str], viewer: Person, meaning: Meaning) -> set[Any]:
    """Return what the values stand for; of a value that stands for nothing a sentence is noted."""
    known: set[Any] = set()
    for value in values:
        found = values_of(value, viewer)
        if isinstance(found, str):
            meaning.notes.append(found)
        else:
            known |= set(found)
    return known


def _statuses(value: str, _viewer: Person) -> Collection[Status] | str:
    here = _names_of_statuses(str(get_locale() or "en"))
    if found := here.get(_folded(value)):
        return found
    there = ", ".join(status_names())
    return str(_("There is no status “%(value)s”. There are %(there)s.", value=value, there=there))


@lru_cache(maxsize=20)
def _names_of_statuses(locale: str) -> dict[str, frozenset[Status]]:
    """Return which statuses each name stands for: in English, in this language, and as a category."""
    names: dict[str, frozenset[Status]] = {}
    for language in ("en", locale):
        with force_locale(language):
            for category, label in CATEGORIES.items():
                members = frozenset(kinds_in(category))
                names |= {_folded(category.value): members, _folded(str(label)): members}
    for language in ("en", locale):
        with force_locale(language):
            for status in Status:
                names |= {_folded(status.value): frozenset({status}), _folded(status.label): frozenset({status})}
    return names


def _boards(value: str, viewer: Person) -> Collection[int] | str:
    boards = list_boards(viewer)
    found = {board.id for board in boards if board.slug == value.lower()}
    found = found or {board.id for board in boards if _folded(board.name) == _folded(value)}
    if found:
        return found
    there = ", ".join(board.slug for board in boards[:MOST_NAMED])
    return str(_("You know no board “%(value)s”. There are %(there)s.", value=value, there=there))


def _authors(value: str, viewer: Person) -> Collection[int] | str:
    if value.lower() == "me":
        return [viewer.id] if viewer.is_signed_in else str(_("Sign in to look for your own ideas."))
    key = name_key(value)
    theirs = select(Idea.id).where(Idea.author_id == User.id, is_out_for(viewer)).exists()
    people = select(User.id, User.name_key).where(User.leaves_at.is_(None), User.erased_at.is_(None), theirs)
    exactly = db.session.execute(people.where(User.name_key == key)).all()
    if exactly:
        return [row.id for row in exactly]
    alike = people.where(User.name_key.contains(key, autoescape=True)).order_by(User.id).limit(MOST_PEOPLE)
    found = [row.id for row in db.session.execute(alike)] if key else []
    return found or str(_("You can see no idea by anybody called “%(value)s”.", value=value))


def _tags(value: str, viewer: Person) -> Collection[str] | str:
    name = value.lower()
    tagged = select(Idea.id).join(idea_tags, idea_tags.c.idea_id == Idea.id).join(Tag, Tag.id == idea_tags.c.tag_id)
    if db.session.scalar(tagged.where(Tag.name == name, is_out_for(viewer)).limit(1)) is not None:
        return [name]
    return str(_("You can see no idea tagged “%(value)s”.", value=value))


def _labels(value: str, viewer: Person) -> Collection[str] | str:
    if labels.is_known(name := labels.typed(value), viewer):
        return [name]
    there = ", ".join(labels.names_known_to(viewer))
    if not there:
        return str(_("No idea on your boards has a private label."))
    return str(_("No idea on your boards has the private label “%(value)s”. There are %(there)s.",
                 value=value, there=there))  # fmt: skip


def _years(value: str, _viewer: Person) -> Collection[int] | str:
    return [int(value)] if len(value) == 4 and span(value) else _no_date("year", value)


def _before(value: str, _viewer: Person) -> ColumnElement[bool] | str:
    found = span(value)
    return Idea.published_at < found[0] if found else _no_date("before", value)


def _after(value: str, _viewer: Person) -> ColumnElement[bool] | str:
    found = span(value)
    return Idea.published_at >= found[0] if found else _no_date("after", value)


def _no_date(name: str, value: str) -> str:
    typed = f"{name}:{value}"
    return str(_("“%(typed)s” is no date. Type a year, a month or a day: 2026, 2026-03, 2026-03-14.", typed=typed))


def _votes(value: str, _viewer: Person) -> ColumnElement[bool] | str:
    found = _VOTES.fullmatch(value.strip())
    if not found:
        return str(_("“votes:%(value)s” is no number. Type for example votes:>10 or votes:5..20.", value=value))
    sign, number, least, most = found.groups()
    if number:
        return _COMPARED[sign or "="](Idea.votes, int(number))
    return Idea.votes.between(int(least), int(most))


def _is(value: str, viewer: Person) -> ColumnElement[bool] | str:
    match value.lower():
        case "open":
            return Idea.status.in_(kinds_in(Category.OPEN))
        case "decided":
            return Idea.status.not_in([*kinds_in(Category.OPEN), Status.MERGED])
        case "answered":
            return Idea.answered_at.is_not(None)
        case "mine":
            mine = Idea.author_id == viewer.id
            return sa.and_(mine, Idea.author_id.is_not(None)) if viewer.is_signed_in else sa.false()
    there = ", ".join(f"is:{each}" for each in IS)
    return str(_("There is no “is:%(value)s”. There are %(there)s.", value=value, there=there))


_CHOICES: dict[str, Known] = {
    "status": _statuses,
    "board": _boards,
    "author": _authors,
    "tag": _tags,
    "year": _years,
    "label": _labels,
}
_CONDITIONS: dict[str, Callable[[str, Person], ColumnElement[bool] | str]] = {
    "before": _before,
    "after": _after,
    "votes": _votes,
    "is": _is,
}


def _in_any_language(operator: Operator, viewer: Person) -> Operator:
    found = _statuses(operator.value, viewer) if operator.field == "status" else ""
    if isinstance(found, str) or not found:
        return operator
    categories = {frozenset(kinds_in(category)): category.value for category in Category}
    value = categories.get(frozenset(found)) or next(iter(found)).value.replace("_", "-")
    return replace(operator, value=value)


def _in_sql(name: str, choice: Choice, viewer: Person | None) -> list[ColumnElement[bool]]:
    parts = []
    if choice.wanted is not None:
        parts.append(_one_of(name, choice.wanted, viewer))
    if choice.unwanted:
        parts.append(sa.not_(_one_of(name, choice.unwanted, viewer)))
    return parts


def _one_of(name: str, values: Collection[Any], viewer: Person | None) -> ColumnElement[bool]:
    wanted = sorted(values)
    if name == "year":
        spans = [span(f"{year:04}") for year in wanted]
        return sa.or_(*((Idea.published_at >= each[0]) & (Idea.published_at < each[1]) for each in spans if each))
    if name == "tag":
        tagged = select(idea_tags.c.idea_id).join(Tag, Tag.id == idea_tags.c.tag_id).where(Tag.name.in_(wanted))
        return Idea.id.in_(tagged)
    if name == "label":
        return labels.labelled_for(viewer, wanted) if viewer is not None else sa.false()
    if name == "author":
        return sa.and_(Idea.author_id.is_not(None), Idea.author_id.in_(wanted))
    return Idea.status.in_(wanted) if name == "status" else Idea.board_id.in_(wanted)


def _folded(text: str) -> str:
    return " ".join(re.sub(r"[-_\s]+", " ", text).casefold().split())
