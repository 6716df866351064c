"""Tables of organisations, of the people who belong to them, and of groups of people."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.db import Model, utcnow
from portal.ideas.models import NOTE_MAX

NAME_MAX = 80


class Way(StrEnum):
    """How somebody came to belong to an organisation, or to none."""

    DOMAIN = "domain"  # by the address they proved to be theirs
    HAND = "hand"  # an admin said so
    SELF = "self"  # they said that they speak for themselves
    APART = "apart"  # an admin had taken them out, and then they said that they speak for themselves


FOR_THEMSELVES = frozenset({Way.SELF, Way.APART})
"""Whom nobody of the team puts into an organisation."""


class Organisation(Model):
    """A company, club or office whose people take part here; its name is known to the team alone."""

    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(NAME_MAX))
    name_key: Mapped[str] = mapped_column(sa.String(2 * NAME_MAX), unique=True)
    note: Mapped[str] = mapped_column(sa.String(NOTE_MAX), default="")
    made_at: Mapped[datetime] = mapped_column(default=utcnow)

    domains: Mapped[list[OrganisationDomain]] = relationship(
        order_by=lambda: OrganisationDomain.domain, cascade="all, delete-orphan"
    )


class OrganisationDomain(Model):
    """A mail domain whose people belong to an organisation."""

    __tablename__ = "organisation_domains"

    domain: Mapped[str] = mapped_column(sa.String(253), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id", ondelete="CASCADE"), index=True)


class OrganisationMember(Model):
    """Whom one person counts for: one organisation, or none where that was said; without a row, none."""

    __tablename__ = "organisation_members"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    organisation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("organisations.id", ondelete="CASCADE"), index=True
    )
    way: Mapped[Way]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    organisation: Mapped[Organisation | None] = relationship()

    @property
    def is_taken_out(self) -> bool:
        """Whether an admin took this person out, so that no address brings them back."""
        return self.organisation_id is None and self.way in {Way.HAND, Way.APART}


class OrganisationVote(Model):
    """An organisation behind an idea of which no person was named: it counts as an organisation, never as a person."""

    __tablename__ = "organisation_votes"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    cast_at: Mapped[datetime] = mapped_column(default=utcnow)
    cast_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    note: Mapped[str] = mapped_column(sa.String(NOTE_MAX), default="")

    organisation: Mapped[Organisation] = relationship()
    cast_by: Mapped[User | None] = relationship()


class Segment(Model):
    """A group of people that the team wants to tell apart: by a rule, by hand, or both."""

    __tablename__ = "segments"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(NAME_MAX))
    name_key: Mapped[str] = mapped_column(sa.String(2 * NAME_MAX), unique=True)
    rule: Mapped[dict[str, Any]]
    made_at: Mapped[datetime] = mapped_column(default=utcnow)


class SegmentMember(Model):
    """Somebody put into a segment by hand."""

    __tablename__ = "segment_members"

    segment_id: Mapped[int] = mapped_column(sa.ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
