"""What the weekly note to the team says."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from portal.accounts.models import User
from portal.accounts.roles import TRIAGERS
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.db import db, utcnow
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.queries import is_out_for
from portal.notifications import links
from portal.notifications.digests.turns import wants
from portal.notifications.mails.letter import Entry, Letter, Section, Suppressed
from portal.notifications.mails.sections import section
from portal.notifications.models import Mail
from portal.notifications.policy import Kind, kind_of_move
from portal.triage import queues
from portal.web.dates import day

WEEK = timedelta(days=7)
DECISIONS, MOST_MOVES = 10, 200
NAMED = ("first-look", "answer-due", "held", "mine", "quiet")
"""The queues that the note speaks of; where something waits in one of the first three, it is written."""


def triage_note(mail: Mail) -> Letter | Suppressed:
    """Count what waits for somebody of the team where they work, as things are now."""
    user = mail.user
    if user is None or not user.is_active or not user.can_get_mail or not wants(user, mail.kind):
        return Suppressed("wants no mail")
    if not user.is_one_of_anywhere(TRIAGERS):
        return Suppressed("no longer on the team")
    counts = queues.count_all(user, None)
    decided = _decided_by_others(user)
    if not decided and not any(counts[name] for name in NAMED[:3]):
        return Suppressed("nothing waits")
    looks = counts["first-look"]
    headline = (
        ngettext("%(num)d idea waits for a first look", "%(num)d ideas wait for a first look", looks)
        if looks or not decided
        else ngettext("%(num)d decision last week", "%(num)d decisions last week", len(decided))
    )
    waits = [_entry(name, counts[name], user) for name in NAMED if counts[name]]
    sections = [Section(_("What waits"), waits)] if waits else []
    if decided:
        newest = [_decision(change) for change in decided[:DECISIONS]]
        sections.append(section(_("What colleagues decided"), newest, len(decided)))
    return Letter(
        subject=headline,
        lead=_("The week in triage, as it stands this morning."),
        title=headline,
        sections=sections,
        sentences=[_last_week(user)],
        button=_("Open triage"),
        url=links.absolute_url("triage.queue", queue=next((name for name in NAMED if counts[name]), NAMED[0])),
        foot=_("You get this on Mondays, because you work on these boards."),
        stop_label=_("Stop the weekly note"),
        stop_url=links.absolute_url("notifications.stop", token=links.stop_token(user.id, None, mail.kind)),
        settings_url=links.absolute_url("notifications.preferences"),
    )


def _entry(name: str, number: int, user: User) -> Entry:
    """Say how much is in a queue, and what has waited there longest."""
    queue = queues.QUEUES[name]
    rows = queues.page_of(queue, user, None, limit=1).rows
    first = rows[0].idea if rows else None
    shown = f"{number}+" if number >= queues.MOST_COUNTED else str(number)
    address = links.absolute_url("triage.queue", queue=name)
    if first is None:
        return Entry(f"{queue.label}: {shown}", address)
    waits = _("First: “%(title)s”, posted on %(date)s.", title=first.title, date=day(first.published_at))
    return Entry(f"{queue.label}: {shown}", address, waits)


def _decided_by_others(user: User) -> list[StatusChange]:
    """Return what colleagues decided in a week where the user works, newest first: the last word on each idea."""
    here = is_out_for(user) & Idea.board_id.in_(select(Board.id).where(is_worked_on_by(user, TRIAGERS)))
    made = (
        select(StatusChange)
        .join(Idea, Idea.id == StatusChange.idea_id)
        .where(here, StatusChange.at > utcnow() - WEEK, StatusChange.undone_at.is_(None))
        .where(StatusChange.actor_id != user.id, StatusChange.into_id.is_(None))
        .options(joinedload(StatusChange.actor), contains_eager(StatusChange.idea))
        .order_by(StatusChange.at.desc(), StatusChange.id.desc())
        .limit(MOST_MOVES)
    )
    last: dict[int, StatusChange] = {}
    for change in db.session.scalars(made):
        last.setdefault(change.idea_id, change)
    return [change for change in last.values() if kind_of_move(change.source, change.target) is Kind.DECIDED]


def _decision(change: StatusChange) -> Entry:
    by = change.actor.shown_name if change.actor else _("the portal")
    said = _("%(who)s, %(date)s", who=by, date=day(change.at))
    address = links.absolute_url("ideas.show", idea_id=change.idea_id)
    return Entry(change.idea.title, address, said, target=change.led_to)


def _last_week(user: User) -> str:
    here = is_out_for(user) & Idea.board_id.in_(select(Board.id).where(is_worked_on_by(user, TRIAGERS)))
    since = utcnow() - WEEK
    came = select(sa.func.count()).select_from(Idea).where(here, Idea.published_at > since)
    said = select(sa.func.count(sa.distinct(Answer.idea_id))).join(Idea, Idea.id == Answer.idea_id)
    answered = said.where(here, Answer.at > since, Answer.taken_back_at.is_(None))
    new, done = db.session.execute(select(came.scalar_subquery(), answered.scalar_subquery())).one()
    return _("In the last seven days %(new)s came in, and %(answered)s were answered.", new=new, answered=done)
