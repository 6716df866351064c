"""In the demo, people were asked whether what came out solves their need, and most of them answered."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.events import quietly
from portal.ideas.models import Idea, StatusChange, Vote
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from portal.verdicts import queries
from portal.verdicts.models import End, Round, Says, Verdict
from portal.verdicts.rules import Rules
from portal.verdicts.service import ASKED_ABOUT

LATELY = timedelta(days=200)
"""Before that, only what people confirmed is remembered."""
ANSWER = (Says.YES, Says.YES, Says.PARTLY, Says.YES, Says.YES, Says.YES, Says.NO)
DEMO_ACCOUNT = "member@fellside.example"
"""Answers nothing, so that whoever looks around as a member finds a question that is open."""


def give_verdicts() -> None:
    """Ask about each idea that came out when it was time, and let a third of those behind it answer."""
    out = (*ASKED_ABOUT, Status.CONFIRMED)
    came_out = sa.select(Idea).where(Idea.status.in_(out), Idea.publication == Publication.PUBLISHED)
    with transaction(wake=False), quietly():
        for idea in db.session.scalars(came_out.order_by(Idea.id)).all():
            _ask_about(idea)


def _ask_about(idea: Idea) -> None:
    rules, now = Rules(), utcnow()
    by = sa.select(StatusChange).where(StatusChange.idea_id == idea.id, StatusChange.target.in_(ASKED_ABOUT))
    change = db.session.scalar(by.order_by(StatusChange.id.desc()).limit(1))
    if change is None:
        return
    ask_at = change.at + rules.wait_after(change.target)
    if idea.status is not Status.CONFIRMED and ask_at < now - LATELY:
        return
    asked = Round(idea_id=idea.id, change_id=change.id, ask_at=ask_at, asked=0, yes=0, partly=0, no=0)
    db.session.add(asked)
    db.session.flush()
    if ask_at > now:
        return
    asked.asked_at, asked.asked = ask_at, queries.count_asked(idea)
    _answer(asked)
    over = ask_at + timedelta(days=rules.open_for)
    if idea.status is Status.CONFIRMED:
        asked.ended_at, asked.end = idea.status_since, End.CONFIRMED
    elif over <= now:
        asked.ended_at, asked.end = over, End.MIXED


def _answer(asked: Round) -> None:
    """Let people answer in the days after they were asked; where opinions differ to this day, not all are content."""
    content = asked.idea.status is Status.CONFIRMED
    voters = sa.select(Vote.voter_id).join(User, User.id == Vote.voter_id).where(Vote.idea_id == asked.idea_id)
    people = db.session.scalars(voters.where(User.email != DEMO_ACCOUNT).order_by(Vote.voter_id)).all()
    until = asked.idea.status_since if content else utcnow()
    why = ("", _("I no longer carry a paper map for it."), _("It works, but not without a signal."), "", "")
    for place, user_id in enumerate(people[:: 2 if content else 4]):
        says = ANSWER[(place + asked.id) % len(ANSWER)] if content else (Says.YES, Says.PARTLY, Says.PARTLY)[place % 3]
        words = why[place % len(why)] if says is not Says.NO else _("On my phone it is too small to read.")
        at = min((asked.asked_at or until) + timedelta(hours=5 * place + 2), until)
        db.session.add(Verdict(round_id=asked.id, user_id=user_id, says=says, words=words, at=at))
        setattr(asked, says.value, getattr(asked, says.value) + 1)
