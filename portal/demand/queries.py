"""Reading receipts: one's own, and on an idea those the team may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import abort
from sqlalchemy import select
from sqlalchemy.orm import aliased, joinedload

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.db import db
from portal.demand.models import Origin, Receipt, Way
from portal.ideas.models import Idea
from portal.ideas.queries import ideas_visible_to, is_seen_by
from portal.ideas.supporters import Ballot, is_set_apart

LINES = 50  # of those who say that theirs differs, the newest


@dataclass(frozen=True, slots=True)
class Backing:
    """What one person can do about an idea that looks like the one they type: all that the panel offers there."""

    ballot: Ballot
    typed: str
    origin: Origin = Origin.TYPED
    receipt: Receipt | None = None
    first: bool = False  # the best one
    in_form: bool = False  # it stands inside the form of a new idea
    saved: bool = False  # the line was just written

    @property
    def follows(self) -> bool:
        """Whether they asked to be told, where voting is closed."""
        return self.receipt is not None and self.receipt.way is Way.FOLLOW


@dataclass(frozen=True, slots=True)
class Line:
    """What one person said about how theirs differs, and what they had typed."""

    receipt: Receipt
    through: str  # the title of the merged idea that they backed; empty for the idea itself


@dataclass(frozen=True, slots=True)
class Receipts:
    """Who backed an idea instead of posting, as its team sees it."""

    idea: Idea
    people: int
    differing: int
    lines: list[Line]
    hidden: list[Line]
    typed: list[str]  # by those who said nothing more


def backings(
    ballots: Sequence[Ballot], viewer: Person, typed: str, origin: Origin = Origin.TYPED, in_form: bool = False
) -> dict[int, Backing]:
    """Return what the viewer can do about each of these ideas, the best one first."""
    mine: dict[int, Receipt] = {}
    if viewer.is_signed_in and ballots:
        left = select(Receipt).where(
            Receipt.user_id == viewer.id, Receipt.idea_id.in_([ballot.id for ballot in ballots])
        )
        mine = {receipt.idea_id: receipt for receipt in db.session.scalars(left)}
    return {
        ballot.id: Backing(ballot, typed, origin, mine.get(ballot.id), place == 0, in_form)
        for place, ballot in enumerate(ballots)
    }


def find_own(idea: Idea, viewer: Person) -> Receipt | None:
    """Return the receipt that the viewer left at this idea."""
    mine = select(Receipt).where(Receipt.idea_id == idea.id, Receipt.user_id == viewer.id)
    return db.session.scalar(mine) if viewer.is_signed_in else None


def list_own(viewer: User) -> list[Receipt]:
    """Return all that the viewer left at ideas they may still read, newest first."""
    mine = select(Receipt).join(Idea, Idea.id == Receipt.idea_id).where(Receipt.user_id == viewer.id)
    seen = mine.where(is_seen_by(viewer)).options(joinedload(Receipt.idea))
    return list(db.session.scalars(seen.order_by(Receipt.at.desc(), Receipt.id.desc())))


def get_receipt(idea: Idea, user_id: int, viewer: Person) -> Receipt:
    """Return what somebody left at this idea or one merged into it, or answer 404."""
    left = select(Receipt).where(Receipt.user_id == user_id, _counts_for(idea.id, viewer))
    return db.session.scalar(left.order_by(Receipt.idea_id != idea.id).limit(1)) or abort(404)


def receipts_of(idea: Idea, viewer: Person) -> Receipts:
    """Return who backed this idea, or one merged into it, instead of posting theirs: each person once."""
    total, differing = db.session.execute(*_people_who_left(viewer, idea_id=idea.id)).one()
    if not total:
        return Receipts(idea, 0, 0, [], [], [])
    here = _counts_for(idea.id, viewer)
    left = select(Receipt).where(here).options(joinedload(Receipt.user)).order_by(Receipt.at.desc(), Receipt.id.desc())
    lines = _lines(idea, viewer, list(db.session.scalars(left.where(Receipt.differs != "").limit(LINES))))
    silent = db.session.scalars(left.where(Receipt.differs == "").limit(LINES))
    return Receipts(
        idea,
        total,
        differing,
        [line for line in lines if line.receipt.hidden_at is None],
        [line for line in lines if line.receipt.hidden_at is not None],
        list(dict.fromkeys(receipt.typed for receipt in silent)),
    )


@built_once
def _people_who_left(viewer: Person, *, idea_id: int) -> sa.Select[int, int]:
    people = sa.func.count(sa.distinct(Receipt.user_id))
    says = (Receipt.differs != "") & Receipt.hidden_at.is_(None)
    differing = sa.func.count(sa.distinct(sa.case((says, Receipt.user_id))))
    return select(people, differing).where(_counts_for(idea_id, viewer))


def _lines(idea: Idea, viewer: Person, receipts: list[Receipt]) -> list[Line]:
    elsewhere = {receipt.idea_id for receipt in receipts} - {idea.id}
    titles: dict[int, str] = {}
    if elsewhere:
        titles = {other.id: other.title for other in db.session.scalars(_seen(elsewhere, viewer))}
    return [Line(receipt, titles.get(receipt.idea_id, "")) for receipt in receipts]


def _seen(ids: set[int], viewer: Person) -> sa.Select[Idea]:
    return ideas_visible_to(viewer).where(Idea.id.in_(ids))


def _counts_for(idea_id: int, viewer: Person) -> sa.ColumnElement[bool]:
    """Say which receipts count for an idea: those left at it, and those that came with a merge.

    Not of those who object to the merge, and only from boards of whose team the viewer is.
    """
    merged = aliased(Idea)
    boards = select(Board.id).where(is_worked_on_by(viewer))
    joined = select(merged.id).where(merged.merged_into_id == idea_id, merged.board_id.in_(boards))
    return (Receipt.idea_id == idea_id) | (
        Receipt.idea_id.in_(joined) & ~is_set_apart(Receipt.idea_id, Receipt.user_id)
    )
