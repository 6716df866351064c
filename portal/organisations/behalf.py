"""Votes that the team gives for people and organisations who asked elsewhere: on the phone, at a fair, by letter."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import SPOKEN_FOR, User, name_key
from portal.accounts.roles import PARTICIPANTS
from portal.db import count_rows, db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import EventRecord, emit
from portal.ideas import queries, supporters
from portal.ideas.events import VoteWithdrawn
from portal.ideas.models import NOTE_MAX, Idea, Vote, VoteOrigin
from portal.ideas.service import VotingClosed, count, follow_because, lock, withdraw_vote
from portal.organisations import service
from portal.organisations.events import OrganisationSpokenFor, VoteCastForSomebody, VoteForSomebodyTakenBack
from portal.organisations.models import Organisation, OrganisationMember, OrganisationVote
from portal.security.log import note as log
from portal.text import clean_line


class CannotSpeakFor(Refusal):
    """No vote can be given for this person or organisation."""

    status = 422


def vote_for(idea: Idea, user: User, actor: User, note: str) -> None:
    """Put somebody with an account behind an idea because they asked for it elsewhere; they hear of it.

    They must be able to see the idea, and must not have taken a vote for it back themselves.
    """
    idea = _open(idea)
    if user.id == actor.id:
        raise CannotSpeakFor(_("For yourself you vote on the page of the idea."))
    if not user.is_active or user.is_former or not user.is_one_of(PARTICIPANTS, idea.board_id):
        raise CannotSpeakFor(_("%(name)s cannot vote here.", name=user.shown_name))
    if db.session.scalar(queries.ideas_visible_to(user).where(Idea.id == idea.id)) is None:
        raise CannotSpeakFor(_("%(name)s cannot see this idea, and would learn of it.", name=user.name))
    if _took_it_back(idea, user):
        raise CannotSpeakFor(
            _("%(name)s took their vote for this idea back. Only they can give it again.", name=user.name)
        )
    _cast(idea, user, actor, note)
    follow_because(idea, user, is_voter=True)
    emit(VoteCastForSomebody(actor_id=actor.id, idea_id=idea.id, user_id=user.id))
    log("vote.given_for", user=user, actor=actor, idea=idea.id)


def vote_for_named(idea: Idea, name: str, organisation: Organisation | None, actor: User, note: str) -> User:
    """Put somebody without an account behind an idea, by name: nobody is told, and nobody can sign in as them."""
    idea = _open(idea)
    name = clean_line(name)[:60]
    if len(name) < 2 or "@" in name:
        raise CannotSpeakFor(_("Give the name of the person; an address is not needed, and not kept."))
    user = _stand_in(name, organisation)
    _cast(idea, user, actor, note)
    if organisation is not None and db.session.get(OrganisationMember, user.id) is None:
        service.add_person(organisation, user, actor)
    emit(VoteCastForSomebody(actor_id=actor.id, idea_id=idea.id, user_id=user.id))
    log("vote.given_for", user=user, actor=actor, idea=idea.id)
    return user


def vote_for_organisation(idea: Idea, organisation: Organisation, actor: User, note: str) -> None:
    """Put an organisation behind an idea without naming anybody: one organisation more, and no person."""
    idea = _open(idea)
    values = {"cast_at": utcnow(), "cast_by_id": actor.id, "note": _clean(note)}
    if not insert_if_absent(OrganisationVote, idea_id=idea.id, organisation_id=organisation.id, **values):
        raise CannotSpeakFor(_("%(name)s stands behind this idea already.", name=organisation.name))
    emit(OrganisationSpokenFor(actor_id=actor.id, idea_id=idea.id, organisation_id=organisation.id, stands=True))
    log("vote.given_for", user=None, actor=actor, idea=idea.id, organisation=organisation.id)


def take_back(idea: Idea, user: User, actor: User) -> None:
    """Take back a vote that the team gave for somebody; without one nothing happens. Others are not ours to take."""
    given = sa.select(Vote).where(Vote.idea_id.in_(supporters.self_and_merged(idea.id)), Vote.voter_id == user.id)
    votes = list(db.session.scalars(given))
    if not votes:
        return
    if any(vote.origin is not VoteOrigin.BEHALF for vote in votes):
        raise CannotSpeakFor(_("%(name)s voted themselves. That vote is not yours to take back.", name=user.shown_name))
    withdraw_vote(idea, user, quiet=True)
    emit(VoteForSomebodyTakenBack(actor_id=actor.id, idea_id=idea.id, user_id=user.id))
    log("vote.given_for_taken_back", user=user, actor=actor, idea=idea.id)
    if user.is_stand_in and db.session.scalar(sa.select(Vote.idea_id).where(Vote.voter_id == user.id)) is None:
        db.session.delete(user)
        db.session.flush()


def take_back_for_organisation(idea: Idea, organisation: Organisation, actor: User) -> None:
    """Let an organisation stand behind an idea no more of which no person was named."""
    mine = sa.delete(OrganisationVote).where(OrganisationVote.organisation_id == organisation.id)
    if count_rows(mine.where(OrganisationVote.idea_id.in_(supporters.self_and_merged(idea.id)))):
        emit(OrganisationSpokenFor(actor_id=actor.id, idea_id=idea.id, organisation_id=organisation.id, stands=False))
        log("vote.given_for_taken_back", user=None, actor=actor, idea=idea.id, organisation=organisation.id)


def _open(idea: Idea) -> Idea:
    idea = lock(idea.merged_into or idea)
    if not idea.takes_votes:
        raise VotingClosed(idea)
    return idea


def _cast(idea: Idea, user: User, actor: User, note: str) -> None:
    """Give the vote; it lets the idea rise in no list of what is rising, for it is not the members' own."""
    note = _clean(note)
    if supporters.is_behind(idea, user):
        raise CannotSpeakFor(_("%(name)s stands behind this idea already.", name=user.name))
    aside = supporters.set_aside_since(idea, user)
    values = {"origin": VoteOrigin.BEHALF, "cast_by_id": actor.id, "note": note, "set_aside_at": aside}
    if insert_if_absent(Vote, idea_id=idea.id, voter_id=user.id, cast_at=utcnow(), **values):
        count(idea, 0 if aside else +1, idea.heat)


def _clean(note: str) -> str:
    note = clean_line(note)
    if len(note) < 5:
        raise CannotSpeakFor(_("Say how you know: where and when they asked for it."))
    if len(note) > NOTE_MAX:
        raise CannotSpeakFor(_("This is %(count)d letters long; at most %(max)d fit.", count=len(note), max=NOTE_MAX))
    return note


def _took_it_back(idea: Idea, user: User) -> bool:
    acts = sa.select(EventRecord.id).where(EventRecord.name == VoteWithdrawn.name, EventRecord.actor_id == user.id)
    here = EventRecord.idea_id.in_(supporters.self_and_merged(idea.id))
    return db.session.scalar(acts.where(here).limit(1)) is not None


def _stand_in(name: str, organisation: Organisation | None) -> User:
    """Return the account that stands for a name, of this organisation or none; it can never be signed in to."""
    known_as = f"{organisation.id if organisation else ''}/{name_key(name)}"
    key = hashlib.sha256(known_as.encode()).hexdigest()[:24]
    address = f"{key}@{SPOKEN_FOR}"
    insert_if_absent(User, email=address, name=name, name_key=f"spoken-for/{key}", wants_mail=False)
    return db.session.scalars(sa.select(User).where(User.email == address)).one()
