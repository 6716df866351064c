"""Planning acts on many ideas, letting them begin, and asking for them back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.bulk import audience, kinds
from portal.bulk.models import UNDO_WITHIN, BulkAct, BulkItem, State, Step
from portal.db import count_rows, db, utcnow
from portal.errors import Refusal
from portal.ideas.models import Idea
from portal.ideas.steps import Tell

PLANS_LAST = timedelta(days=1)


def plan(
    actor: User, kind: str, what: dict[str, Any], ideas: Sequence[Idea], *, chosen: str = "", back: str = ""
) -> BulkAct:
    """Write down what would be done with which ideas, and why not with the others; nothing else changes."""
    if not ideas:
        raise Refusal(_("Choose at least one idea."))
    act = BulkAct(actor_id=actor.id, kind=kind, what=what, chosen=chosen[:100], back=back[:300])
    db.session.add(act)
    db.session.flush()
    doable, items = [], []
    for idea in ideas:
        item = BulkItem(act_id=act.id, idea_id=idea.id, before={"seen": idea.rule.key})
        try:
            kinds.check(act, idea, actor)
            doable.append(idea)
        except Refusal as refusal:
            item.state, item.why = State.LEFT_OUT, refusal.message[:300]
        items.append(item)
    db.session.add_all(items)
    act.what = what | {"audience": audience.count(act, doable, actor)}
    db.session.flush()
    return act


def begin(act: BulkAct, tell: Tell) -> None:
    """Let the act be carried out; twice is once."""
    db.session.refresh(act, with_for_update=True)
    if act.step is not Step.PLANNED:
        return
    if act.planned_at < utcnow() - PLANS_LAST:
        raise Refusal(_("This was looked through more than a day ago. Choose the ideas again."))
    act.step, act.tell, act.begun_at = Step.RUNNING, tell if kinds.KINDS[act.kind].tells else Tell.NOBODY, utcnow()


def take_back(act: BulkAct, actor: User) -> None:
    """Let the act be undone, with each idea with which that still can be; twice is once."""
    db.session.refresh(act, with_for_update=True)
    if act.step in {Step.UNDOING, Step.UNDONE}:
        return
    if act.step is not Step.DONE or act.done_at is None:
        raise Refusal(_("This is not done yet."))
    if utcnow() >= act.done_at + UNDO_WITHIN:
        raise Refusal(_("This can be taken back for a day only."))
    act.step, act.what = Step.UNDOING, act.what | {"undone_by": actor.id}


def forget_plans() -> int:
    """Forget what was tried out and never done."""
    old = (BulkAct.step == Step.PLANNED) & (BulkAct.planned_at < utcnow() - 2 * PLANS_LAST)
    ids = list(db.session.scalars(sa.select(BulkAct.id).where(old)))
    if ids:
        db.session.execute(sa.delete(BulkItem).where(BulkItem.act_id.in_(ids)))
        return count_rows(sa.delete(BulkAct).where(BulkAct.id.in_(ids)))
    return 0
