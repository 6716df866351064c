"""In the demo, some people belong to organisations, ideas were asked for elsewhere, scored, and once looked into."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db
from portal.events import quietly
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication, Status
from portal.organisations import behalf, honesty, segments, service
from portal.organisations.models import Organisation
from portal.organisations.queries import pairs_behind
from portal.organisations.segments import Rule
from portal.scores.service import give_score
from portal.transactions import transaction

NAMES = ("Beckside Mountain Rescue", "Tarn Guides", "Fellfoot Huts", "Screes Running Club", "Ridge Mapping")
SIZE, SCORED = 14, 8
PARTS = (("900", "2", "80", "6"), ("250", "3", "50", "4"), ("4000", "0.5", "90", "10"), ("120", "3", "100", "2"))


def name_who_is_behind() -> None:
    """Put people into organisations and a segment, and let the team have used what it has."""
    with transaction(wake=False), quietly():
        admin, pm = _somebody(Role.ADMIN), _somebody(Role.PM)
        members = db.session.scalars(
            select(User).where(User.role == Role.MEMBER, User.suspended_at.is_(None)).order_by(User.id)
        ).all()
        made = [_organisation(name, members[n * SIZE : (n + 1) * SIZE - 3 * n], admin) for n, name in enumerate(NAMES)]
        segments.make_segment(admin, _("On rescue teams"), Rule(organisations=(made[0].id,)))
        segments.make_segment(admin, _("Speak for themselves"), Rule(belongs="no", role=Role.MEMBER))
        ideas = _open_ideas()
        for number, idea in enumerate(ideas):
            give_score(idea, pm, dict(zip(("reach", "impact", "confidence", "effort"), _parts(number), strict=True)))
        first, second = ideas[0], ideas[1]
        behalf.vote_for_named(first, "Ada Fenwick", made[1], pm, _("At the spring meeting of the guides"))
        behalf.vote_for_organisation(second, _not_behind(second, made), pm, _("By letter of the board, in April"))
        odd = [cast.voter_id for cast in honesty.casts(second)][-2:]
        honesty.set_aside(second, odd, admin, _("Two accounts of one household, we asked them"))


def _organisation(name: str, people: Sequence[User], admin: User) -> Organisation:
    found = service.make_organisation(admin, name=name)
    for user in people:
        service.add_person(found, user, admin)
    return found


def _open_ideas() -> list[Idea]:
    """Return the ideas with most votes that still take some."""
    open_ones = select(Idea).where(Idea.publication == Publication.PUBLISHED)
    open_ones = open_ones.where(Idea.status.in_([Status.NEW, Status.UNDER_REVIEW, Status.PLANNED]))
    return list(db.session.scalars(open_ones.order_by(Idea.votes.desc(), Idea.id).limit(SCORED)))


def _not_behind(idea: Idea, made: list[Organisation]) -> Organisation:
    pairs = pairs_behind().subquery()
    behind = set(db.session.scalars(select(pairs.c.organisation_id).where(pairs.c.idea_id == idea.id)))
    return next((one for one in reversed(made) if one.id not in behind), made[-1])


def _parts(number: int) -> tuple[str, str, str, str]:
    reach, impact, confidence, effort = PARTS[number % len(PARTS)]
    return str(int(reach) + 40 * number), impact, confidence, effort


def _somebody(role: Role) -> User:
    return db.session.scalars(select(User).where(User.role == role).order_by(User.id).limit(1)).one()
