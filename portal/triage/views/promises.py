"""Naming another day for the team's next word."""

from __future__ import annotations

from datetime import date

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import Refusal
from portal.ideas.queries import get_idea
from portal.promises.service import DayNotPossible, renew_promise
from portal.transactions import transaction
from portal.triage import queues
from portal.triage.desk import Typed, spot_of
from portal.triage.views.pages import bp, go_on, show_again
from portal.web.dates import day
from portal.web.session import authorize, member, viewer


@bp.post("/<queue>/<int:idea_id>/promise")
def promise(queue: str, idea_id: int) -> ResponseReturnValue:
    """Promise the next word for another day, and say why if it is a later one."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    spot = spot_of(queue)
    left = queues.place_of(spot.queue, idea)
    named, reason = request.form.get("until", ""), request.form.get("reason", "")
    try:
        until = _date(named)
        with transaction():
            renew_promise(idea, until, reason, member())
    except Refusal as refusal:
        typed = ((_("Next word by"), named), (_("Why it takes longer"), reason))
        kept = [(label, text) for label, text in typed if text.strip()]
        return show_again(spot, idea, Typed(sentence=refusal.message, kept=kept))
    return go_on(spot, idea.id, left, _("Promised by %(day)s.", day=day(until)), in_place=True)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DayNotPossible(_("Name the day like this: 2026-12-24.")) from None
