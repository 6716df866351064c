"""What several tests of organisations do."""

from __future__ import annotations

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db
from portal.ideas import moves, supporters
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.organisations import service
from portal.organisations.models import Organisation
from portal.transactions import transaction
from tests.factories import make_user


def make_organisation(name: str, *people: User, domains: str = "") -> Organisation:
    """Return an organisation with these people in it."""
    admin = make_user(Role.ADMIN)
    with transaction(wake=False):
        found = service.make_organisation(admin, name=name, domains_typed=domains)
        for user in people:
            service.add_person(found, user, admin)
    return found


def join(idea: Idea, main: Idea) -> None:
    """Merge an idea into another."""
    with transaction(wake=False):
        moves.move_idea(idea, Status.MERGED, make_user(Role.PM), MoveDetails(into=main))


def fresh(thing):
    """Return a row as another browser would see it."""
    number = thing.id
    db.session.rollback()
    return db.session.get_one(type(thing), number)


def counter_is_true(idea: Idea) -> bool:
    """Whether the number shown equals the people behind the idea."""
    now = fresh(idea)
    return now.votes == supporters.count_supporters(now)
