"""What people looked for, grouped by meaning, for the team: never more than the reader may see themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, select

from portal.accounts.models import Person
from portal.accounts.roles import STAFF_READERS
from portal.db import count_rows, db, utcnow
from portal.demand.models import NotedSearch, Reach, Searcher, SetAside, Verdict
from portal.demand.wording import cuts, is_slip

KEPT = timedelta(days=90)
TREND = 30  # days
MOST = 1_000  # groups that are looked through, the commonest
LEAST = (1, 2, 3, 5, 10)  # times that may be asked for
PEOPLE = frozenset({Searcher.VISITOR, Searcher.MEMBER})
ONLY = ("all", "nothing", "unopened")
SHORTEST = 3  # letters of a word that may be misspelt
RARER = 3  # a misspelling is looked for so many times more rarely


@dataclass(frozen=True, slots=True)
class Filters:
    """Which searches are asked for."""

    by: frozenset[Searcher] = PEOPLE
    least: int = 2
    only: str = "all"
    aside: bool = False


@dataclass(slots=True)
class Group:
    """Searches for the same thing."""

    stems: str
    times: int
    nothing: int  # found no idea
    unopened: int  # found some, and none was opened
    last_at: datetime
    verdict: Verdict | None = None
    keys: list[str] = field(default_factory=list)  # the stems of all that was joined to it
    words: str = ""  # as it was typed most often
    others: list[str] = field(default_factory=list)  # other ways it was typed
    days: list[int] = field(default_factory=list)  # how often on each of the last thirty days, today at the end

    @property
    def recent(self) -> int:
        """How often of late."""
        return sum(self.days)

    @property
    def bars(self) -> list[tuple[int, int]]:
        """Six steps of five days, each as how often, and how high it stands, of ten."""
        steps = [sum(self.days[at : at + 5]) for at in range(0, TREND, 5)]
        return [(step, round(10 * step / (max(steps) or 1))) for step in steps]

    def take_in(self, other: Group) -> None:
        """Count the searches of another group here: the same thing, spelt otherwise."""
        self.times, self.nothing = self.times + other.times, self.nothing + other.nothing
        self.unopened, self.last_at = self.unopened + other.unopened, max(self.last_at, other.last_at)
        self.keys += other.keys


def list_groups(viewer: Person, filters: Filters) -> list[Group]:
    """Return what was looked for in the last 90 days, what most people did not get first."""
    found = [group for group in _joined(_counted(viewer, filters)) if group.times >= filters.least]
    if filters.only == "nothing":
        found = [group for group in found if group.nothing]
    elif filters.only == "unopened":
        found = [group for group in found if group.unopened]
    return sorted(found, key=lambda group: (group.nothing + group.unopened, group.times, group.last_at), reverse=True)


def tell(groups: Sequence[Group], viewer: Person, filters: Filters) -> None:
    """Add to these groups how they were typed, and how often on which day."""
    of_key = {key: group for group in groups for key in group.keys}
    shown = (*_seen(viewer, filters), NotedSearch.stems.in_(list(of_key)))
    times = sa.func.count().label("times")
    typed = select(NotedSearch.stems, NotedSearch.words, times).where(*shown)
    typed = typed.group_by(NotedSearch.stems, NotedSearch.words).order_by(times.desc(), NotedSearch.words).limit(5_000)
    for stems, words, _times in db.session.execute(_but_set_aside(typed, filters)):
        group = of_key[stems]
        if not group.words:
            group.words = words
        elif words != group.words and len(group.others) < 4:
            group.others.append(words)
    today = utcnow().date()
    for group in groups:
        group.days = [0] * TREND
    dated = select(NotedSearch.stems, NotedSearch.day, sa.func.count()).where(*shown)
    dated = dated.where(NotedSearch.day > today - timedelta(days=TREND)).group_by(NotedSearch.stems, NotedSearch.day)
    for stems, day, number in db.session.execute(_but_set_aside(dated, filters)):
        place = TREND - 1 - (today - day).days
        if 0 <= place < TREND:
            of_key[stems].days[place] += number


def seen_keys(keys: Sequence[str], viewer: Person) -> list[str]:
    """Return those of the keys under which there are searches that the viewer may know of."""
    known = select(NotedSearch.stems).where(NotedSearch.stems.in_(keys[:100]), _is_seen_by(viewer)).distinct()
    return list(db.session.scalars(known))


def forget_old_searches() -> int:
    """Drop searches after 90 days, and what was decided about those that nobody makes any more."""
    gone = count_rows(sa.delete(NotedSearch).where(NotedSearch.at < utcnow() - KEPT))
    stale = sa.delete(SetAside).where(
        SetAside.verdict == Verdict.ANSWERED,
        SetAside.at < utcnow() - KEPT,
        SetAside.stems.not_in(select(NotedSearch.stems)),
    )
    return gone + count_rows(stale)


def _counted(viewer: Person, filters: Filters) -> list[Group]:
    nothing = sa.func.sum(sa.case((NotedSearch.found == 0, 1), else_=0))
    unopened = sa.func.sum(sa.case(((NotedSearch.found > 0) & ~NotedSearch.opened, 1), else_=0))
    times = sa.func.count().label("times")
    counted = (
        select(NotedSearch.stems, times, nothing, unopened, sa.func.max(NotedSearch.at), sa.func.max(SetAside.verdict))
        .where(*_seen(viewer, filters))
        .group_by(NotedSearch.stems)
        .order_by(times.desc(), NotedSearch.stems)
        .limit(MOST)
    )
    rows: list[Any] = list(db.session.execute(_but_set_aside(counted, filters)))
    return [
        Group(stems, number, none, left, last, Verdict(verdict) if verdict and filters.aside else None, [stems])
        for stems, number, none, left, last, verdict in rows
    ]


def _seen(viewer: Person, filters: Filters) -> Iterator[ColumnElement[bool]]:
    yield NotedSearch.at >= utcnow() - KEPT
    yield NotedSearch.by.in_(list(filters.by))
    yield _is_seen_by(viewer)


def _is_seen_by(viewer: Person) -> ColumnElement[bool]:
    """Words may name what is on a closed board: they are for whoever sees at least as much as those who typed them."""
    reaches = [Reach.OPEN]
    if viewer.standing in STAFF_READERS:
        reaches.append(Reach.STAFF)
    if viewer.is_admin:
        reaches.append(Reach.CLOSED)
    return NotedSearch.reach.in_(reaches)


def _but_set_aside(searches: Any, filters: Filters) -> Any:
    """Leave out what was set aside, or everything else; what was answered comes back with searches made since."""
    joined = searches.outerjoin(SetAside, SetAside.stems == NotedSearch.stems)
    settled = (SetAside.verdict == Verdict.NOISE) | (NotedSearch.at <= SetAside.at)
    return joined.where(settled) if filters.aside else joined.where(SetAside.stems.is_(None) | ~settled)


def _joined(groups: list[Group]) -> list[Group]:
    """Join to each group the ones that differ from it by a slip in one word; the commonest come first."""
    kept: list[Group] = []
    near: dict[tuple[str, str], list[tuple[Group, str]]] = {}
    for group in groups:
        places = [(" ".join(others), word) for word, others in _each_word(group.stems)]
        target = next(
            (
                found
                for others, word in places
                for cut in cuts(word)
                for found, theirs in near.get((others, cut), ())
                if found.times >= RARER * group.times and found.verdict == group.verdict and is_slip(word, theirs)
            ),
            None,
        )
        if target is not None:
            target.take_in(group)
            continue
        kept.append(group)
        for others, word in places:
            for cut in cuts(word):
                near.setdefault((others, cut), []).append((group, word))
    return kept


def _each_word(stems: str) -> Iterator[tuple[str, list[str]]]:
    """Each word that is long enough to be misspelt, and the others."""
    words = stems.split()
    for place, word in enumerate(words[:6]):
        if len(word) >= SHORTEST and word.isalpha():
            yield word, words[:place] + words[place + 1 :]
