"""Reading ideas, each time from what the viewer may see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from flask import abort
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Person
from portal.accounts.readers import built_once
from portal.accounts.roles import TRIAGERS
from portal.boards.models import Board
from portal.boards.queries import is_known_to, is_worked_on_by, keeps_apart
from portal.db import db
from portal.ideas.models import Answer, Draft, Idea, Revision, StatusChange, Tag, idea_tags
from portal.ideas.workflow import Publication, Status

_NUMBER = re.compile(r"#?(\d{1,9})|(?:https?://[^/\s]+)?/(?:[\w-]+/)*?ideas/(\d{1,9})(?:[/?#]\S*)?")


def number_in(text: str) -> int | None:
    """Return the number of the idea that somebody means who types a number or pastes an address; None for words."""
    found = _NUMBER.fullmatch(text.strip())
    return int(found[1] or found[2]) if found else None


def is_seen_by(viewer: Person) -> ColumnElement[bool]:
    """Say which ideas this viewer may know of: the one rule that every read of ideas starts from."""
    there, published = is_within_reach_of(viewer), Idea.publication == Publication.PUBLISHED
    if viewer.is_triager:
        return there & (Idea.publication != Publication.REMOVED)
    if not viewer.is_signed_in:
        return there & published
    mine = Idea.author_id == viewer.id
    if viewer.has_board_roles:
        mine |= Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer, TRIAGERS)))
    return there & (published | (mine & Idea.publication.in_([Publication.HELD, Publication.HIDDEN])))


def is_out_for(viewer: Person) -> ColumnElement[bool]:
    """Say which ideas are published where this viewer may look: what lists show, and an index can answer."""
    return is_within_reach_of(viewer) & (Idea.publication == Publication.PUBLISHED)


def is_within_reach_of(viewer: Person) -> ColumnElement[bool]:
    """Say which ideas are on a board this viewer knows; where members are kept apart, their own."""
    boards = select(Board.id).where(is_known_to(viewer))
    if viewer.reads_as_staff:
        return Idea.board_id.in_(boards)
    if viewer.standing is None:
        return Idea.board_id.in_(boards.where(~keeps_apart(viewer)))
    apart = select(Board.id).where(keeps_apart(viewer))
    return Idea.board_id.in_(boards) & ((Idea.author_id == viewer.id) | Idea.board_id.not_in(apart))


def ideas_visible_to(viewer: Person) -> Select[Idea]:
    """Every read of ideas starts here, so that what is hidden stays hidden."""
    return select(Idea).where(is_seen_by(viewer))


def get_idea(idea_id: int, viewer: Person) -> Idea:
    """Return the idea with all that its page shows of it, or answer 404."""
    return db.session.scalar(*_with_all_shown(viewer, idea_id=idea_id)) or abort(404)


def get_idea_alone(idea_id: int, viewer: Person) -> Idea:
    """Return the idea without what its page shows beside it, or answer 404."""
    return db.session.scalar(*_one(viewer, idea_id=idea_id)) or abort(404)


def main_of(idea: Idea, viewer: Person) -> Idea | None:
    """Return the idea that this one was merged into, if the viewer may know of it."""
    return db.session.scalar(*_one(viewer, idea_id=idea.merged_into_id)) if idea.merged_into_id else None


def status_changes(idea: Idea, viewer: Person) -> list[StatusChange]:
    """Return every move of the idea, oldest first, and merges with ideas that the viewer may know of."""
    return list(db.session.scalars(*_moves_known_to(viewer, idea_id=idea.id)))


def answers(idea: Idea) -> list[Answer]:
    """Return the official answers, newest first: the first is the one that is pinned."""
    return list(db.session.scalars(*_answers_to(idea_id=idea.id)))


def revisions(idea: Idea) -> list[Revision]:
    """Return what the idea said before its edits, newest first."""
    return list(db.session.scalars(select(Revision).where(Revision.idea_id == idea.id).order_by(Revision.id.desc())))


def draft_of(user: Person) -> Draft | None:
    """Return what this member has typed and not posted."""
    return db.session.get(Draft, user.id) if user.is_signed_in else None


def tags_in_use(board_ids: Sequence[int], limit: int = 40) -> list[str]:
    """Return the tags of what is published on these boards, the commonest first."""
    visible = select(Idea.id).where(Idea.board_id.in_(board_ids), Idea.publication == Publication.PUBLISHED)
    used = (
        select(Tag.name)
        .join(idea_tags, idea_tags.c.tag_id == Tag.id)
        .where(idea_tags.c.idea_id.in_(visible))
        .group_by(Tag.id, Tag.name)
        .order_by(sa.func.count().desc(), Tag.name)
    )
    return list(db.session.scalars(used.limit(limit)))


def holds_ideas(board: Board) -> bool:
    """Whether anything was ever posted there, hidden and taken back included."""
    return db.session.scalar(select(Idea.id).where(Idea.board_id == board.id).limit(1)) is not None


def is_open(idea: Idea) -> bool:
    """Whether the idea is still being looked at, so that its author may change the words."""
    return idea.rule.takes_edits


def usual_days_to_answer(board_ids: Sequence[int], since: datetime) -> int | None:
    """Return in how many days the team usually says its first word there: the median since then, None if unknown."""
    waits = [
        (answered - published).days
        for published, answered in db.session.execute(
            select(Idea.published_at, sa.func.min(StatusChange.at))
            .join(StatusChange, StatusChange.idea_id == Idea.id)
            .where(Idea.publication == Publication.PUBLISHED, Idea.published_at >= since)
            .where(Idea.board_id.in_(board_ids))
            .where(StatusChange.source == Status.NEW, StatusChange.undone_at.is_(None))
            .group_by(Idea.id, Idea.published_at)
            .limit(500)
        )
    ]
    return sorted(waits)[len(waits) // 2] if waits else None


@built_once
def _one(viewer: Person, *, idea_id: int) -> Select[Idea]:
    return ideas_visible_to(viewer).where(Idea.id == idea_id)


@built_once
def _with_all_shown(viewer: Person, *, idea_id: int) -> Select[Idea]:
    shown = ideas_visible_to(viewer).where(Idea.id == idea_id)
    return shown.options(
        joinedload(Idea.board),
        joinedload(Idea.author),
        joinedload(Idea.owner),
        joinedload(Idea.merged_into),
        selectinload(Idea.tags),  # joined, SQLite reads the tags of all ideas first
    )


@built_once
def _moves_known_to(viewer: Person, *, idea_id: int) -> Select[StatusChange]:
    known = select(Idea.id).where(is_seen_by(viewer))
    own = (StatusChange.idea_id == idea_id) & (StatusChange.into_id.is_(None) | StatusChange.into_id.in_(known))
    others = (StatusChange.into_id == idea_id) & StatusChange.idea_id.in_(known)
    moves = select(StatusChange).where(own | others, StatusChange.undone_at.is_(None))
    loaded = moves.options(joinedload(StatusChange.actor), joinedload(StatusChange.idea), joinedload(StatusChange.into))
    return loaded.order_by(StatusChange.at, StatusChange.id)


@built_once
def _answers_to(*, idea_id: int) -> Select[Answer]:
    said = select(Answer).where(Answer.idea_id == idea_id, Answer.taken_back_at.is_(None))
    return said.options(joinedload(Answer.author)).order_by(Answer.at.desc(), Answer.id.desc())
