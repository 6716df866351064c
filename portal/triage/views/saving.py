"""Queues that people keep: saved from any filter, renamed, shared, deleted; and who else is at an idea."""

from __future__ import annotations

from flask import abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import Refusal
from portal.ideas.queries import get_idea
from portal.search import saved as keeping
from portal.search.models import Alert, SavedSearch
from portal.transactions import transaction
from portal.triage import presence, queues
from portal.triage.saved import PREFIX
from portal.triage.views.pages import bp
from portal.web.once import made_once
from portal.web.responses import fragment, go_to
from portal.web.session import authorize, member, viewer


@bp.post("/save")
def save_queue() -> ResponseReturnValue:
    """Keep what a filter finds as a queue, for oneself or for the team."""
    authorize("search.staff")
    query = request.values.get("q", "")
    try:
        with transaction(wake=False):
            shared = "shared" in request.values
            kept = made_once(SavedSearch, lambda: keeping.save_search(member(), query, name=_name(), shared=shared))
    except Refusal as refusal:
        flash(refusal.message, "error")
        return go_to(url_for(".queue", queue=queues.FIND, q=query))
    flash(_("Saved as “%(name)s”.", name=kept.name))
    return go_to(_address(kept))


@bp.post("/saved/<int:search_id>")
def change_queue(search_id: int) -> ResponseReturnValue:
    """Call a queue of one's own otherwise, share it or not."""
    authorize("search.staff")
    kept = keeping.get_own(search_id, viewer())
    try:
        with transaction(wake=False):
            keeping.change_search(kept, name=_name(), shared="shared" in request.form, alert=kept.alert)
    except Refusal as refusal:
        flash(refusal.message, "error")
    else:
        flash(_("Saved."))
    return go_to(_address(kept))


@bp.post("/saved/<int:search_id>/delete")
def delete_queue(search_id: int) -> ResponseReturnValue:
    """Keep a queue no more."""
    authorize("search.staff")
    kept = keeping.get_own(search_id, viewer())
    again = url_for(".save_queue", q=kept.query, name=kept.name, shared=1 if kept.shared else None)
    had_alert = kept.alert is not Alert.NONE
    with transaction(wake=False):
        keeping.delete_search(kept)
    flash(_("Deleted."), "message" if had_alert else f"undo:{again}")
    return go_to(url_for(".index"))


@bp.post("/<queue>/<int:idea_id>/here")
def here(queue: str, idea_id: int) -> ResponseReturnValue:
    """Say that one has the idea open, and hear who else has."""
    authorize("triage.read")
    idea = get_idea(idea_id, viewer())
    authorize("triage.read", idea)
    if queues.queue_named(queue, viewer()) is None:
        abort(404)
    presence.note(idea, member())
    return fragment("triage/_names.html", here=presence.others_at(idea, viewer()))


def _name() -> str:
    return request.values.get("name", "")


def _address(kept: SavedSearch) -> str:
    return url_for(".queue", queue=f"{PREFIX}{kept.id}")
