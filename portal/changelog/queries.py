"""Reading the changelog, from what the viewer may see: entries by their board, ideas and people by the ideas'."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import abort
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from portal.accounts.models import Person, User
from portal.accounts.roles import DECIDERS
from portal.boards.models import Audience, Board
from portal.boards.queries import audiences_of, is_known_to, is_worked_on_by
from portal.changelog.models import Choice, Credit, CreditChoice, Entry, Part, Shipment
from portal.db import UTCDateTime, db, lookup, utcnow
from portal.ideas.models import Idea, Vote
from portal.ideas.queries import is_out_for, is_seen_by
from portal.ideas.supporters import is_counted, is_set_apart
from portal.ideas.workflow import Status

PAGE = 20
MOST_OFFERED = 60
COMING, OUT = (Status.IN_PROGRESS, Status.PLANNED), (Status.SHIPPED, Status.CONFIRMED, Status.AVAILABLE)
LATELY = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Thanks:
    """Somebody who agreed to be named, and what they did."""

    user: User
    part: Part


@dataclass(frozen=True, slots=True)
class Telling:
    """One entry with what a viewer may know of how it came about."""

    entry: Entry
    ideas: list[Idea] = field(default_factory=list)
    asked: int = 0  # people behind those ideas, each once
    thanks: list[Thanks] = field(default_factory=list)
    unnamed: int = 0  # had a part too, and are not named

    dom_class = "entry"

    @property
    def id(self) -> int:
        """The entry's number."""
        return self.entry.id


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page of the changelog, and the place where the next one begins."""

    tellings: list[Telling]
    next_place: tuple[datetime, int] | None


@dataclass(frozen=True, slots=True)
class Shipped:
    """An idea that came out lately."""

    id: int
    title: str
    votes: int
    at: datetime
    entry_id: int | None
    first: str  # who suggested it, if they agreed to be named


def is_read_by(viewer: Person) -> ColumnElement[bool]:
    """Say which entries are out where this viewer may look."""
    known = Entry.board_id.in_(select(Board.id).where(is_known_to(viewer)))
    everywhere = Entry.board_id.is_(None) if Audience.PUBLIC in audiences_of(viewer) else sa.false()
    return Entry.published_at.is_not(None) & sa.or_(known, everywhere)


def is_written_by(viewer: Person) -> ColumnElement[bool]:
    """Say which entries, drafts too, this viewer may write: about boards on which they decide, or about all."""
    theirs: ColumnElement[bool] = Entry.board_id.in_(select(Board.id).where(is_worked_on_by(viewer, DECIDERS)))
    return theirs | Entry.board_id.is_(None) if viewer.is_decider else theirs


def get_entry(entry_id: int, viewer: Person) -> Entry:
    """Return an entry that the viewer may read or write, or answer 404."""
    seen = is_read_by(viewer) | is_written_by(viewer) if viewer.is_signed_in else is_read_by(viewer)
    return _first(select(Entry).where(Entry.id == entry_id, seen)) or abort(404)


def find_written(entry_id: int, viewer: Person) -> Entry | None:
    """Return an entry that the viewer may write, if it is there."""
    return _first(select(Entry).where(Entry.id == entry_id, is_written_by(viewer)))


def drafts_of(viewer: Person) -> list[Entry]:
    """Return what is not out and this viewer may write: what has a date first, then the newest."""
    drafts = select(Entry).where(Entry.published_at.is_(None), is_written_by(viewer)).options(joinedload(Entry.board))
    return list(db.session.scalars(drafts.order_by(Entry.publish_at.is_(None), Entry.publish_at, Entry.id.desc())))


def list_entries(viewer: Person, board: Board | None = None, after: tuple[datetime, int] | None = None) -> EntryPage:
    """Return a page of what is out, newest first."""
    wanted = select(Entry).where(is_read_by(viewer)).options(joinedload(Entry.board), joinedload(Entry.author))
    if board is not None:
        wanted = wanted.where(Entry.board_id == board.id)
    if after is not None:
        place = sa.tuple_(sa.literal(after[0], UTCDateTime), sa.literal(after[1]))
        wanted = wanted.where(sa.tuple_(Entry.published_at, Entry.id) < place)
    newest = wanted.order_by(Entry.published_at.desc(), Entry.id.desc()).limit(PAGE + 1)
    found = list(db.session.scalars(newest))
    last = found[PAGE - 1] if len(found) > PAGE else None
    return EntryPage(tell(found[:PAGE], viewer), (last.published_at, last.id) if last and last.published_at else None)


def newest_on(board_id: int | None, limit: int = 10) -> list[int]:
    """Return the entries that came out today on one board, or about all boards; whoever asks says who may know."""
    out = select(Entry.id).where(Entry.published_at > utcnow() - timedelta(days=1), Entry.board_id == board_id)
    return list(db.session.scalars(out.order_by(Entry.published_at.desc(), Entry.id.desc()).limit(limit)))


def tell(entries: Sequence[Entry], viewer: Person) -> list[Telling]:
    """Return the entries with their ideas and people, as far as the viewer may know of them: three statements."""
    ids = [entry.id for entry in entries]
    if not ids:
        return []
    linked = db.session.execute(
        select(Shipment.entry_id, Idea)
        .join(Idea, Idea.id == Shipment.idea_id)
        .where(Shipment.entry_id.in_(ids), is_seen_by(viewer))
        .order_by(Idea.votes.desc(), Idea.id)
    )
    ideas: dict[int, list[Idea]] = defaultdict(list)
    for entry_id, idea in linked:
        ideas[entry_id].append(idea)
    asked = _count_people({entry_id: told for entry_id, told in ideas.items() if len(told) > 1})
    asked |= {entry_id: told[0].votes for entry_id, told in ideas.items() if len(told) == 1}
    seen = {idea.id for told in ideas.values() for idea in told}
    named, unnamed = _people(ids, seen) if seen else ({}, {})
    return [
        Telling(
            entry,
            ideas.get(entry.id, []),
            asked.get(entry.id, 0),
            named.get(entry.id, []),
            unnamed.get(entry.id, 0),
        )
        for entry in entries
    ]


def entry_of(idea: Idea, viewer: Person) -> Entry | None:
    """Return the newest entry that tells of the idea: its release note."""
    telling = select(Entry).join(Shipment, Shipment.entry_id == Entry.id).where(Shipment.idea_id == idea.id)
    return db.session.scalar(telling.where(is_read_by(viewer)).order_by(Entry.published_at.desc()).limit(1))


def shipped_lately(viewer: Person, limit: int = 3) -> list[Shipped]:
    """Return the ideas that came out last, with their entry, and who began them if they agreed to be named."""
    readable = select(Entry.id).where(is_read_by(viewer))
    entry_id = select(sa.func.max(Shipment.entry_id)).where(
        Shipment.idea_id == Idea.id, Shipment.entry_id.in_(readable)
    )
    rows = db.session.execute(
        select(Idea.id, Idea.title, Idea.votes, Idea.status_since, entry_id.scalar_subquery().label("entry_id"))
        .where(is_out_for(viewer), Idea.status.in_([Status.SHIPPED, Status.CONFIRMED]))
        .order_by(Idea.status_since.desc(), Idea.id.desc())
        .limit(limit)
    ).all()
    entries = [row.entry_id for row in rows if row.entry_id]
    named, _others = _people(entries, {row.id for row in rows}, only_first=True) if entries else ({}, {})
    firsts = {(entry, thanks.user.id): thanks.user.name for entry, people in named.items() for thanks in people}
    authors = _authors([row.id for row in rows]) if firsts else {}
    return [
        Shipped(
            row.id, row.title, row.votes, row.status_since, row.entry_id,
            firsts.get((row.entry_id or 0, authors.get(row.id) or 0), ""),
        )
        for row in rows
    ]  # fmt: skip


def shipments_of(entry: Entry, viewer: Person | None = None) -> list[Shipment]:
    """Return the ideas an entry tells of, or those that a viewer may know of, in the order in which all lock ideas."""
    linked = select(Shipment).where(Shipment.entry_id == entry.id).options(joinedload(Shipment.idea))
    if viewer is not None:
        linked = linked.where(Shipment.idea_id.in_(select(Idea.id).where(is_seen_by(viewer))))
    return list(db.session.scalars(linked.order_by(Shipment.idea_id)))


def ideas_to_tell_of(viewer: Person, entry: Entry | None) -> list[Idea]:
    """Return the ideas on boards where this person decides that may come out or did lately: the linked ones first."""
    theirs = Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer, DECIDERS)))
    linked = Idea.id.in_(select(Shipment.idea_id).where(Shipment.entry_id == (entry.id if entry else 0)))
    rank = sa.case({status: number for number, status in enumerate((*COMING, *OUT), 1)}, value=Idea.status)
    lately = Idea.status.in_(OUT) & (Idea.status_since > utcnow() - LATELY)
    wanted = select(Idea).join(Board, Board.id == Idea.board_id).options(contains_eager(Idea.board))
    wanted = wanted.where(is_out_for(viewer), theirs, sa.or_(linked, lately, Idea.status.in_(COMING)))
    ordered = wanted.order_by(sa.case((linked, 0), else_=rank), Idea.votes.desc(), Idea.id)
    return list(db.session.scalars(ordered.limit(MOST_OFFERED)))


def ideas_by_id(viewer: Person, ids: Collection[int]) -> list[Idea]:
    """Return those of these ideas that are published on boards where this person decides."""
    theirs = Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer, DECIDERS)))
    return list(db.session.scalars(select(Idea).where(Idea.id.in_(ids), is_out_for(viewer), theirs)))


def credits_of(entry: Entry) -> list[Credit]:
    """Return everybody's part in an entry, the strongest first."""
    rows = db.session.scalars(select(Credit).where(Credit.entry_id == entry.id).options(joinedload(Credit.user)))
    return sorted(rows, key=lambda credit: (list(Part).index(credit.part), credit.user_id))


def credits_for(user: User) -> list[Credit]:
    """Return where somebody may be named, in what they may read, newest first."""
    mine = select(Credit).join(Entry, Entry.id == Credit.entry_id).where(Credit.user_id == user.id)
    readable = mine.where(is_read_by(user), Credit.idea_id.in_(select(Idea.id).where(is_seen_by(user))))
    return list(db.session.scalars(readable.options(contains_eager(Credit.entry)).order_by(Entry.id.desc())))


def get_credit(entry_id: int, user: User) -> Credit:
    """Return somebody's own part in an entry that they may read, or answer 404."""
    return next((credit for credit in credits_for(user) if credit.entry_id == entry_id), None) or abort(404)


def choice_of(user: User) -> Choice:
    """Return what somebody wants done with their name."""
    return db.session.scalar(select(CreditChoice.choice).where(CreditChoice.user_id == user.id)) or Choice.ASK


def choices_of(user_ids: Sequence[int]) -> dict[int, Choice]:
    """Return what these people want done with their names; who is not among them is to be asked."""
    rows = select(CreditChoice.user_id, CreditChoice.choice).where(CreditChoice.user_id.in_(user_ids))
    return lookup(rows)


def speaks_of(board: Board) -> bool:
    """Whether any entry, drafts too, is about this board."""
    return db.session.scalar(select(Entry.id).where(Entry.board_id == board.id).limit(1)) is not None


def _first(entries: Select[Entry]) -> Entry | None:
    return db.session.scalar(entries.options(joinedload(Entry.board), joinedload(Entry.author)))


def _count_people(ideas: dict[int, list[Idea]]) -> dict[int, int]:
    """Count who is behind the ideas of each entry, each person once, also through what was merged; no objectors."""
    if not ideas:
        return {}
    ids = {idea.id for told in ideas.values() for idea in told}
    merged = aliased(Idea)
    main = sa.func.coalesce(merged.merged_into_id, merged.id)
    behind = (
        select(Shipment.entry_id, sa.func.count(sa.distinct(Vote.voter_id)))
        .join(merged, main == Shipment.idea_id)
        .join(Vote, Vote.idea_id == merged.id)
        .where(Shipment.entry_id.in_(ideas), Shipment.idea_id.in_(ids), is_counted(Vote))
        .where(sa.or_(merged.id.in_(ids), merged.merged_into_id.in_(ids) & ~is_set_apart(Vote.idea_id, Vote.voter_id)))
        .group_by(Shipment.entry_id)
    )
    return lookup(behind)


def _people(
    entry_ids: Sequence[int], idea_ids: set[int], only_first: bool = False
) -> tuple[dict[int, list[Thanks]], dict[int, int]]:
    """Return by entry who is named, and how many others had a part, through these ideas only."""
    parts = (
        select(Credit, CreditChoice.choice)
        .join(User, User.id == Credit.user_id)
        .outerjoin(CreditChoice, CreditChoice.user_id == Credit.user_id)
        .where(Credit.entry_id.in_(entry_ids), Credit.idea_id.in_(idea_ids))
        .options(contains_eager(Credit.user))
    )
    if only_first:
        parts = parts.where(Credit.part == Part.SUGGESTED)
    named: dict[int, list[Thanks]] = defaultdict(list)
    unnamed: dict[int, int] = defaultdict(int)
    for credit, choice in db.session.execute(parts):
        if may_be_named(credit, choice):
            named[credit.entry_id].append(Thanks(credit.user, credit.part))
        else:
            unnamed[credit.entry_id] += 1
    for people in named.values():
        people.sort(key=lambda thanks: (list(Part).index(thanks.part), thanks.user.name))
    return named, unnamed


def may_be_named(credit: Credit, choice: Choice | None) -> bool:
    """Whether this entry may say the person's name: they said so, and are still here."""
    if credit.user.is_former or not credit.user.is_active or choice is Choice.NEVER:
        return False
    return choice is Choice.ALWAYS or credit.agreed is True


def _authors(idea_ids: Sequence[int]) -> dict[int, int | None]:
    return lookup(select(Idea.id, Idea.author_id).where(Idea.id.in_(idea_ids)))
