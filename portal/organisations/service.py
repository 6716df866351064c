"""What can be done with organisations, and the refusals that raises."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User, name_key
from portal.db import count_rows, db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.organisations import domains
from portal.organisations.events import BelongingChanged, OrganisationsChanged
from portal.organisations.models import FOR_THEMSELVES, Organisation, OrganisationDomain, OrganisationMember, Way
from portal.security.log import note
from portal.text import clean_line

MOST = 2000


class NameTaken(Refusal):
    """Another one is called so."""

    status = 422

    def __init__(self, name: str) -> None:
        super().__init__(_("“%(name)s” is there already.", name=name))


class DomainTaken(Refusal):
    """Another organisation has this domain."""

    status = 422

    def __init__(self, domain: str, name: str) -> None:
        super().__init__(_("%(domain)s belongs to %(name)s already.", domain=domain, name=name))


class NobodyToAdd(Refusal):
    """This account counts for no organisation."""

    status = 422


def make_organisation(actor: User, *, name: str, domains_typed: str = "", about: str = "") -> Organisation:
    """Add an organisation; whoever proved an address in its domains belongs to it within minutes, often at once."""
    if (db.session.scalar(sa.select(sa.func.count()).select_from(Organisation)) or 0) >= MOST:
        raise Refusal(_("A portal has at most %(max)d organisations.", max=MOST))
    found = Organisation(**_named(name, None), note=clean_line(about))
    db.session.add(found)
    db.session.flush()
    _set_domains(found, domains_typed)
    _state(found, "made", actor)
    return found


def change_organisation(found: Organisation, actor: User, *, name: str, domains_typed: str, about: str) -> None:
    """Call it something else, or give it other domains; people who came by a domain that it lost leave with it."""
    for key, value in _named(name, found).items():
        setattr(found, key, value)
    found.note = clean_line(about)
    _set_domains(found, domains_typed)
    _state(found, "changed", actor)


def remove_organisation(found: Organisation, actor: User) -> None:
    """Take an organisation away; its people stay, and count for none."""
    _state(found, "removed", actor)
    db.session.delete(found)
    db.session.flush()


def add_person(found: Organisation, user: User, actor: User) -> None:
    """Let somebody count for this organisation and no other, because an admin says so; not if they said otherwise."""
    if user.is_former:
        raise NobodyToAdd(_("This person has left."))
    row = db.session.get(OrganisationMember, user.id)
    if row is not None and row.way in FOR_THEMSELVES:
        raise NobodyToAdd(_("%(name)s said that they speak for themselves. Ask them first.", name=user.name))
    _belong(user, found.id, Way.HAND, actor)


def remove_person(user: User, actor: User) -> None:
    """Let somebody count for no organisation; their address does not bring them back."""
    row = db.session.get(OrganisationMember, user.id)
    if row is not None and row.organisation_id is not None:
        _belong(user, None, Way.HAND, actor)


def speak_for_oneself(user: User) -> None:
    """Count for no organisation, because one says so; nobody of the team can change that."""
    row = db.session.get(OrganisationMember, user.id)
    _belong(user, None, Way.APART if row is not None and row.is_taken_out else Way.SELF, user)


def speak_for_organisation_again(user: User) -> None:
    """Let one's address decide again, unless an admin had taken one out: that stays until an admin lifts it."""
    row = db.session.get(OrganisationMember, user.id)
    if row is not None and row.way is Way.APART:
        _belong(user, None, Way.HAND, user)
        return
    mine = sa.delete(OrganisationMember).where(OrganisationMember.user_id == user.id)
    if count_rows(mine.where(OrganisationMember.way == Way.SELF)):
        db.session.expire_all()
        emit(BelongingChanged(actor_id=user.id, user_id=user.id, organisation_id=None, way="asked"))
        domains.sort_now()


def lift_exclusion(user: User, actor: User) -> None:
    """Let the address of somebody who was taken out decide again; what they said themselves stays."""
    row = db.session.get(OrganisationMember, user.id)
    if row is None or not row.is_taken_out:
        return
    if row.way is Way.APART:
        _belong(user, None, Way.SELF, actor)
        return
    db.session.delete(row)
    db.session.flush()
    emit(BelongingChanged(actor_id=actor.id, user_id=user.id, organisation_id=None, way="lifted"))
    domains.sort_now()


def _belong(user: User, organisation_id: int | None, way: Way, actor: User) -> None:
    values = {"organisation_id": organisation_id, "way": way, "at": utcnow(), "by_id": actor.id}
    if not insert_if_absent(OrganisationMember, user_id=user.id, **values):
        mine = sa.update(OrganisationMember).where(OrganisationMember.user_id == user.id)
        db.session.execute(mine.values(**values))
    emit(BelongingChanged(actor_id=actor.id, user_id=user.id, organisation_id=organisation_id, way=way))


def _set_domains(found: Organisation, typed: str) -> None:
    wanted = domains.read_domains(typed)
    for taken in db.session.scalars(
        sa.select(OrganisationDomain).where(
            OrganisationDomain.domain.in_(wanted), OrganisationDomain.organisation_id != found.id
        ).order_by(OrganisationDomain.domain)
    ):  # fmt: skip
        owner = db.session.get_one(Organisation, taken.organisation_id)
        raise DomainTaken(taken.domain, owner.name)
    kept = {row.domain: row for row in found.domains}
    found.domains = [kept.get(domain) or OrganisationDomain(domain=domain) for domain in wanted]
    db.session.flush()
    domains.sort_now()


def _named(name: str, found: Organisation | None) -> dict[str, str]:
    shown = clean_line(name)
    same = sa.select(Organisation.id).where(Organisation.name_key == name_key(shown))
    if found is not None:
        same = same.where(Organisation.id != found.id)
    if db.session.scalar(same) is not None:
        raise NameTaken(shown)
    return {"name": shown, "name_key": name_key(shown)}


def _state(found: Organisation, what: str, actor: User) -> None:
    emit(OrganisationsChanged(actor_id=actor.id, organisation_id=found.id, what=what))
    note("organisation.changed", user=None, actor=actor, organisation=found.id, what=what)
