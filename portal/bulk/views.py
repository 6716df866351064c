"""Doing one thing with many ideas: choosing what, seeing what would happen, doing it, and taking it back."""

from __future__ import annotations

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.accounts.roles import DECIDERS
from portal.boards.queries import list_worked_on
from portal.bulk import carrying, queries, service
from portal.bulk.forms import TellForm, wish_for
from portal.bulk.kinds import KINDS
from portal.bulk.models import BulkAct, Step
from portal.bulk.selection import MOST, Selection, read
from portal.bulk.wishes import wishes
from portal.ideas.steps import Tell
from portal.transactions import transaction
from portal.triage.desk import spot_of
from portal.triage.queues import QUEUES
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer

bp = Blueprint("bulk", __name__, url_prefix="/triage/bulk")


@bp.get("/new")
def new() -> ResponseReturnValue:
    """Choose what to do with the ideas that were ticked, or with a whole queue."""
    authorize("bulk.act")
    return _show_form()


@bp.post("/new")
def plan() -> ResponseReturnValue:
    """Look at what would happen; nothing is done yet."""
    authorize("bulk.act")
    selection = _selection()
    wish = wish_for(request.values.get("act", ""), list_worked_on(viewer(), DECIDERS)) or abort(400)
    what = wish.what() if wish.form.validate() else None
    ideas, too_many = read(selection, member())
    if what is None or too_many or not ideas:
        return _show_form(422)
    with transaction(wake=False):
        ideas, _more = read(selection, member())  # as they are now, all at once
        act = service.plan(member(), wish.kind, what, ideas, chosen=selection.name, back=_back(selection))
        number = act.id
    return go_to(url_for(".show", act_id=number))


@bp.get("")
def index() -> ResponseReturnValue:
    """Look through what was done with many ideas lately."""
    authorize("bulk.act")
    return page("bulk/index.html", acts=queries.recent_acts(viewer()))


@bp.get("/<int:act_id>")
def show(act_id: int) -> ResponseReturnValue:
    """See what would happen, how far it is, or what became of it."""
    authorize("bulk.act")
    act = queries.get_act(act_id, viewer())
    return page("bulk/show.html", "bulk/_progress.html", seen=queries.overview(act, viewer()), form=_tell_form(act))


@bp.post("/<int:act_id>/carry-out")
def carry_out(act_id: int) -> ResponseReturnValue:
    """Do it, and tell people of it in one way for all."""
    authorize("bulk.act")
    act = queries.get_act(act_id, viewer())
    if act.actor_id != member().id:
        abort(404)
    form = _tell_form(act)
    if form is not None and not form.validate():
        seen = queries.overview(act, viewer())
        return page("bulk/show.html", "bulk/_progress.html", 422, seen=seen, form=form)
    with transaction():
        service.begin(act, Tell(form.tell.data) if form else Tell.NOBODY)
    carrying.carry_out(act_id, carrying.AT_ONCE + 1)
    return go_to(url_for(".show", act_id=act_id))


@bp.post("/<int:act_id>/undo")
def undo(act_id: int) -> ResponseReturnValue:
    """Take all of it back, as far as nobody has changed it since."""
    authorize("bulk.act")
    act = queries.get_act(act_id, viewer())
    authorize("bulk.undo", act)
    with transaction():
        service.take_back(act, member())
    carrying.carry_out(act_id, carrying.AT_ONCE + 1)
    return go_to(url_for(".show", act_id=act_id))


def _show_form(status: int = 200) -> ResponseReturnValue:
    selection, chosen = _selection(), request.values.get("act", "")
    ideas, too_many = read(selection, member())
    wish = wish_for(chosen, list_worked_on(viewer(), DECIDERS)) if chosen else None
    if wish and request.method == "POST" and wish.form.validate():
        wish.what()
    sentence = ""
    if not ideas:
        sentence = _("Tick the ideas first, or take the whole queue.")
    elif too_many:
        sentence = _("At most %(most)s ideas can be changed at once. Narrow the queue down first.", most=MOST)
    return page(
        "bulk/new.html",
        status=status,
        selection=selection,
        ideas=ideas,
        sentence=sentence,
        wish=wish,
        wishes=wishes(),
        back=_back(selection),
    )


def _selection() -> Selection:
    spot = spot_of(request.values.get("queue") or next(iter(QUEUES)))
    numbers = tuple(int(text) for text in request.values.getlist("idea") if text.isdecimal() and len(text) < 10)
    return Selection(spot.queue, spot.board, numbers[:MOST], everything="all" in request.values)


def _back(selection: Selection) -> str:
    board = selection.board.slug if selection.board else None
    return url_for("triage.queue", queue=selection.queue.name, board=board, q=request.values.get("q") or None)


def _tell_form(act: BulkAct) -> TellForm | None:
    """Return the question who hears of it; None where nobody would."""
    told = act.what.get("audience", {})
    if act.step is not Step.PLANNED or not KINDS[act.kind].tells or not told.get("people"):
        return None
    form = TellForm()
    people, mails, letters = told["people"], told["mails"], told["letters"]
    form.tell.choices = [
        (
            Tell.DIGEST.value,
            ngettext("One mail each: %(num)d mail", "One mail each: %(num)d mails", letters),
        ),
        (
            Tell.EVERYBODY.value,
            ngettext("A mail for each idea: %(num)d mail", "A mail for each idea: %(num)d mails", mails),
        ),
        (
            Tell.NOBODY.value,
            ngettext("Nobody: %(num)d person reads nothing of it", "Nobody: %(num)d people read nothing of it", people),
        ),
    ]
    return form
