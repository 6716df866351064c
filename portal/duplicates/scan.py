"""Looking for likely pairs: of ideas that changed as soon as they did, and once through all that was there before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from portal.db import db, insert_if_absent, utcnow
from portal.duplicates import finder
from portal.duplicates.finder import Likeness
from portal.duplicates.models import Found, Pair, Proposal, Scan, State, ToCompare
from portal.duplicates.weighing import weigh
from portal.events import Recorded
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication, Status
from portal.search.engine import NeedsRebuild
from portal.search.models import IndexTask
from portal.transactions import transaction

BATCH = 20
LOOK_AGAIN = timedelta(minutes=1)  # at an idea that the index did not know yet

Suggestions = dict[int, list[Likeness] | None]


def compare_idea(recorded: Recorded) -> None:
    """Note that the idea of this event has to be compared with all others."""
    note(recorded.event.idea_id)


def note(idea_id: int) -> None:
    """Have the worker look for duplicates of this idea soon."""
    if not insert_if_absent(ToCompare, idea_id=idea_id, asked_at=utcnow()):
        db.session.execute(sa.update(ToCompare).where(ToCompare.idea_id == idea_id).values(asked_at=utcnow()))


def look() -> int:
    """Look for duplicates of some ideas that changed, or go on through the archive; return how many were looked at."""
    try:
        return _look_at_changed() or _go_on()
    except NeedsRebuild:
        return 0  # the index is being built; nothing is lost meanwhile


def scan_all(on_progress: Callable[[int, int], None] = lambda _done, _total: None) -> int:
    """Look through the whole archive from the start; return how many ideas there were. Raises NeedsRebuild."""
    with transaction(wake=False):
        db.session.execute(sa.delete(Scan))
    looked = 0
    while number := _go_on():
        looked += number
        scan = db.session.get_one(Scan, 1)
        on_progress(scan.done, scan.total)
    return looked


def _look_at_changed() -> int:
    unread = select(IndexTask.idea_id)
    due = select(ToCompare).where(ToCompare.asked_at <= utcnow(), ToCompare.idea_id.not_in(unread))
    asked = {task.idea_id: task.asked_at for task in db.session.scalars(due.order_by(ToCompare.asked_at).limit(BATCH))}
    if not asked:
        return 0
    found = _suggestions(select(Idea).where(Idea.id.in_(asked)))
    with transaction(wake=False):
        for idea_id, asked_at in asked.items():
            db.session.execute(sa.delete(ToCompare).where(ToCompare.idea_id == idea_id, ToCompare.asked_at <= asked_at))
        _keep(found)
        _forget_others(found)
    return len(asked)


def _go_on() -> int:
    """Look at the next ideas of the archive; what is looked at twice is found once."""
    scan = db.session.get(Scan, 1)
    last = scan.last_id if scan else 0
    batch = select(Idea).where(Idea.id > last).order_by(Idea.id).limit(BATCH)
    ids = list(db.session.scalars(batch.with_only_columns(Idea.id)))
    if not ids:
        if scan is not None and scan.done_at is None:
            with transaction(wake=False):
                db.session.get_one(Scan, 1).done_at = utcnow()
        return 0
    found = _suggestions(batch)
    with transaction(wake=False):
        scan = db.session.get(Scan, 1)
        if scan is None:
            insert_if_absent(Scan, id=1, last_id=0, done=0, total=_count_ideas(), started_at=utcnow())
            scan = db.session.get_one(Scan, 1)
        if scan.last_id == last:  # nobody else has been here
            _keep(found)
            scan.last_id, scan.done = ids[-1], scan.done + len(ids)
            scan.total = max(scan.total, scan.done)
    return len(ids)


def _suggestions(ideas: sa.Select[Idea]) -> Suggestions:
    """Ask the engine for each of these ideas that is out; None for one that the index does not know yet."""
    out = ideas.where(Idea.publication == Publication.PUBLISHED, Idea.status != Status.MERGED)
    found: Suggestions = {}
    for idea in db.session.scalars(out):
        found[idea.id] = finder.suggestions(idea)
    return found


def _keep(found: Suggestions) -> None:
    """Write what was found; on pairs that were decided nothing changes."""
    for idea_id, alike in found.items():
        if alike is None:
            insert_if_absent(ToCompare, idea_id=idea_id, asked_at=utcnow() + LOOK_AGAIN)
        for one in alike or ():
            _keep_pair(idea_id, one)


def _keep_pair(idea_id: int, one: Likeness) -> None:
    first, second = sorted((idea_id, one.idea_id))
    if db.session.scalar(select(Idea.id).where(Idea.id == one.idea_id)) is None:
        return
    said: dict[str, Any] = {"strength": one.strength, "score": one.score, "rank": one.rank, "mutual": one.mutual}
    said["words"] = " ".join(sorted(one.words))
    fresh = Pair(first_id=first, second_id=second, found=Found.COMPUTED, state=State.OPEN, confirmed=False, **said)
    there = {"first_id": first, "second_id": second, "found": Found.COMPUTED, "found_at": utcnow(), **said}
    if insert_if_absent(Pair, **there, state=State.OPEN, confirmed=False, weight=weigh(fresh, ())):
        return
    pair = db.session.scalar(select(Pair).where(Pair.first_id == first, Pair.second_id == second))
    if pair is None or pair.state is not State.OPEN:
        return
    pair.mutual, pair.rank = pair.mutual or one.mutual, min(pair.rank or one.rank, one.rank)
    if pair.score is None or pair.score < one.score:
        pair.strength, pair.score, pair.words = one.strength, one.score, " ".join(sorted(one.words))
    pair.weight = weigh(pair, db.session.scalars(select(Proposal).where(Proposal.pair_id == pair.id)).all())


def _forget_others(found: Suggestions) -> None:
    """Forget what was computed of these ideas as they read before, unless somebody said or decided something on it."""
    for idea_id, alike in found.items():
        if alike is None:
            continue
        kept = [one.idea_id for one in alike]
        computed = (Pair.state == State.OPEN, Pair.found == Found.COMPUTED, Pair.id.not_in(select(Proposal.pair_id)))
        for here, there in ((Pair.first_id, Pair.second_id), (Pair.second_id, Pair.first_id)):
            db.session.execute(sa.delete(Pair).where(here == idea_id, there.not_in(kept), *computed))


def _count_ideas() -> int:
    return db.session.scalar(select(sa.func.count()).select_from(Idea)) or 0
