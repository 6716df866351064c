"""A portal that is upgraded begins its ledger with what the history of its ideas says."""

from __future__ import annotations

import importlib
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from portal.accounts.roles import Role
from portal.db import db
from portal.ideas import moves
from portal.ideas.promised import Promise
from portal.ideas.promises import ledger_of
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from tests.factories import make_idea, make_user

DAY = timedelta(days=1)
BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def begin_again():
    """Do what the upgrade does, on tables as they were before it."""
    upgrade = importlib.import_module("portal.migrations.versions.0013_promises")
    with transaction():
        db.session.execute(sa.delete(Promise))
        with Operations.context(MigrationContext.configure(db.session.connection())):
            upgrade._note_what_was_promised()


def facts(idea):
    return [(p.kind, p.status, p.due_at, p.ended_at, p.outcome) for p in ledger_of(idea.id)]


def test_moves_say_what_was_kept_and_what_runs(app):
    pm = make_user(Role.PM)
    ideas = {
        name: make_idea(name, at=BEGAN)
        for name in ("new", "late", "joined", "main", "parked", "asked", "answered", "shipped")
    }
    held = make_idea("held", publication=Publication.HELD)

    def move(name, target, days, **details):
        moves.move_idea(ideas[name], target, pm, MoveDetails(**details), at=BEGAN + days * DAY)

    with transaction():
        move("late", Status.UNDER_REVIEW, 50, owner=pm)
        move("joined", Status.MERGED, 2, into=ideas["main"])
        move("parked", Status.NOT_NOW, 3, answer="Later.", review_on=date(2027, 3, 3))
        move("asked", Status.NEEDS_INFO, 1, answer="Where?")
        move("answered", Status.UNDER_REVIEW, 1, owner=pm)
        moves.answer_idea(ideas["answered"], pm, MoveDetails(answer="We look."), at=BEGAN + 20 * DAY)
        move("answered", Status.PLANNED, 30, answer="We do it.")
        move("shipped", Status.UNDER_REVIEW, 1, owner=pm)
        move("shipped", Status.PLANNED, 10, answer="We do it.")
        move("shipped", Status.SHIPPED, 20, answer="There it is.")
    before = {name: facts(idea) for name, idea in ideas.items()}

    begin_again()

    unknown = {"answered": before["answered"][:1] + before["answered"][-1:]}  # of which no move tells
    assert {name: facts(idea) for name, idea in ideas.items()} == before | unknown
    assert facts(held) == []
    told = {idea.title: p.missed_at is not None for idea in ideas.values() for p in ledger_of(idea.id) if p.is_running}
    assert told == {"new": True, "late": True, "main": True, "parked": False, "answered": True}
