"""Putting ideas aside: until a day, or done with in this queue."""

from __future__ import annotations

from datetime import date, datetime, time

from flask import abort, request
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _

from portal.errors import Refusal
from portal.ideas.models import Idea
from portal.ideas.queries import get_idea
from portal.transactions import transaction
from portal.triage import asides, queues
from portal.triage.desk import Typed, spot_of
from portal.triage.views.pages import bp, go_on, show_again
from portal.web import dates
from portal.web.session import authorize, member, viewer

MORNING = time(6)


@bp.post("/<queue>/<int:idea_id>/done")
def done(queue: str, idea_id: int) -> ResponseReturnValue:
    """Take the idea off this queue until something happens to it; off those snoozed, let it come back."""
    idea = _workable(idea_id)
    spot = spot_of(queue)
    if spot.queue.name == queues.SNOOZED:
        return snooze(queue, idea_id)
    left = queues.place_of(spot.queue, idea)
    with transaction(wake=False):
        asides.finish(idea, spot.queue.name, member())
    back = spot.url("undone", idea_id=idea.id)
    return go_on(spot, idea.id, left, _("Done. It comes back when something happens to it."), back)


@bp.post("/<queue>/<int:idea_id>/undone")
def undone(queue: str, idea_id: int) -> ResponseReturnValue:
    """Put the idea back into this queue."""
    idea, spot = _workable(idea_id), spot_of(queue)
    with transaction(wake=False):
        asides.unfinish(idea, spot.queue.name, member())
    return go_on(spot, idea.id, None, _("Back in the queue."), stay=True)


@bp.post("/<queue>/<int:idea_id>/snooze")
def snooze(queue: str, idea_id: int) -> ResponseReturnValue:
    """Take the idea off one's queues until a day; without a day let it come back now."""
    idea, spot = _workable(idea_id), spot_of(queue)
    wanted = _day()
    before, left = asides.snoozed_until(idea, member()), queues.place_of(spot.queue, idea)
    back = spot.url("snooze", idea_id=idea.id, until=before.astimezone(get_timezone()).date() if before else "")
    if wanted is None:
        with transaction(wake=False):
            asides.wake(idea, member())
        return go_on(spot, idea.id, left, _("Back in your queues."), back if before else "", stay=True)
    try:
        with transaction(wake=False):
            asides.snooze(idea, datetime.combine(wanted, MORNING, get_timezone()), member())
    except Refusal as refusal:
        return show_again(spot, idea, Typed(sentence=refusal.message))
    return go_on(spot, idea.id, left, _("Snoozed until %(day)s.", day=dates.day(wanted)), back)


def _workable(idea_id: int) -> Idea:
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    return idea


def _day() -> date | None:
    """Return the day that was chosen, or else typed; nothing at all means now."""
    typed = request.values.get("until") or request.values.get("day", "")
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        abort(400)
