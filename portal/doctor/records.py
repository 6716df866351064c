"""Whether what is written down twice says the same: counters and rows, promises, merges, the workflow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.boards.models import Board
from portal.comments.models import Comment, Helpful
from portal.db import db, only_checked
from portal.doctor.findings import Findings, broken, ok
from portal.ideas.models import Idea, Objection, Vote
from portal.ideas.promised import Promise
from portal.ideas.supporters import is_counted, is_set_apart
from portal.ideas.workflow import Publication, Status
from portal.workflows.checks import problems
from portal.workflows.queries import count_ideas, now_held


def counters() -> Findings:
    """Whether counters equal the rows they count."""
    wrong = [sentence for look in (_votes, _comments, _helpful, _ideas) for sentence in look()]
    if not wrong:
        yield ok("The counters of votes, comments, thanks and ideas equal what they count.")
    for sentence in wrong:
        yield broken(sentence)


def promises() -> Findings:
    """Whether ideas owe their next word by the day that the ledger says."""
    owing = (Status.NEW, Status.UNDER_REVIEW, Status.PLANNED, Status.IN_PROGRESS)
    running = select(Promise.id).where(Promise.idea_id == Idea.id, Promise.ended_at.is_(None))
    noted = running.where(Promise.due_at == Idea.due_at).exists()
    shown = (Idea.publication == Publication.PUBLISHED) & Idea.status.in_(owing)
    apart = select(Idea.id).where(
        shown, sa.or_(Idea.due_at.is_not(None) & ~noted, Idea.due_at.is_(None) & running.exists())
    )
    wrong = db.session.scalars(apart.order_by(Idea.id)).all()
    if not wrong:
        yield ok("The ledger of promises says the same as the ideas.")
    for idea_id in wrong:
        yield broken(f"Idea {idea_id} owes its next word by another day than the ledger of promises says.")


def merges() -> Findings:
    """Whether each merged idea leads to one that is not."""
    main = aliased(Idea)
    linked = Idea.merged_into_id.is_not(None)
    unsound = db.session.scalars(
        select(Idea.id)
        .outerjoin(main, main.id == Idea.merged_into_id)
        .where(sa.or_(linked != (Idea.status == Status.MERGED), main.merged_into_id.is_not(None)))
        .order_by(Idea.id)
    ).all()
    merged = db.session.scalar(select(sa.func.count()).where(linked)) or 0
    astray = db.session.scalars(
        select(Objection.idea_id).join(Idea, Idea.id == Objection.idea_id).where(Objection.ended_at.is_(None), ~linked)
    ).all()
    if astray:
        yield broken(f"Objections stand against no merge for {_some(astray)}.")
    if unsound:
        yield broken(f"Merges do not lead to a main idea for {_some(unsound)}.")
    else:
        yield ok(f"All {merged} merged ideas lead to a main idea." if merged else "No idea is merged.")


def workflow() -> Findings:
    """Whether every idea stands where the workflow knows."""
    against = problems(now_held()[1], count_ideas(None))
    yield from map(broken, against)
    if not against:
        yield ok("Every idea stands where the workflow knows, and can go on from there.")


def _votes() -> Iterator[str]:
    """Count people behind ideas that others were merged into, and for all others the rows, which is quicker."""
    joined = aliased(Idea)
    is_main = Idea.merged_into_id.is_(None) & select(joined.id).where(joined.merged_into_id == Idea.id).exists()
    given = select(Vote.idea_id, sa.func.count().label("votes")).where(is_counted(Vote)).group_by(Vote.idea_id)
    yield from _differences("Votes of idea", Idea.id, Idea.votes, given.subquery(), ~is_main)
    main = sa.func.coalesce(Idea.merged_into_id, Idea.id).label("main_id")
    people = sa.func.count(sa.distinct(Vote.voter_id)).label("people")
    counts = Idea.merged_into_id.is_(None) | ~is_set_apart(Vote.idea_id, Vote.voter_id)
    behind = select(main, people).join(Vote, Vote.idea_id == Idea.id).where(counts, is_counted(Vote))
    behind = behind.where(is_main | Idea.merged_into_id.is_not(None)).group_by(main)
    yield from _differences("Votes of idea", Idea.id, Idea.votes, behind.subquery(), is_main)


def _comments() -> Iterator[str]:
    counted = select(Comment.idea_id, sa.func.count().label("comments")).where(Comment.deleted_at.is_(None))
    yield from _differences("Comments of idea", Idea.id, Idea.comments, counted.group_by(Comment.idea_id).subquery())


def _helpful() -> Iterator[str]:
    counted = select(Helpful.comment_id, sa.func.count().label("people")).group_by(Helpful.comment_id).subquery()
    yield from _differences("Thanks for comment", Comment.id, Comment.helpful, counted)


def _ideas() -> Iterator[str]:
    shown = (Idea.publication == Publication.PUBLISHED) & (Idea.status != Status.MERGED)
    counted = select(Idea.board_id, sa.func.count().label("ideas")).where(shown).group_by(Idea.board_id).subquery()
    yield from _differences("Ideas on board", Board.id, Board.ideas, counted)


def _differences(
    what: str,
    key: sa.orm.InstrumentedAttribute[int],
    counter: sa.orm.InstrumentedAttribute[int],
    counted: sa.Subquery,
    where: sa.ColumnElement[bool] | None = None,
) -> Iterator[str]:
    there = sa.func.coalesce(counted.c[1], 0)
    rows = select(key, counter, there).outerjoin(counted, counted.c[0] == key).where(counter != there).order_by(key)
    found = db.session.execute(rows if where is None else rows.where(only_checked(where))).all()
    for number, kept, real in found[:3]:
        yield f"{what} {number}: the counter says {kept}, there are {real}."
    if len(found) > 3:
        yield f"{what}: {len(found) - 3} more counters are wrong."


def _some(ids: Sequence[int]) -> str:
    return f"idea {', '.join(map(str, ids[:5]))}" + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
