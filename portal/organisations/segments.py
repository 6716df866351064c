"""Segments: groups of people made by a rule, by hand, or both, that the team wants to tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, select

from portal.accounts.models import User, name_key
from portal.accounts.roles import Role
from portal.db import count_rows, db, insert_if_absent
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.models import Idea, Vote
from portal.ideas.supporters import counts_for
from portal.organisations.events import SegmentsChanged
from portal.organisations.models import OrganisationMember, Segment, SegmentMember
from portal.organisations.service import NameTaken
from portal.security.log import note
from portal.text import clean_line

MOST = 30


@dataclass(frozen=True, slots=True)
class Rule:
    """Who is in a segment by itself: all that is said here must be true of them; nothing said means nobody."""

    organisations: tuple[int, ...] = ()
    belongs: str = ""  # "yes": to any organisation, "no": to none
    joined_from: date | None = None
    joined_until: date | None = None
    language: str = ""
    role: str = ""

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Rule:
        """Take a rule as it was kept; what is not understood is not there."""
        return cls(
            organisations=tuple(number for number in kept.get("organisations", ()) if isinstance(number, int)),
            belongs=kept.get("belongs", "") if kept.get("belongs") in {"yes", "no"} else "",
            joined_from=_day(kept.get("joined_from")),
            joined_until=_day(kept.get("joined_until")),
            language=str(kept.get("language", ""))[:10],
            role=str(kept["role"]) if kept.get("role") in set(Role) else "",
        )

    def kept(self) -> dict[str, Any]:
        """Return the rule as it is kept."""
        said = {
            "organisations": list(self.organisations),
            "belongs": self.belongs,
            "joined_from": self.joined_from.isoformat() if self.joined_from else "",
            "joined_until": self.joined_until.isoformat() if self.joined_until else "",
            "language": self.language,
            "role": self.role,
        }
        return {key: value for key, value in said.items() if value}

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """What must be true of somebody, in the terms of the database."""
        belonging = select(OrganisationMember.user_id).where(OrganisationMember.organisation_id.is_not(None))
        found: list[ColumnElement[bool]] = []
        if self.organisations:
            found.append(User.id.in_(belonging.where(OrganisationMember.organisation_id.in_(self.organisations))))
        if self.belongs:
            found.append(User.id.in_(belonging) if self.belongs == "yes" else User.id.not_in(belonging))
        if self.joined_from:
            found.append(User.created_at >= datetime.combine(self.joined_from, time(), UTC))
        if self.joined_until:
            found.append(User.created_at <= datetime.combine(self.joined_until, time.max, UTC))
        if self.language:
            found.append(User.locale == self.language)
        if self.role:
            found.append(User.role == Role(self.role))
        return found


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the people behind an idea are in a segment."""

    segment: Segment
    people: int


def members_of(segment: Segment) -> Select[int]:
    """Select who is in a segment: whom its rule finds, and whom an admin put there."""
    by_hand = select(SegmentMember.user_id).where(SegmentMember.segment_id == segment.id)
    there = User.erased_at.is_(None) & User.leaves_at.is_(None)
    conditions = Rule.read(segment.rule).conditions
    by_rule = sa.and_(*conditions) if conditions else sa.false()
    return select(User.id).where(there, by_rule | User.id.in_(by_hand))


def list_segments() -> Sequence[Segment]:
    """Return all segments, by name."""
    return db.session.scalars(select(Segment).order_by(Segment.name_key, Segment.id)).all()


def sizes(segments: Sequence[Segment]) -> dict[int, int]:
    """Count who is in each of them, in one statement."""
    return _counted(segments, [select(sa.func.count()).select_from(members_of(s).subquery()) for s in segments])


def shares_of(idea: Idea) -> list[Share]:
    """Return how many of the people behind an idea each segment has, the largest first, in two statements."""
    segments = list_segments()
    people = select(sa.func.count(sa.distinct(Vote.voter_id))).where(counts_for(idea.id))
    counts = _counted(segments, [people.where(Vote.voter_id.in_(members_of(s))) for s in segments])
    found = [Share(s, counts[s.id]) for s in segments if counts[s.id]]
    return sorted(found, key=lambda share: (-share.people, share.segment.name_key))


def make_segment(actor: User, name: str, rule: Rule) -> Segment:
    """Add a segment."""
    if len(list_segments()) >= MOST:
        raise Refusal(_("A portal has at most %(max)d segments.", max=MOST))
    segment = Segment(**_named(name, None), rule=rule.kept())
    db.session.add(segment)
    db.session.flush()
    _state(segment, "made", actor)
    return segment


def change_segment(segment: Segment, actor: User, name: str, rule: Rule) -> None:
    """Call it something else, or let another rule say who is in it; who was put there by hand stays."""
    for key, value in _named(name, segment).items():
        setattr(segment, key, value)
    segment.rule = rule.kept()
    db.session.flush()
    _state(segment, "changed", actor)


def remove_segment(segment: Segment, actor: User) -> None:
    """Take a segment away; nobody is gone with it."""
    _state(segment, "removed", actor)
    db.session.delete(segment)
    db.session.flush()


def put_in(segment: Segment, user: User, actor: User) -> None:
    """Put somebody into a segment by hand."""
    if user.is_former:
        raise Refusal(_("This person has left."))
    if insert_if_absent(SegmentMember, segment_id=segment.id, user_id=user.id):
        _state(segment, "person added", actor)


def take_out(segment: Segment, user_id: int, actor: User) -> None:
    """Take somebody out who was put in by hand; the rule may still find them."""
    gone = sa.delete(SegmentMember).where(SegmentMember.segment_id == segment.id, SegmentMember.user_id == user_id)
    if count_rows(gone):
        _state(segment, "person removed", actor)


def _counted(segments: Sequence[Segment], counts: list[Select[int]]) -> dict[int, int]:
    if not segments:
        return {}
    numbers = db.session.execute(select(*(count.scalar_subquery() for count in counts))).one()
    return {segment.id: number or 0 for segment, number in zip(segments, numbers, strict=True)}


def _named(name: str, segment: Segment | None) -> dict[str, str]:
    shown = clean_line(name)
    same = select(Segment.id).where(Segment.name_key == name_key(shown))
    if segment is not None:
        same = same.where(Segment.id != segment.id)
    if db.session.scalar(same) is not None:
        raise NameTaken(shown)
    return {"name": shown, "name_key": name_key(shown)}


def _state(segment: Segment, what: str, actor: User) -> None:
    emit(SegmentsChanged(actor_id=actor.id, segment_id=segment.id, what=what))
    note("segment.changed", user=None, actor=actor, segment=segment.id, what=what)


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
