"""Reading who is behind ideas."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Select, select

from portal.db import db
from portal.ideas.models import Vote
from portal.ideas.queries import counts_for, self_and_merged
from portal.organisations.models import OrganisationMember, OrganisationVote


def count_behind(idea_id: int) -> int:
    """Count the organisations behind an idea, each once, through merged ideas too.

    Votes that were set aside, and those of people who object to a merge, count for no organisation.
    """
    return db.session.scalar(select(sa.func.count()).select_from(organisations_behind(idea_id).subquery())) or 0


def organisations_behind(idea_id: int) -> Select[int]:
    """Select the ids of the organisations behind an idea: of its voters, and those a vote was given for."""
    people = select(OrganisationMember.organisation_id).join(Vote, Vote.voter_id == OrganisationMember.user_id)
    people = people.where(OrganisationMember.organisation_id.is_not(None), counts_for(idea_id))
    spoken_for = select(OrganisationVote.organisation_id)
    spoken_for = spoken_for.where(OrganisationVote.idea_id.in_(self_and_merged(idea_id)))
    both = people.union(spoken_for).subquery()
    return select(both.c.organisation_id)
