"""What the mail about late promises says."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from portal.accounts.roles import DECIDERS
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.promised import Promise
from portal.ideas.queries import is_out_for
from portal.notifications import links
from portal.notifications.digests.turns import wants
from portal.notifications.mails.letter import Entry, Letter, Suppressed
from portal.notifications.mails.sections import section
from portal.notifications.models import Mail
from portal.web.dates import day

LINES = 20


def late_promises_letter(mail: Mail) -> Letter | Suppressed:
    """List what has been late for some days and still is, of what this person decides on and may see now."""
    user = mail.user
    if user is None or not user.is_active or not user.can_get_mail or not wants(user, mail.kind):
        return Suppressed("wants no mail")
    boards = select(Board.id).where(is_worked_on_by(user, DECIDERS))
    raised = Promise.raised_at == datetime.fromisoformat(mail.data["at"])
    late = (
        select(Promise)
        .join(Promise.idea)
        .where(raised, Promise.ended_at.is_(None), is_out_for(user), Idea.board_id.in_(boards))
        .options(contains_eager(Promise.idea).options(joinedload(Idea.owner), joinedload(Idea.board)))
        .order_by(Promise.due_at, Promise.id)
    )
    found = list(db.session.scalars(late))
    if not found:
        return Suppressed("kept meanwhile, or not theirs")
    headline = ngettext("%(num)d promise is late", "%(num)d promises are late", len(found))
    return Letter(
        subject=headline,
        lead=_("We promised a word by a day that has passed. Everybody who sees these ideas sees that, too."),
        title=headline,
        sections=[section(_("Promised and not kept"), [_entry(promise) for promise in found[:LINES]], len(found))],
        button=_("See what is due"),
        url=links.absolute_url("triage.queue", queue="answer-due"),
        foot=_("You get this once a day at most, because you decide on these boards."),
        stop_label=_("Stop these"),
        stop_url=links.absolute_url("notifications.stop", token=links.stop_token(user.id, None, mail.kind)),
        settings_url=links.absolute_url("notifications.preferences"),
    )


def _entry(promise: Promise) -> Entry:
    idea = promise.idea
    words = _(
        "Promised by %(day)s, %(owner)s",
        day=day(promise.due_at),
        owner=idea.owner.name if idea.owner else _("nobody looks after it"),
    )
    return Entry(idea.title, links.absolute_url("ideas.show", idea_id=idea.id), words)
