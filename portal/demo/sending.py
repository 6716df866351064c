"""In the demo, one answer is planned for the day after tomorrow, one was held back, and two mails did not arrive."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.demo.builder import HOST
from portal.events import quietly
from portal.ideas.models import Idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.notifications.mails.sending import Ending
from portal.notifications.models import Mail, MailAttempt, Notification
from portal.notifications.policy import Kind
from portal.talk import drafts, scheduling
from portal.talk.held_back import WhyHeld
from portal.talk.models import ScheduledDraft
from portal.transactions import transaction


def plan_and_fail() -> None:
    """Plan an answer, hold one back, and let two mails fail."""
    pm = db.session.scalar(sa.select(User).where(User.email == f"{Role.PM}@{HOST}"))
    review = sa.select(Idea).where(Idea.status == Status.UNDER_REVIEW, Idea.publication == Publication.PUBLISHED)
    ideas = db.session.scalars(review.order_by(Idea.votes.desc(), Idea.id).limit(2)).all()
    if pm is None or len(ideas) < 2:
        return
    with transaction(wake=False), quietly():
        _plan(ideas[0], pm, _("We have tried it on two routes. On Friday we say here how it went."))
        held = _plan(ideas[1], pm, _("Thank you. We take this into the plans for the autumn."))
        held.publish_at, held.held_back_at = None, utcnow() - timedelta(hours=3)
        held.held_why, held.held_facts = WhyHeld.MOVED, {"status": ideas[1].rule.key}
    with transaction(wake=False):
        _fail("550 5.1.1 No such person here", Ending.REFUSED, tries=1, aside=True)
        _fail("452 4.2.2 The mailbox is full", Ending.LATER, tries=3, aside=False)


def _plan(idea: Idea, pm: User, words: str) -> ScheduledDraft:
    draft = drafts.save_draft(idea, pm, "answer", {"answer-answer": [words]}, {_("Official answer"): words})
    return scheduling.plan(draft, pm, MoveDetails(answer=words), utcnow() + timedelta(days=2))


def _fail(words: str, ended: Ending, tries: int, aside: bool) -> None:
    told = sa.select(Notification).where(Notification.kind == Kind.DECIDED, Notification.id.not_in(_mailed()))
    news = db.session.scalar(told.order_by(Notification.id.desc()).limit(1))
    if news is None:
        return
    now = utcnow()
    mail = Mail(key=f"event-{news.event_id}-{news.user_id}", kind=news.kind, user_id=news.user_id)
    mail.notification_id, mail.queued_at, mail.error, mail.attempts = news.id, now - timedelta(hours=2), words, tries
    mail.given_up_at, mail.available_at = (now, now) if aside else (None, now + timedelta(hours=20))
    db.session.add(mail)
    db.session.flush()
    for number in range(tries):
        at = now - timedelta(minutes=30 * (tries - number))
        db.session.add(MailAttempt(mail_id=mail.id, at=at, ended=ended, words=words))


def _mailed() -> sa.Select[int | None]:
    return sa.select(Mail.notification_id).where(Mail.notification_id.is_not(None))
