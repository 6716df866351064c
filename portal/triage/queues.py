"""The queues of triage: what waits for the team, in the order in which it waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, select
from sqlalchemy.orm import joinedload, load_only

from portal.accounts.models import Person
from portal.accounts.readers import built_once
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.comments.models import Comment
from portal.db import db, moment, on_sqlite, only_checked, utcnow
from portal.duplicates.queries import count_waiting
from portal.ideas import heat
from portal.ideas.models import Idea
from portal.ideas.queries import is_seen_by
from portal.ideas.teamwork import belongs_to_team_of
from portal.ideas.workflow import Category, Publication, Status, StatusRule, Workflow, current, kinds_in
from portal.search.models import SavedSearch
from portal.talk.queries import count_waiting as drafts_for
from portal.talk.queries import goes_out_at
from portal.triage import saved
from portal.triage.asides import comes_back, is_aside, is_snoozed

PAGE = 50
MOST_COUNTED = 100  # beside a queue: "99+" is enough to know
NEVER = date(9999, 12, 31)
LAST_PART = 5  # a word is due when a fifth of its time is left
QUIET = timedelta(days=60)


class Group(StrEnum):
    """Where a queue stands among the others."""

    ALL = "all"
    OWN = "own"
    SAVED = "saved"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A queue of something else than ideas, with a page of its own."""

    name: str
    label: object
    endpoint: str


DUPLICATES = Elsewhere("duplicates", _l("Possible duplicates"), "duplicates.index")
DRAFTS = "drafts"  # of colleagues, that wait for the viewer's look

Conditions = Callable[[Person], list[ColumnElement[bool]]]
Key = datetime | date | int
Place = tuple[Key, int]
"""Where an idea stands in its queue: what the queue is sorted by, then the idea's number."""


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a day: this is a place in another queue")
    return at


@dataclass(frozen=True, slots=True)
class Queue:
    """One kind of waiting; each condition is answered by an index of its own, and together they are the queue."""

    name: str
    label: object
    empty: object
    conditions: Conditions
    key: SQLColumnExpression[Any]
    parse: Callable[[str], Key] = _moment
    newest_first: bool = False
    group: Group = Group.ALL
    shows_asides: bool = False  # also what the viewer put aside
    query: str = ""  # the search that it shows, or one that is much like it
    kept: SavedSearch | None = None

    def order(self, key: SQLColumnExpression[Any], number: SQLColumnExpression[int]) -> list[ColumnElement[Any]]:
        """Say how rows with this key and number follow each other."""
        return [key.desc(), number.desc()] if self.newest_first else [key.asc(), number.asc()]

    def beyond(self, place: Place) -> ColumnElement[bool]:
        """Say which ideas come after a place."""
        key: Any = self.key
        row = sa.tuple_(key, Idea.id)
        there = sa.tuple_(sa.type_coerce(place[0], key.type), sa.type_coerce(place[1], sa.Integer()))
        return row < there if self.newest_first else row > there


@dataclass(frozen=True, slots=True)
class Row:
    """One idea in a queue: all that its row shows."""

    idea: Idea
    place: Place
    pressing: bool
    days: int
    goes_out_at: datetime | None = None  # a planned answer


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a queue."""

    rows: list[Row]
    more: bool


def _stands(*statuses: Status) -> list[ColumnElement[bool]]:
    published = Idea.publication == Publication.PUBLISHED
    return [(Idea.status == status) & published for status in statuses]


OWED = kinds_in(Category.OPEN, Category.COMMITTED)


def _due(_viewer: Person) -> list[ColumnElement[bool]]:
    return [
        stands & _is_at(place) & (Idea.due_at <= moment(_last_part(place)))
        for place in current().rules.values()
        if place.kind in OWED
        for stands in _stands(place.kind)
    ]


def _owed_by(theirs: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """Say what of theirs is to be worked on: by the day on which it is due, or without; what was decided has none."""
    owed = Idea.status.in_(OWED) & (Idea.publication == Publication.PUBLISHED)
    return [
        theirs & Idea.due_at.is_not(None) & only_checked(owed),
        only_checked(theirs) & Idea.due_at.is_(None) & owed,
    ]


def _quiet(_viewer: Person) -> list[ColumnElement[bool]]:
    """Say what is in hand, while for long nobody voted, commented, or said anything for the team."""
    since = moment(-QUIET)
    one_vote: Any = sa.bindparam(None, callable_=lambda: heat.with_vote(heat.COLD, utcnow() - QUIET), type_=sa.Float())
    talked = select(Comment.id).where(Comment.idea_id == Idea.id, Comment.at > since, Comment.deleted_at.is_(None))
    silent = (
        (Idea.status_since <= since)
        & sa.or_(Idea.answered_at.is_(None), Idea.answered_at <= since)
        & (Idea.heat < one_vote)  # one vote since, and it would be warmer
        & ~talked.exists()
    )
    return [stands & silent for stands in _stands(Status.UNDER_REVIEW, Status.PLANNED, Status.IN_PROGRESS)]


def _is_at(place: StatusRule) -> ColumnElement[bool]:
    """Say which of its kind stand at a place: those at the stage, or at none that there is."""
    if place.stage:
        return Idea.stage == place.stage
    stages = [other.stage for other in current().rules.values() if other.kind is place.kind and other.stage]
    return Idea.stage.not_in(stages) if stages else sa.true()


def _last_part(place: StatusRule) -> timedelta:
    within = place.next_word_within
    return within / LAST_PART if within else timedelta()


QUEUES: dict[str, Queue] = {
    queue.name: queue
    for queue in (
        Queue(
            "first-look",
            _l("Needs a first look"),
            _l("Everything new has been looked at."),
            lambda _viewer: _stands(Status.NEW),
            Idea.published_at,
            query="status:new",
        ),
        Queue("answer-due", _l("Answer due"), _l("Nobody waits for a word that is due."), _due, Idea.due_at),
        Queue(
            "needs-info",
            _l("Waiting for the author"),
            _l("No question is open."),
            lambda _viewer: _stands(Status.NEEDS_INFO),
            Idea.due_at,
            query="status:needs-info",
        ),
        Queue(
            "promised",
            _l("Promised updates"),
            _l("Nothing is planned or in progress."),
            lambda _viewer: _stands(Status.PLANNED, Status.IN_PROGRESS),
            Idea.due_at,
            query="status:committed",
        ),
        Queue(
            "quiet",
            _l("Gone quiet"),
            _l("Everything in hand is talked about, or young."),
            _quiet,
            Idea.status_since,
        ),
        Queue(
            "held",
            _l("Held for moderation"),
            _l("Nothing is held."),
            lambda _viewer: [Idea.publication == Publication.HELD],
            Idea.published_at,
        ),
        Queue(
            "mine",
            _l("Assigned to you"),
            _l("Nothing is assigned to you."),
            lambda viewer: _owed_by(Idea.owner_id == viewer.id),
            Idea.due_at,
            group=Group.OWN,
        ),
        Queue(
            "team",
            _l("Your team’s"),
            _l("Nothing waits for your team."),
            lambda viewer: _owed_by(belongs_to_team_of(viewer)),
            Idea.due_at,
            group=Group.OWN,
        ),
        Queue(
            "parked",
            _l("Not now"),
            _l("Nothing is parked."),
            lambda _viewer: _stands(Status.NOT_NOW),
            sa.func.coalesce(Idea.review_on, sa.literal(NEVER, sa.Date()), type_=sa.Date()),
            date.fromisoformat,
            query="status:not-now",
        ),
        Queue(
            "hidden",
            _l("Hidden"),
            _l("Nothing is hidden."),
            lambda _viewer: [Idea.publication == Publication.HIDDEN],
            Idea.published_at,
            newest_first=True,
        ),
    )
}

SNOOZED, FIND = "snoozed", "find"


def queues_of(viewer: Person) -> dict[str, Queue]:
    """Return the queues that this viewer finds in their list: the team's, their own, and those that are kept."""
    kept = [_found_by(name, search.name, search.query, search) for name, search in saved.searches_of(viewer).items()]
    return _standing_of(viewer) | {queue.name: queue for queue in kept}


def _standing_of(viewer: Person) -> dict[str, Queue]:
    """Return the queues that everybody has, which nothing has to be read for."""
    snoozed = Queue(
        SNOOZED,
        _l("Snoozed"),
        _l("Nothing is snoozed."),
        lambda viewer: [is_snoozed(viewer)],
        comes_back(viewer),
        group=Group.OWN,
        shows_asides=True,
    )
    found = sorted([*QUEUES.values(), snoozed], key=lambda queue: queue.group is not Group.ALL)
    return {queue.name: queue for queue in found}


def queue_named(name: str, viewer: Person, query: str = "") -> Queue | None:
    """Return one of the queues that the viewer has, or what the query finds where it is called FIND."""
    if name == FIND:
        return _found_by(FIND, _l("Found"), query)
    return (queues_of(viewer) if name.startswith(saved.PREFIX) else _standing_of(viewer)).get(name)


def _found_by(name: str, label: object, query: str, kept: SavedSearch | None = None) -> Queue:
    by_votes: Any = Idea.votes
    return Queue(
        name,
        label,
        _l("Nothing that you may see is like that."),
        saved.found_by(query),
        by_votes,
        int,
        newest_first=True,
        group=Group.SAVED,
        query=query,
        kept=kept,
    )


_SHOWN = (
    Idea.id,
    Idea.title,
    Idea.votes,
    Idea.comments,
    Idea.status,
    Idea.stage,
    Idea.status_since,
    Idea.publication,
    Idea.published_at,
    Idea.due_at,
    Idea.review_on,
    Idea.board_id,
)


def page_of(queue: Queue, viewer: Person, board: Board | None, after: Place | None = None, limit: int = PAGE) -> Page:
    """Return the ideas of a queue that come after a place, with one statement."""
    board_id, (key, number) = board.id if board else None, after or (None, None)
    if queue.group is Group.SAVED:
        rows = db.session.execute(_first_of(queue, viewer, board_id, after, limit + 1)).all()
    else:
        world, narrowed, further = _world(), board is not None, after is not None
        first = _first_of_standing(
            viewer, *world, queue.name, narrowed, further, limit + 1, board_id=board_id, key=key, number=number
        )
        rows = db.session.execute(*first).all()
    now = utcnow()
    return Page(
        [
            Row(idea, (key, idea.id), is_pressing(idea, now), (now - idea.published_at).days, goes_out)
            for idea, key, goes_out in rows[:limit]
        ],
        len(rows) > limit,
    )


def ids_of(queue: Queue, viewer: Person, board: Board | None, limit: int) -> list[int]:
    """Return the ideas of a whole queue, at most so many, in its order."""
    parts = [
        part.add_columns(queue.key.label("key")).order_by(*queue.order(queue.key, Idea.id)).limit(limit)
        for part in _parts(queue, viewer, board.id if board else None)
    ]
    found = _all_of(parts).subquery()
    return list(db.session.scalars(select(found.c.id).order_by(*queue.order(found.c.key, found.c.id)).limit(limit)))


def count_all(viewer: Person, board: Board | None) -> dict[str, int]:
    """Count what waits in each queue, up to ``MOST_COUNTED``, with one statement; kept searches are not counted."""
    asked = _counts(viewer, *_world(), MOST_COUNTED, board is not None, board_id=board.id if board else None)
    numbers = db.session.execute(*asked).one()
    return {name: min(number, MOST_COUNTED) for name, number in numbers._mapping.items()}


def place_of(queue: Queue, idea: Idea) -> Place | None:
    """Return where this idea stands in the order of the queue, whether it is in it or not."""
    key = db.session.scalar(select(queue.key).where(Idea.id == idea.id))
    return (key, idea.id) if key is not None else None


def holds(queue: Queue, viewer: Person, board: Board | None, idea_id: int) -> bool:
    """Whether the idea is in the queue."""
    parts = [part.where(Idea.id == idea_id) for part in _parts(queue, viewer, board.id if board else None)]
    return db.session.scalar(select(_all_of(parts).subquery().c.id).limit(1)) is not None


def is_pressing(idea: Idea, now: datetime) -> bool:
    """Whether the team's next word is due or nearly so."""
    within = idea.rule.next_word_within
    return idea.due_at is not None and within is not None and idea.due_at - within / LAST_PART <= now


def _world() -> tuple[Workflow, bool]:
    """Return what statements of queues are built for beside the viewer: the statuses there are, and the database."""
    return current(), on_sqlite()


@built_once
def _counts(
    viewer: Person, _tables: Workflow, _sqlite: bool, most: int, narrowed: bool, *, board_id: int | None
) -> Select[*tuple[int, ...]]:
    here = board_id if narrowed else None
    counts = []
    for queue in _standing_of(viewer).values():
        parts = [part.limit(most) for part in _parts(queue, viewer, here)]
        counts.append(
            select(sa.func.count()).select_from(_all_of(parts).subquery()).scalar_subquery().label(queue.name)
        )
    return select(*counts, count_waiting(viewer, here).label(DUPLICATES.name), drafts_for(viewer).label(DRAFTS))


@built_once
def _first_of_standing(
    viewer: Person,
    _tables: Workflow,
    _sqlite: bool,
    name: str,
    narrowed: bool,
    further: bool,
    limit: int,
    *,
    board_id: int | None,
    key: Any,
    number: Any,
) -> Select[Any]:
    after = (key, number) if further else None
    return _first_of(_standing_of(viewer)[name], viewer, board_id if narrowed else None, after, limit)


def _first_of(queue: Queue, viewer: Person, board_id: int | None, after: Place | None, limit: int) -> Select[Any]:
    """Select so many ideas of a queue that come after a place, each with its key and when an answer goes out."""
    parts = [
        (part if after is None else part.where(queue.beyond(after)))
        .add_columns(queue.key.label("key"))
        .order_by(*queue.order(queue.key, Idea.id))
        .limit(limit)
        for part in _parts(queue, viewer, board_id)
    ]
    found = _all_of(parts).subquery()
    return (
        select(Idea, found.c.key, goes_out_at(Idea.id))
        .join(found, found.c.id == Idea.id)
        .options(load_only(*_SHOWN), joinedload(Idea.board))
        .order_by(*queue.order(found.c.key, found.c.id))
        .limit(limit)
    )


def _parts(queue: Queue, viewer: Person, board_id: int | None) -> list[Select[Any]]:
    """Select the ids of a queue, once for each of its conditions; no idea meets two of them."""
    ids = select(Idea.id.label("id")).where(is_seen_by(viewer))
    if not viewer.reads_as_staff:
        ids = ids.where(Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer))))
    if board_id is not None:
        ids = ids.where(Idea.board_id == board_id)
    if not queue.shows_asides:
        ids = ids.where(~is_aside(viewer, queue.name))
    return [ids.where(condition) for condition in queue.conditions(viewer)]


def _all_of(parts: Sequence[Select[Any]]) -> Any:
    """Put selects with an order and a limit of their own together."""
    if len(parts) == 1:
        return parts[0]
    return sa.union_all(*(select(part.subquery()) for part in parts))
