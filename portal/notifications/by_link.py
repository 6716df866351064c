"""What the links in mails are about, for whoever opens them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import joinedload

from portal.accounts.models import User
from portal.db import db
from portal.ideas.followers import following
from portal.ideas.merges import Consent, consent_of
from portal.ideas.models import Idea, StatusChange
from portal.ideas.policy import may_take_part
from portal.ideas.queries import ideas_visible_to, main_of
from portal.notifications import links


@dataclass(frozen=True, slots=True)
class Stop:
    """What the link at the foot of a mail can stop, and how things stand."""

    token: str
    user: User
    kind: str  # of the mail that carried the link
    by_idea: bool
    idea: Idea | None  # None also when its reader may not see it any more
    follows_idea: bool
    decisions_only: bool = False  # of what follows_idea says
    numbers: tuple[int, ...] = ()  # of what a letter about several things told of; none: of all


@dataclass(frozen=True, slots=True)
class Objecting:
    """A merged idea, and what somebody may say about its merge; there is nothing to say once it was taken back."""

    user: User
    idea: Idea
    consent: Consent | None


def find_stop(token: str) -> Stop | None:
    """Return what the link with this token is about; None for a link that is not ours."""
    read = links.read_stop_token(token)
    user = db.session.get(User, read[0]) if read else None
    if read is None or user is None:
        return None
    by_idea = read[1] is not None
    idea = db.session.scalar(ideas_visible_to(user).where(Idea.id == read[1])) if by_idea else None
    follow = following(idea, user) if idea is not None else None
    kind, numbers = links.read_kind(read[2])
    follows, decisions_only = bool(follow and follow.on), bool(follow and follow.decisions_only)
    return Stop(token, user, kind, by_idea, idea, follows, decisions_only, numbers)


def find_objecting(token: str) -> Objecting | None:
    """Return what the link with this token is about; None where it is not ours, or nobody may use it any more."""
    read = links.read_objection_token(token)
    user = db.session.get(User, read[0]) if read else None
    change = db.session.get(StatusChange, read[1]) if read else None
    if user is None or change is None or not user.is_active:
        return None
    idea = db.session.scalar(ideas_visible_to(user).where(Idea.id == change.idea_id).options(joinedload(Idea.board)))
    if idea is None or not may_take_part(user, idea):
        return None
    consent = consent_of(idea, user, main_of(idea, user))
    return Objecting(user, idea, consent if consent and consent.change.id == change.id else None)
