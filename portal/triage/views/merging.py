"""Joining an idea to the one that says the same."""

from __future__ import annotations

from dataclasses import replace

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.errors import Refusal
from portal.ideas import moves, service
from portal.ideas.merging import CannotMerge
from portal.ideas.models import Idea
from portal.ideas.queries import get_idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.transactions import transaction
from portal.triage import queries, queues
from portal.triage.desk import Spot, spot_of
from portal.triage.merge_preview import preview_merge
from portal.triage.queues import QUEUES
from portal.triage.views.acts import say_told
from portal.triage.views.pages import bp, go_on
from portal.web.responses import fragment, go_to, is_htmx, own_path
from portal.web.session import authorize, member, viewer


class PreviewStale(Refusal):
    """What joining the two would do is no longer what the person saw."""

    def __init__(self) -> None:
        super().__init__(
            _("Somebody voted, followed or changed something meanwhile. These are the figures now; look once more.")
        )


@bp.get("/merge/<int:idea_id>")
def merge(idea_id: int) -> ResponseReturnValue:
    """Choose the main idea, then see exactly what joining the two would do."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    into = request.args.get("into", type=int)
    if into is not None:
        return _show_preview(idea, _main(into))
    query = request.args.get("q", "")
    found = queries.candidates(idea, query, viewer()) if query.strip() else queries.alike(idea, viewer())
    shown = {"idea": idea, "spot": _spot(), "query": query, "found": found}
    if not is_htmx():
        return render_template("triage/merge.html", **shown)
    said = ngettext("%(num)d idea found", "%(num)d ideas found", len(found))
    return fragment("triage/_candidates.html", **shown) + fragment("components/_said.html", text=said)


@bp.post("/merge/<int:idea_id>")
def join(idea_id: int) -> ResponseReturnValue:
    """Join the two, if what would happen is still what the person saw."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    main = _main(request.form.get("into", 0, type=int))
    authorize("idea.triage", main)
    details = MoveDetails(
        into=main,
        reason=request.form.get("reason", ""),
        notice=request.form.get("notice", ""),
        quote="quote" in request.form,
    )
    spot = _spot()
    left = queues.place_of(spot.queue, idea)
    try:
        with transaction():
            if idea.merged_into_id is None:  # else the main idea would have to be held first
                service.lock_in_order(idea, main)
            _refuse_unless_seen(idea, main)
            told = moves.move_idea(idea, Status.MERGED, member(), details).told
    except Refusal as refusal:
        return _show_preview(get_idea(idea_id, viewer()), _main(main.id), refusal, details)
    done = say_told(_("Joined with “%(title)s”.", title=main.title), told)
    undo = spot.url("undo_merge", idea_id=idea.id, at_once=1)
    if back := own_path(request.args.get("back"), ""):
        flash(done, f"undo:{undo}")
        return go_to(back)
    return go_on(spot, idea.id, left, done, undo=undo)


def _refuse_unless_seen(idea: Idea, main: Idea) -> None:
    preview = preview_merge(idea, main, viewer())
    if preview.obstacle:
        raise CannotMerge(preview.obstacle)
    if request.form.get("seen") != preview.seen:
        raise PreviewStale


def _show_preview(
    idea: Idea, main: Idea, refusal: Refusal | None = None, details: MoveDetails | None = None
) -> ResponseReturnValue:
    """Show what would be true afterwards; a pair that cannot be joined says why instead of offering it."""
    preview = preview_merge(idea, main, viewer())
    if refusal is not None and details is not None:
        sentence = "" if refusal.message == preview.obstacle else refusal.message
        notice, reason, quote = details.notice, details.reason, details.quote
        preview = replace(preview, sentence=sentence, notice=notice, reason=reason, quote=quote, typed=True)
    spot = _spot()
    action = spot.url("join", idea_id=idea.id, back=request.args.get("back"))
    text = render_template("triage/merge_preview.html", preview=preview, spot=spot, action=action)
    return text, 422 if refusal else 200


def _main(idea_id: int) -> Idea:
    """Return the idea that is meant, of a merged one its main idea, or answer 404."""
    idea = get_idea(idea_id, viewer())
    return get_idea(idea.merged_into_id, viewer()) if idea.merged_into_id else idea


def _spot() -> Spot:
    name = request.args.get("queue", "")
    return spot_of(name if queues.queue_named(name, viewer()) else next(iter(QUEUES)))
