"""Lists of ideas: filtered, sorted, and read a page at a time in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.accounts.models import Person
from portal.accounts.readers import built_once
from portal.boards.models import Board
from portal.boards.queries import BoardLine
from portal.db import db, only_checked, utcnow
from portal.ideas.models import Idea, Tag, idea_tags
from portal.ideas.queries import is_out_for, is_seen_by
from portal.ideas.supporters import Ballot, voted_by
from portal.ideas.workflow import Category, Publication, Status, StatusRule, kinds_in, rule_of

PAGE = 20
RECENTLY = timedelta(days=60)

SORTS: dict[str, InstrumentedAttribute[Any]] = {
    "top": Idea.votes,
    "rising": Idea.heat,
    "new": Idea.published_at,
    "answered": Idea.answered_at,
}
KINDS: dict[str, tuple[type, type]] = {
    "top": (int, int),
    "rising": (float, int),
    "new": (datetime, int),
    "answered": (datetime, int),
}
GOT = [Status.SHIPPED, Status.CONFIRMED]
CURRENT = kinds_in(Category.OPEN, Category.COMMITTED)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is asked to show; each combination has an address of its own.

    ``status`` is empty for what is open or recently shipped, ``all``, or one status; ``who`` is ``mine`` or ``voted``.
    """

    sort: str = "top"
    board: str = ""
    status: str = ""
    tag: str = ""
    who: str = ""

    @classmethod
    def read(cls, asked: Mapping[str, str], board: str = "") -> Filters:
        """Take what is known from an address; what is not falls back to the default."""
        sort, status, who = asked.get("sort", ""), asked.get("status", ""), asked.get("who", "")
        return cls(
            sort=sort if sort in SORTS else "top",
            board=board,
            status=status if status == "all" or status in set(Status) else "",
            tag=asked.get("tag", "")[:30],
            who=who if who in {"mine", "voted"} else "",
        )

    def but(self, **changes: str) -> dict[str, str]:
        """Return the address arguments of this list with some changes, leaving defaults out."""
        changed = replace(self, **changes)
        arguments = {
            "sort": changed.sort if changed.sort != "top" else "",
            "status": changed.status,
            "tag": changed.tag,
        }
        return {name: value for name, value in (arguments | {"who": changed.who}).items() if value}

    @property
    def shows_new(self) -> bool:
        """Whether an idea that comes in now belongs to this list."""
        return self.sort != "answered" and not self.who and not self.tag and self.status in {"", "all", Status.NEW}


@dataclass(frozen=True, slots=True)
class Choices:
    """What a list can be narrowed to, and to what it is: ``filters`` at ``address``."""

    address: str
    filters: Filters
    boards: tuple[BoardLine, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdeaRow:
    """One idea as a list shows it to one viewer."""

    id: int
    title: str
    excerpt: str
    status: Status
    publication: Publication
    votes: int
    comments: int
    published_at: datetime
    answered_at: datetime | None
    due_at: datetime | None
    board_name: str
    board_slug: str
    cast: bool
    board_id: int
    stage: str
    sort_value: Any = None
    dom_class: str = "idea"

    @property
    def rule(self) -> StatusRule:
        """What its status is called, and what holds there."""
        return rule_of(self.status, self.stage)

    @property
    def ballot(self) -> Ballot:
        """The viewer's ballot on this idea."""
        is_open = self.publication is Publication.PUBLISHED and self.rule.takes_votes
        return Ballot(self.id, self.title, self.votes, self.cast, is_open, self.board_id)

    @property
    def is_late(self) -> bool:
        """Whether the team owes a word since some time."""
        return self.due_at is not None and self.due_at < utcnow()

    @property
    def is_due_soon(self) -> bool:
        """Whether the team's word is due within a week."""
        return self.due_at is not None and utcnow() <= self.due_at < utcnow() + timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Shipped:
    """One idea that came out, and how many asked for it."""

    id: int
    title: str
    votes: int


@dataclass(frozen=True, slots=True)
class IdeaPage:
    """One page of a list, and the place where the next one begins."""

    rows: list[IdeaRow]
    next_place: tuple[Any, int] | None


def list_ideas(viewer: Person, filters: Filters, after: tuple[Any, ...] | None = None, limit: int = PAGE) -> IdeaPage:
    """Return the page of the list that begins after a place: the sort value and id of the last idea shown."""
    values: dict[str, Any] = {name: value for name in ("board", "tag") if (value := getattr(filters, name))}
    if after is not None:
        values |= {"after_value": after[0], "after_id": after[1]}
    if not (filters.status or filters.who or filters.sort == "answered"):
        values["shipped_after"] = utcnow() - RECENTLY
    page = _page(viewer, filters.sort, filters.status, filters.who, most=limit + 1, **values)
    found = db.session.execute(*page).all()
    rows = [IdeaRow(*row) for row in found[:limit]]
    more = len(found) > limit
    return IdeaPage(rows, (rows[-1].sort_value, rows[-1].id) if more else None)


def rows_by_id(viewer: Person, ids: list[int]) -> dict[int, IdeaRow]:
    """Return those of these ideas that the viewer may know of, as lists show them."""
    return {row.id: IdeaRow(*row) for row in db.session.execute(*_rows(viewer, ids=ids))}


def select_rows(viewer: Person) -> Select[*tuple[Any, ...]]:
    """Select what a row shows; whoever uses this says which ideas, starting from what the viewer may see."""
    cast = voted_by(viewer) if viewer.is_signed_in else sa.false()
    return select(
        Idea.id,
        Idea.title,
        Idea.excerpt,
        Idea.status,
        Idea.publication,
        Idea.votes,
        Idea.comments,
        Idea.published_at,
        Idea.answered_at,
        Idea.due_at,
        Board.name.label("board_name"),
        Board.slug.label("board_slug"),
        cast.label("cast"),
        Idea.board_id,
        Idea.stage,
    ).join(Board, Board.id == Idea.board_id)


def just_shipped(viewer: Person, session: Session | None = None, limit: int = 3) -> list[Shipped]:
    """Return what was shipped last."""
    latest = [
        select(Idea.id).where(is_out_for(viewer), Idea.status == status)
        .order_by(Idea.status_since.desc()).limit(limit).subquery()
        for status in GOT
    ]  # fmt: skip
    newest = select(Idea.id, Idea.title, Idea.votes).where(sa.or_(*(Idea.id.in_(select(each.c.id)) for each in latest)))
    rows = (session or db.session).execute(newest.order_by(Idea.status_since.desc()).limit(limit))
    return [Shipped(*row) for row in rows]


def count_shipped(board_ids: Sequence[int]) -> int:
    """Count the ideas of these boards that people have got."""
    got = select(sa.func.count()).select_from(Idea).where(Idea.publication == Publication.PUBLISHED)
    return db.session.scalar(got.where(Idea.board_id.in_(board_ids), Idea.status.in_(GOT))) or 0


def count_mine(viewer: Person) -> int:
    """Count the ideas this person posted and did not take back."""
    if not viewer.is_signed_in:
        return 0
    return db.session.scalar(*_number_of_own(viewer)) or 0


@built_once
def _page(
    viewer: Person,
    sort: str,
    status: str,
    who: str,
    *,
    most: int,
    board: str | None = None,
    tag: str | None = None,
    shipped_after: datetime | None = None,
    after_value: Any = None,
    after_id: int | None = None,
) -> Select[*tuple[Any, ...]]:
    column = SORTS[sort]
    wanted = select_rows(viewer).add_columns(column.label("sort_value"))
    mine = is_seen_by(viewer) & (Idea.author_id == viewer.id)
    wanted = wanted.where(mine if who == "mine" else is_out_for(viewer))
    if who == "voted":
        wanted = wanted.where(voted_by(viewer) if viewer.is_signed_in else sa.false())
    if board is not None:
        wanted = wanted.where(Idea.board_id == select(Board.id).where(Board.slug == board).scalar_subquery())
    if tag is not None:
        tagged = select(idea_tags.c.idea_id).join(Tag, Tag.id == idea_tags.c.tag_id).where(Tag.name == tag)
        wanted = wanted.where(Idea.id.in_(tagged))
    if sort == "answered":
        wanted = wanted.where(Idea.answered_at.is_not(None))
    if status not in {"", "all"}:
        wanted = wanted.where(Idea.status == Status(status))
    elif shipped_after is not None:
        shipped_lately = (Idea.status == Status.SHIPPED) & (Idea.status_since > shipped_after)
        wanted = wanted.where(Idea.status.in_(CURRENT) | shipped_lately)
    elif not who:
        wanted = wanted.where(Idea.status != Status.MERGED)
    if after_id is not None:
        place = sa.tuple_(sa.type_coerce(after_value, column.type), sa.type_coerce(after_id, sa.Integer()))
        wanted = wanted.where(sa.tuple_(column, Idea.id) < place)
    return wanted.order_by(column.desc(), Idea.id.desc()).limit(most)


@built_once
def _rows(viewer: Person, *, ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return select_rows(viewer).where(Idea.id.in_(ids), only_checked(is_seen_by(viewer)))


@built_once
def _number_of_own(viewer: Person) -> Select[int]:
    own = select(sa.func.count()).select_from(Idea).where(Idea.author_id == viewer.id, is_seen_by(viewer))
    return own.where(Idea.publication != Publication.REMOVED)
