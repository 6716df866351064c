"""Looking through the queues, and the answers that all acts give."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from portal.ideas.models import Idea
from portal.ideas.queries import get_idea
from portal.transactions import transaction
from portal.triage import queues
from portal.triage.desk import Spot, Typed, Workspace, next_idea, open_queues, open_workspace, spot_of
from portal.triage.queues import QUEUES, Place
from portal.triage.views.drafting import resume
from portal.web.responses import fragment, go_to, is_htmx, own_path
from portal.web.session import authorize, member, viewer

bp = Blueprint("triage", __name__, url_prefix="/triage")


NUMBERS, HERE = "triage-queues", "here"
"""The parts of a page that ask for themselves, by their ids."""
NO_MORE = 286  # ends what htmx asks again and again


@bp.after_request
def stay_quiet(answer: Response) -> Response:
    """Answer nothing where a page asked by itself what its reader may not know any more.

    Nobody pressed anything: what is typed on the page must not give way to a sign-in, nor a notice come every so often.
    """
    asked = request.headers.get("HX-Target")
    if asked in {NUMBERS, HERE} and (answer.status_code >= 400 or "HX-Redirect" in answer.headers):
        return Response(status=NO_MORE if asked == HERE else 204)
    return answer


@bp.get("")
def index() -> ResponseReturnValue:
    """Begin with the first queue in which something waits."""
    authorize("triage.read")
    counts = queues.count_all(viewer(), None)
    name = next((name for name in QUEUES if counts[name]), next(iter(QUEUES)))
    return go_to(Spot(QUEUES[name]).url("queue"))


@bp.get("/<queue>")
def queue(queue: str) -> ResponseReturnValue:
    """Look through what waits; a page on which others changed the numbers asks for those alone."""
    authorize("triage.read")
    if request.headers.get("HX-Target") == NUMBERS:
        return fragment("triage/_queues.html", workspace=open_queues(spot_of(queue)))
    return show(open_workspace(spot_of(queue), None, opened=False, finished="finished" in request.args))


@bp.get("/<queue>/<int:idea_id>")
def desk(queue: str, idea_id: int) -> ResponseReturnValue:
    """Look at one idea and what can be done with it."""
    authorize("triage.read")
    idea = get_idea(idea_id, viewer())
    authorize("triage.read", idea)
    return show(open_workspace(spot_of(queue), idea, opened=True, typed=resume(idea)))


@bp.post("/shortcuts")
def shortcuts() -> ResponseReturnValue:
    """Switch single keys on or off, here and everywhere."""
    authorize("triage.read")
    with transaction(wake=False):
        member().shortcuts_on = "on" in request.form
    return go_to(own_path(request.form.get("next"), url_for(".index")))


def show(
    workspace: Workspace, status: int = 200, notice: Markup | str = "", arrived: bool = True
) -> ResponseReturnValue:
    """Show the workspace; for htmx its three parts, of which the desk takes the place of the one before.

    The focus goes to the desk, unless it has not ``arrived`` but was there all the time.
    """
    if not is_htmx():
        return render_template("triage/show.html", workspace=workspace), status
    parts = [
        fragment("triage/_desk.html", workspace=workspace, arrived=arrived),
        fragment("triage/_queue.html", workspace=workspace, oob=True),
        fragment("triage/_queues.html", workspace=workspace, oob=True),
        notice,
    ]
    return make_response(Markup("\n").join(parts), status)


def show_again(spot: Spot, idea: Idea, typed: Typed) -> ResponseReturnValue:
    """Show the desk as it is now, with what was typed and why it did not go through."""
    fresh = get_idea(idea.id, viewer())
    return show(open_workspace(spot, fresh, opened=True, typed=typed), 422)


def go_on(
    spot: Spot,
    idea_id: int,
    left: Place | None,
    notice: str,
    undo: str = "",
    stay: bool = False,
    in_place: bool = False,
) -> ResponseReturnValue:
    """Say what was done; stay with the idea if asked to or while it is in the queue, else go on to the next one.

    What was done ``in_place`` leaves the focus on its control while the idea stays. Whoever came from another page is
    led back there.
    """
    if spot.back:
        flash(notice, f"undo:{undo}" if undo else "message")
        return go_to(spot.back)
    stays = stay or queues.holds(spot.queue, viewer(), spot.board, idea_id)
    shown = idea_id if stays else next_idea(spot, left, idea_id)
    url = spot.url("desk", idea_id=shown) if shown else spot.url("queue", finished=1)
    if not shown:
        notice = _("%(done)s That was the last one.", done=notice)
    if not is_htmx():
        flash(notice, f"undo:{undo}" if undo else "message")
        return redirect(url, 303)
    idea = get_idea(shown, viewer()) if shown else None
    workspace = open_workspace(spot, idea, opened=True, finished=shown is None)
    toast = fragment("components/_notice.html", text=notice, undo=undo or None, oob=True)
    answer = make_response(show(workspace, notice=toast, arrived=not (stays and in_place)))
    answer.headers["HX-Push-Url"] = url
    return answer
