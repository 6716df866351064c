"""In the demo, the product manager has tagged young ideas of one board at once, and taken another such act back."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.bulk import carrying, service
from portal.bulk.models import BulkAct
from portal.db import db, utcnow
from portal.demo.builder import HOST
from portal.events import quietly
from portal.ideas.models import Idea
from portal.ideas.steps import Tell
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction

TAGGED = 8


def change_many_ideas() -> None:
    """Leave one act that can be taken back for another day, and one that was."""
    pm = db.session.scalar(sa.select(User).where(User.email == f"{Role.PM}@{HOST}"))
    young = sa.select(Idea.id).where(Idea.status == Status.NEW, Idea.publication == Publication.PUBLISHED)
    ids = list(db.session.scalars(young.order_by(Idea.published_at.desc(), Idea.id).limit(TAGGED)))
    if pm is None or not ids or db.session.scalar(sa.select(BulkAct.id).limit(1)):
        return
    with quietly():
        for name, taken_back in (("soon", True), ("spring", False)):
            act_id = _tag(pm, ids, name)
            if taken_back:
                with transaction(wake=False):
                    service.take_back(db.session.get_one(BulkAct, act_id), pm)
                carrying.carry_out(act_id, TAGGED + 1)


def _tag(pm: User, ids: list[int], name: str) -> int:
    with transaction(wake=False):
        ideas = db.session.scalars(sa.select(Idea).where(Idea.id.in_(ids)).order_by(Idea.id)).all()
        act = service.plan(pm, "add_tags", {"tags": [name]}, ideas)
        service.begin(act, Tell.NOBODY)
        act_id = act.id
    carrying.carry_out(act_id, TAGGED + 1)
    with transaction(wake=False):
        act = db.session.get_one(BulkAct, act_id)
        act.planned_at = act.begun_at = act.done_at = utcnow() - timedelta(hours=2)
    return act_id
