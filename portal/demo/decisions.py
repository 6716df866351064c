"""In the demo, decisions have reasons, some a condition, and a few people still need what was declined."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.decisions import queries, service
from portal.decisions.models import REVERSIBLE, Decision, Need
from portal.events import quietly
from portal.ideas.models import Vote
from portal.ideas.workflow import Publication, Status
from portal.text import render_markdown
from portal.transactions import transaction

NEEDING, PEOPLE = 6, 12


def write_records() -> None:
    """Give each decision a reason of the list, and let some declined ideas be asked for again."""
    with transaction(wake=False), quietly():
        reasons = {status: queries.reasons_for(status) for status in {*REVERSIBLE, Status.PLANNED, Status.AVAILABLE}}
        made = db.session.scalars(sa.select(Decision).options(joinedload(Decision.idea)).order_by(Decision.id)).all()
        for decision in made:
            fitting = reasons[decision.status]
            decision.reason_id = fitting[decision.id % len(fitting)].id if fitting else None
        standing = [decision for decision in made if queries.is_standing(decision, decision.idea)]
        declined = [decision for decision in standing if decision.status is Status.DECLINED]
        for number, decision in enumerate(declined):
            if decision.idea.publication is Publication.PUBLISHED:
                _ask_again(decision, number)


def _ask_again(decision: Decision, number: int) -> None:
    if number % 2 == 0:
        decision.people = PEOPLE + 6 * number
        decision.organisations = 5 if number % 4 == 0 else None
        decision.back_on = (utcnow() + timedelta(days=120 + 30 * number)).date()
        decision.look_at = utcnow() + service.LOOK_EVERY
    if number % 3 == 0:
        decision.evidence = _(
            "We read every comment here, asked the people who run the huts, and tried it on two walks."
        )
        decision.evidence_html = render_markdown(decision.evidence)
    behind = sa.select(Vote.voter_id).where(Vote.idea_id == decision.idea_id)
    members = sa.select(User).where(User.role == Role.MEMBER, User.suspended_at.is_(None), User.id.in_(behind))
    words = (_("I meet people who ask for this on every second walk."), "", _("My club would use it at once."), "")
    for place, member in enumerate(db.session.scalars(members.order_by(User.id).limit(number % NEEDING))):
        at = max(decision.at + timedelta(days=1), utcnow() - timedelta(days=3 * place + 1))
        db.session.add(Need(idea_id=decision.idea_id, user_id=member.id, words=words[place % 4], at=min(at, utcnow())))
