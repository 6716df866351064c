"""Who may hear of a change, asked at the moment of sending; and whether whoever listens is still who they were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, select

from portal.accounts.models import AuthSession, Guest, Person, User
from portal.accounts.queries import ends_at
from portal.accounts.roles import STAFF_READERS
from portal.boards.models import Audience, Board, BoardMember
from portal.boards.queries import audiences_of, is_known_to, is_worked_on_by
from portal.db import db, utcnow
from portal.ideas.models import Idea
from portal.ideas.queries import is_seen_by
from portal.live.changes import Change
from portal.options import option

AT_A_TIME = 2_000
ACCOUNT = (
    User.role, User.approved_at, User.suspended_at, User.suspended_until, User.erased_at, User.leaves_at,
    User.has_board_roles,
)  # fmt: skip
"""What of an account decides what it may see; where any of it changes, listening ends and is asked for anew."""


def open_to_all(changes: Iterable[Change]) -> set[Change]:
    """Return the changes that any visitor may see, and so everybody: one statement for all ideas."""
    changes, guest = list(changes), Guest()
    ideas = {change.idea_id for change in changes if change.idea_id is not None}
    seen = set(db.session.scalars(select(Idea.id).where(Idea.id.in_(ideas), is_seen_by(guest)))) if ideas else set()
    return {change for change in changes if (change.idea_id in seen if change.idea_id else _sees(guest, change, False))}


def who_may_hear(change: Change, user_ids: Collection[int], team: bool = False) -> set[int]:
    """Return who of these may see what changed now; with ``team``, who works on its board as well.

    People of whom all is equal that decides are asked about once.
    """
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    author = db.session.scalar(select(Idea.author_id).where(Idea.id == change.idea_id)) if change.idea_id else None
    for user_id, *account in _accounts(user_ids, change.board_id):
        alike[(*account, user_id == author)].append(user_id)
    allowed: set[int] = set()
    for same in alike.values():
        person = db.session.get(User, same[0])
        if person is not None and person.is_active and not person.is_leaving and _sees(person, change, team):
            allowed.update(same)
    return allowed


def what_one_may_hear(changes: Iterable[Change], viewer: Person, topics: frozenset[str]) -> list[Change]:
    """Return the changes of these topics that one person may see, each with what they may know of it."""
    wanted = [change for change in changes if change.topics & topics]
    ideas = {change.idea_id for change in wanted if change.idea_id is not None}
    rows = select(Idea.id, Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer))))
    seen: dict[int, bool] = {}
    if ideas:
        seen = {row[0]: bool(row[1]) for row in db.session.execute(rows.where(Idea.id.in_(ideas), is_seen_by(viewer)))}
    found = []
    for change in wanted:
        if change.idea_id is None:
            shown = change if _sees(viewer, change, False) else None
        elif change.idea_id not in seen:
            shown = None
        else:
            whole = "triage" in topics and seen[change.idea_id]
            shown = change if whole else change.in_public if change.topics & (topics - {"triage"}) else None
        if shown is not None:
            found.append(shown)
    return found


def house_rules() -> tuple[Any, ...]:
    """Return what decides for everybody whether they may listen at all."""
    return (option("reading"), tuple(option("second_factor")))


def marks(sessions: Collection[str]) -> dict[str, int]:
    """Return, for each session that there is, a mark that changes with anything that decides what its owner may.

    Asked for everybody every few seconds, so values are taken as the database gives them.
    """
    rows = [row for some in in_parts(sessions) for row in db.session.execute(_MARKS, {"sessions": some})]
    places = _places({row.user_id for row in rows if row.has_board_roles})
    return {row[0]: hash((row[1:], places.get(row.user_id))) for row in rows}


def run_out(sessions: Collection[str]) -> set[str]:
    """Return which of these sessions have not been used for too long, or are too old."""
    held, now = AuthSession, utcnow()
    columns = (held.token_hash, held.seen_at, held.created_at, held.expires_at, held.idle_seconds)
    rows = select(*columns, User.role, User.approved_at).join(User, User.id == held.user_id)
    return {
        row.token_hash
        for some in in_parts(sessions)
        for row in db.session.execute(rows.where(held.token_hash.in_(some)))
        if ends_at(row, row.approved_at is not None and row.role in STAFF_READERS) < now
    }


def in_parts(things: Collection[Any]) -> Iterator[list[Any]]:
    """Return very many things as lists that fit into one statement each."""
    whole = list(things)
    return (whole[place : place + AT_A_TIME] for place in range(0, len(whole), AT_A_TIME))


def _raw(column: Any) -> Any:
    return sa.type_coerce(column, sa.String).label(column.key)


_MARKS = (
    select(
        AuthSession.token_hash, AuthSession.user_id, *map(_raw, (AuthSession.second, AuthSession.expires_at, *ACCOUNT))
    )
    .join(User, User.id == AuthSession.user_id)
    .where(AuthSession.token_hash.in_(sa.bindparam("sessions", expanding=True)))
)


def _sees(viewer: Person, change: Change, team: bool) -> bool:
    if change.idea_id is not None:
        seen: ColumnElement[bool] = is_seen_by(viewer)
        if team:
            seen &= Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer)))
        return db.session.scalar(select(Idea.id).where(Idea.id == change.idea_id, seen)) is not None
    if change.board_id is None:
        return Audience.PUBLIC in audiences_of(viewer)
    known = select(Board.id).where(Board.id == change.board_id, is_known_to(viewer))
    return db.session.scalar(known) is not None


def _accounts(user_ids: Collection[int], board_id: int | None) -> Iterable[Sequence[Any]]:
    here = (BoardMember.user_id == User.id) & (BoardMember.board_id == board_id)
    accounts = select(User.id, *ACCOUNT, BoardMember.role).outerjoin(BoardMember, here)
    for some in in_parts(user_ids):
        yield from db.session.execute(accounts.where(User.id.in_(some)))


def _places(user_ids: Collection[int]) -> dict[int, frozenset[tuple[int, Any]]]:
    found: dict[int, set[tuple[int, Any]]] = defaultdict(set)
    places = select(BoardMember.user_id, BoardMember.board_id, BoardMember.role)
    for some in in_parts(user_ids):
        for user_id, board_id, role in db.session.execute(places.where(BoardMember.user_id.in_(some))):
            found[user_id].add((board_id, role))
    return {user_id: frozenset(theirs) for user_id, theirs in found.items()}
