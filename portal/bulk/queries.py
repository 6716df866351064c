"""Reading acts on many ideas: what would be done, what was, and what could not be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import abort
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, User
from portal.accounts.roles import ADMINS
from portal.boards.models import Board
from portal.bulk.carrying import count_states
from portal.bulk.kinds import KINDS
from portal.bulk.models import BulkAct, BulkItem, State, Step
from portal.db import db, utcnow
from portal.ideas.models import Idea
from portal.ideas.queries import is_seen_by
from portal.ideas.taking_back import fold_window
from portal.ideas.workflow import place_named
from portal.teams.models import Team

SHOWN, RECENT = 20, 50


@dataclass(frozen=True, slots=True)
class Group:
    """Ideas with which the same happened, of which some are named."""

    why: str
    number: int
    ideas: Sequence[Idea]


@dataclass(frozen=True, slots=True)
class Overview:
    """An act as its page shows it."""

    act: BulkAct
    words: str
    counts: dict[State, int]
    doing: Group
    left_out: list[Group]

    @property
    def total(self) -> int:
        """How many ideas it is about."""
        return sum(self.counts.values())

    @property
    def ahead(self) -> int:
        """How many it will be done with, or taken back from."""
        return self.counts.get(State.DONE if self.act.step is Step.UNDOING else State.WAITING, 0)

    @property
    def finished(self) -> int:
        """How many it was done with, or taken back from."""
        done = (State.UNDONE, State.KEPT) if self.act.step is Step.UNDOING else (State.DONE,)
        return sum(self.counts.get(state, 0) for state in done)

    @property
    def unheard(self) -> bool:
        """Whether nobody has had a mail of it yet."""
        return self.act.told_at is None and self.act.done_at is not None and utcnow() < self.act.done_at + fold_window()

    @property
    def undoable(self) -> bool:
        """Whether it can still be taken back."""
        until = self.act.undoable_until
        return until is not None and utcnow() < until


def get_act(act_id: int, viewer: Person) -> BulkAct:
    """Return an act of the viewer's own, or for admins of anybody's; else answer 404."""
    act = db.session.get(BulkAct, act_id)
    if act is None or not (act.actor_id == viewer.id or viewer.is_one_of(ADMINS)):
        abort(404)
    return act


def recent_acts(viewer: Person) -> list[tuple[BulkAct, str, dict[State, int]]]:
    """Return what was done lately, by the viewer or for admins by anybody, with what it was and with how many."""
    acts = select(BulkAct).where(BulkAct.step != Step.PLANNED).options(joinedload(BulkAct.actor))
    if not viewer.is_one_of(ADMINS):
        acts = acts.where(BulkAct.actor_id == viewer.id)
    found = db.session.scalars(acts.order_by(BulkAct.id.desc()).limit(RECENT)).all()
    counts = select(BulkItem.act_id, BulkItem.state, sa.func.count()).group_by(BulkItem.act_id, BulkItem.state)
    by_act: dict[int, dict[State, int]] = {}
    for act_id, state, number in db.session.execute(counts.where(BulkItem.act_id.in_([act.id for act in found]))):
        by_act.setdefault(act_id, {})[state] = number
    return [(act, words_of(act), by_act.get(act.id, {})) for act in found]


def overview(act: BulkAct, viewer: Person) -> Overview:
    """Return an act with what would happen, or has; ideas that the viewer lost sight of are counted and not named."""
    counts = count_states(act.id)
    done = {Step.PLANNED: State.WAITING, Step.UNDONE: State.UNDONE, Step.UNDOING: State.UNDONE}
    state = done.get(act.step, State.DONE)
    doing = Group("", counts.get(state, 0), _some(act, viewer, BulkItem.state == state))
    apart = BulkItem.state == (State.KEPT if act.step is Step.UNDONE else State.LEFT_OUT)
    reasons = select(BulkItem.why, sa.func.count()).where(BulkItem.act_id == act.id, apart).group_by(BulkItem.why)
    rows = db.session.execute(reasons.order_by(sa.func.count().desc(), BulkItem.why)).all()
    left_out = [Group(why, number, _some(act, viewer, apart & (BulkItem.why == why))) for why, number in rows]
    return Overview(act, words_of(act), counts, doing, left_out)


def words_of(act: BulkAct) -> str:
    """Say in a line what an act does."""
    what = act.what
    match act.kind:
        case "owner":
            owner = db.session.get(User, what["owner"]) if what["owner"] else None
            return _("Assign to %(name)s", name=owner.name) if owner else _("Assign to nobody")
        case "team":
            team = db.session.get(Team, what["team"]) if what["team"] else None
            return _("Give to the team %(name)s", name=team.name) if team else _("Give to no team")
        case "add_tags":
            return _("Add the tags %(tags)s", tags=", ".join(what["tags"]))
        case "remove_tags":
            return _("Remove the tags %(tags)s", tags=", ".join(what["tags"]))
        case "board":
            board = db.session.get(Board, what["board"])
            return _("Put on the board %(name)s", name=board.name if board else "")
        case "move":
            goal = place_named(what["target"])
            return _("Move to %(status)s", status=goal.label if goal else "")
    return str(KINDS[act.kind].label)


def _some(act: BulkAct, viewer: Person, which: sa.ColumnElement[bool]) -> Sequence[Idea]:
    ideas = select(Idea).join(BulkItem, BulkItem.idea_id == Idea.id).where(BulkItem.act_id == act.id, which)
    return db.session.scalars(ideas.where(is_seen_by(viewer)).order_by(Idea.votes.desc(), Idea.id).limit(SHOWN)).all()
