"""Reading who is behind ideas, and who belongs together; all of it for the team alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import abort
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.db import db, lookup
from portal.ideas.models import Idea, Vote
from portal.ideas.supporters import counts_for, is_counted, is_set_apart, self_and_merged
from portal.organisations.domains import is_at
from portal.organisations.models import (
    Organisation,
    OrganisationDomain,
    OrganisationMember,
    OrganisationVote,
    Segment,
    SegmentMember,
    Way,
)


@dataclass(frozen=True, slots=True)
class Behind:
    """One organisation behind an idea: how many of its people vote, and whether the team spoke for it."""

    organisation: Organisation
    people: int
    spoken_for: OrganisationVote | None


def count_behind(idea_id: int) -> int:
    """Count the organisations behind an idea, each once, through merged ideas too.

    Votes that were set aside, and those of people who object to a merge, count for no organisation.
    """
    return db.session.scalar(*_number_behind(idea_id=idea_id)) or 0


def organisations_behind(idea_id: int) -> Select[int]:
    """Select the ids of the organisations behind an idea: of its voters, and those a vote was given for."""
    people = select(OrganisationMember.organisation_id).join(Vote, Vote.voter_id == OrganisationMember.user_id)
    people = people.where(OrganisationMember.organisation_id.is_not(None), counts_for(idea_id))
    spoken_for = select(OrganisationVote.organisation_id)
    spoken_for = spoken_for.where(OrganisationVote.idea_id.in_(self_and_merged(idea_id)))
    both = people.union(spoken_for).subquery()
    return select(both.c.organisation_id)


def who_is_behind(idea: Idea) -> list[Behind]:
    """Return the organisations behind an idea, those with most people first."""
    people = (
        select(OrganisationMember.organisation_id, sa.func.count(sa.distinct(Vote.voter_id)))
        .join(Vote, Vote.voter_id == OrganisationMember.user_id)
        .where(OrganisationMember.organisation_id.is_not(None), counts_for(idea.id))
        .group_by(OrganisationMember.organisation_id)
    )
    counts = {number: count for number, count in db.session.execute(people) if number is not None}
    given = select(OrganisationVote).where(OrganisationVote.idea_id.in_(self_and_merged(idea.id)))
    given = given.options(joinedload(OrganisationVote.cast_by)).order_by(OrganisationVote.idea_id)
    spoken_for = {vote.organisation_id: vote for vote in db.session.scalars(given)}
    found = db.session.scalars(select(Organisation).where(Organisation.id.in_({*counts, *spoken_for})))
    rows = [Behind(one, counts.get(one.id, 0), spoken_for.get(one.id)) for one in found]
    return sorted(rows, key=lambda row: (-row.people, row.organisation.name_key))


def list_organisations() -> Sequence[Organisation]:
    """Return all organisations with their domains, by name."""
    every = select(Organisation).options(selectinload(Organisation.domains))
    return db.session.scalars(every.order_by(Organisation.name_key, Organisation.id)).all()


def count_people() -> dict[int, int]:
    """Count the people of every organisation."""
    people = select(OrganisationMember.organisation_id, sa.func.count()).group_by(OrganisationMember.organisation_id)
    return {number: count for number, count in db.session.execute(people) if number is not None}


def get_organisation(organisation_id: int) -> Organisation:
    """Return the organisation, or answer 404."""
    return db.session.get(Organisation, organisation_id) or abort(404)


def find_organisation(organisation_id: int | None) -> Organisation | None:
    """Return the organisation with this number, if there is one."""
    return db.session.get(Organisation, organisation_id) if organisation_id else None


def people_of(organisation: Organisation, limit: int = 200) -> Sequence[OrganisationMember]:
    """Return who counts for an organisation, by name."""
    places = select(OrganisationMember).join(User, User.id == OrganisationMember.user_id)
    places = places.where(OrganisationMember.organisation_id == organisation.id)
    places = places.options(joinedload(OrganisationMember.user)).order_by(User.name_key, User.id)
    return db.session.scalars(places.limit(limit)).all()


def taken_out_of(organisation: Organisation, limit: int = 200) -> Sequence[User]:
    """Return whom their address would bring into an organisation, had an admin not taken them out, by name."""
    out = OrganisationMember.organisation_id.is_(None) & OrganisationMember.way.in_([Way.HAND, Way.APART])
    people = select(User).join(OrganisationMember, OrganisationMember.user_id == User.id)
    people = people.join(OrganisationDomain, is_at(User.email))
    people = people.where(OrganisationDomain.organisation_id == organisation.id, out)
    return db.session.scalars(people.order_by(User.name_key, User.id).limit(limit)).all()


def belonging_of(person: Person) -> OrganisationMember | None:
    """Return for which organisation this person counts, or that they count for none; None when nothing was said."""
    mine = select(OrganisationMember).where(OrganisationMember.user_id == person.id)
    return db.session.scalar(mine.options(joinedload(OrganisationMember.organisation)))


def get_segment(segment_id: int) -> Segment:
    """Return the segment, or answer 404."""
    return db.session.get(Segment, segment_id) or abort(404)


def put_in_by_hand(segment: Segment) -> Sequence[User]:
    """Return who was put into a segment by hand, by name."""
    people = select(User).join(SegmentMember, SegmentMember.user_id == User.id)
    people = people.where(SegmentMember.segment_id == segment.id)
    return db.session.scalars(people.order_by(User.name_key, User.id)).all()


def pairs_behind(ids: Sequence[int] | None = None) -> Select[int, int]:
    """Select each pair of an idea that stands for itself and an organisation behind it; some come more than once.

    With ``ids`` only of these ideas, which is then all that the database looks at.
    """
    main = sa.func.coalesce(Idea.merged_into_id, Idea.id).label("idea_id")
    wanted = sa.true() if ids is None else Idea.id.in_(ids) | Idea.merged_into_id.in_(ids)
    counts = Idea.merged_into_id.is_(None) | ~is_set_apart(Vote.idea_id, Vote.voter_id)
    people = (
        select(main, OrganisationMember.organisation_id.label("organisation_id"))
        .join(Vote, Vote.idea_id == Idea.id)
        .join(OrganisationMember, OrganisationMember.user_id == Vote.voter_id)
        .where(OrganisationMember.organisation_id.is_not(None), is_counted(Vote), counts, wanted)
    )
    given = select(main, OrganisationVote.organisation_id).join(OrganisationVote, OrganisationVote.idea_id == Idea.id)
    both = people.union_all(given.where(wanted)).subquery()
    return select(both.c.idea_id, both.c.organisation_id)


def counts_by_idea(ids: Sequence[int]) -> dict[int, int]:
    """Count the organisations behind each of these ideas, in one statement."""
    if not ids:
        return {}
    pairs = pairs_behind(ids).subquery()
    counts = select(pairs.c.idea_id, sa.func.count(sa.distinct(pairs.c.organisation_id)))
    return lookup(counts.where(pairs.c.idea_id.in_(ids)).group_by(pairs.c.idea_id))


@built_once
def _number_behind(*, idea_id: int) -> Select[int]:
    return select(sa.func.count()).select_from(organisations_behind(idea_id).subquery())
