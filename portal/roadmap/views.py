"""The roadmap: reading it, and planning on it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.boards.queries import find_board, list_boards
from portal.changelog.queries import shipped_lately
from portal.errors import Refusal
from portal.ideas import moves
from portal.ideas.models import Idea
from portal.ideas.queries import get_idea
from portal.ideas.service import lock
from portal.ideas.steps import DetailMissing
from portal.ideas.workflow import Status, move_between
from portal.roadmap import queries, service
from portal.roadmap.forms import OFF, STAY_OR_MOVE, Offer, PlaceForm, StatusForm, ThemeForm
from portal.roadmap.models import Horizon, Theme
from portal.roadmap.service import Spot
from portal.transactions import transaction
from portal.web.once import made_once
from portal.web.responses import go_to, page
from portal.web.session import authorize, can, member, viewer

bp = Blueprint("roadmap", __name__, url_prefix="/roadmap")


@bp.get("")
def index() -> Response:
    """Read what is being built, what is decided, and what the team would like to do."""
    person, asked = viewer(), request.args
    slug, tag, view = asked.get("board", ""), asked.get("tag", "")[:30], asked.get("by", "theme")
    board = (find_board(slug, person) or abort(404)) if slug else None
    only_voted = person.is_signed_in and asked.get("who") == "voted"
    roadmap = queries.roadmap_for(person, board=board, tag=tag, by_board=view == "board", only_voted=only_voted)
    ids = [item.id for row in roadmap.rows for items in row.cells.values() for item in items]
    return page(
        "roadmap/index.html",
        roadmap=roadmap,
        boards=list_boards(person),
        board=board,
        tag=tag,
        tags=queries.tags_on(ids) if ids else [],
        view="board" if view == "board" else "theme",
        only_voted=only_voted,
        horizons=tuple(Horizon),
        shipped=shipped_lately(person),
    )


@bp.route("/ideas/<int:idea_id>", methods=["GET", "POST"])
def move(idea_id: int) -> Response:
    """Say where an idea is meant to stand, and whether its status changes with that."""
    idea = get_idea(idea_id, viewer())
    authorize("roadmap.plan", idea)
    form, offers = _forms(idea)
    if request.method != "POST":
        return _ask(idea, form, offers)
    chosen = offers.get(form.horizon.data or "")
    valid = form.validate() and (chosen is None or chosen.form.validate())
    if valid and chosen and not chosen.form.also.data and form.horizon.data != _name(service.spot_of(idea)):
        chosen.form.also.errors = [_("Say whether its status changes too.")]
        valid = False
    if not valid:
        return _ask(idea, form, offers, 422)
    try:
        with transaction():
            lock(idea)
            if form.seen.data != _seen(idea):
                raise Refusal(_("Somebody moved it meanwhile. Look again; what you wrote is still here."))
            return _carry_out(idea, _wanted(form), chosen)
    except DetailMissing as missing:
        if chosen is None or missing.field not in chosen.asks:
            raise
        chosen.form[missing.field].errors = [missing.message]
    except Refusal as refusal:
        form.seen.data = _seen(get_idea(idea_id, viewer()))
        return _ask(idea, form, offers, refusal.status, refusal.message)
    return _ask(idea, form, offers, 422)


@bp.post("/ideas/<int:idea_id>/place")
def place(idea_id: int) -> Response:
    """Put an idea elsewhere at once; another column is asked about first, unless this takes such a step back."""
    idea = get_idea(idea_id, viewer())
    authorize("roadmap.plan", idea)
    form, offers = _forms(idea, request.values)
    if not form.theme.validate(form) or not form.horizon.validate(form):
        abort(400)
    wanted = _wanted(form)
    if "back" not in request.args:
        wanted = Spot(wanted.theme_id, wanted.horizon, idea.expected)
        if wanted.horizon is not service.spot_of(idea).horizon and _name(wanted) in offers:
            return go_to(url_for(".move", idea_id=idea.id, theme=wanted.theme_id or "", horizon=_name(wanted)))
    with transaction():
        return _carry_out(idea, wanted, None)


@bp.get("/more")
def more() -> Response:
    """Look at parked ideas that could stand under Later, and at what was taken off."""
    authorize("roadmap.plan")
    return page("roadmap/more.html", ideas=queries.not_on_it(viewer()))


@bp.route("/themes", methods=["GET", "POST"])
def themes() -> Response:
    """Name the themes and put them in order."""
    authorize("roadmap.themes")
    form = ThemeForm()
    if form.validate_on_submit():
        with transaction():
            theme = made_once(Theme, lambda: service.add_theme(form.name.data, form.about.data or "", member()))
        return go_to(url_for(".themes"), _("“%(name)s” is the last row now.", name=theme.name))
    return page("roadmap/themes.html", status=422 if form.errors else 200, themes=queries.list_themes(), form=form)


@bp.route("/themes/<int:theme_id>", methods=["GET", "POST"])
def theme(theme_id: int) -> Response:
    """Call a theme something else, or take it away."""
    authorize("roadmap.themes")
    found = queries.get_theme(theme_id)
    form = ThemeForm(obj=found)
    if request.method == "POST" and request.form.get("do") == "remove":
        with transaction():
            service.remove_theme(found, member())
        return go_to(url_for(".themes"), _("The theme is gone. Its ideas are on the roadmap as before, in no theme."))
    if form.validate_on_submit():
        with transaction():
            service.reword_theme(found, form.name.data, form.about.data or "", member())
        return go_to(url_for(".themes"), _("Saved."))
    return page("roadmap/theme.html", status=422 if form.errors else 200, theme=found, form=form)


@bp.post("/themes/<int:theme_id>/order")
def order(theme_id: int) -> Response:
    """Move a theme up or down by one row."""
    authorize("roadmap.themes")
    found = queries.get_theme(theme_id)
    with transaction():
        service.move_theme(found, -1 if request.form.get("to") == "up" else +1, member())
    return go_to(url_for(".themes"))


def _forms(idea: Idea, posted: object = None) -> tuple[PlaceForm, dict[str, Offer]]:
    """Return the form with what was asked for or holds now, and the changes of status by their column."""
    now = service.spot_of(idea)
    held = {
        "theme": request.args.get("theme", str(now.theme_id or "")),
        "horizon": request.args.get("horizon", _name(now)),
        "expected": idea.expected,
        "seen": _seen(idea),
    }
    form = PlaceForm(posted, data=held) if posted is not None else PlaceForm(data=held)
    form.offer(queries.list_themes())
    offers = {}
    for horizon in Horizon:
        step = move_between(idea.rule, horizon.status.rule)
        if step is not None and can("move.make", (step, idea)):
            status_form = StatusForm(prefix=f"{step.target.value}-")
            status_form.also.choices = list(STAY_OR_MOVE)
            offers[horizon.value] = Offer(step, status_form)
    return form, offers


def _carry_out(idea: Idea, wanted: Spot, offer: Offer | None) -> Response:
    """Change the status if that was asked for, put the idea in its place, and say what was done."""
    told, moved = 0, offer is not None and offer.is_wanted
    if offer is not None and moved:
        if offer.move.target is Status.NOT_NOW:
            wanted = Spot(wanted.theme_id, wanted.horizon)  # what is parked has no date
        told = moves.move_idea(idea, offer.move.target, member(), offer.details(wanted.expected)).told
    before = service.place_idea(idea, wanted, member())
    said = _placed(wanted)
    if offer is not None and moved:
        said += " " + _("Moved to %(status)s.", status=offer.move.goal.label)
        said += " " + ngettext("%(num)d person will hear about it.", "%(num)d people will hear about it.", told)
        flash(said)
    else:
        back: dict[str, Any] = {"theme": before.theme_id or "", "horizon": _name(before), "expected": before.expected}
        flash(f"{said} {_('Nobody is told.')}", "undo:" + url_for(".place", idea_id=idea.id, back=1, **back))
    return go_to(url_for(".index", _anchor=f"plan-{idea.id}"))


def _placed(wanted: Spot) -> str:
    if wanted.horizon is None:
        return _("Taken off the roadmap.")
    if wanted.theme_id is None:
        return _("Now under %(when)s.", when=wanted.horizon.label)
    name = queries.get_theme(wanted.theme_id).name
    return _("Now under %(when)s in “%(theme)s”.", when=wanted.horizon.label, theme=name)


def _ask(idea: Idea, form: PlaceForm, offers: dict[str, Offer], status: int = 200, sentence: str = "") -> Response:
    hears = service.who_hears(idea, member()) if offers else {}
    for offer in offers.values():
        offer.say(idea.status, sum(hears.values()))
    return page(
        "roadmap/move.html",
        status=status,
        idea=idea,
        form=form,
        offers=offers,
        hears=hears,
        sentence=sentence,
        now=service.spot_of(idea),
        horizons=tuple(Horizon),
    )


def _wanted(form: PlaceForm) -> Spot:
    horizon = None if form.horizon.data == OFF else Horizon(form.horizon.data)
    return Spot(int(form.theme.data) if form.theme.data else None, horizon, form.expected.data or "")


def _name(spot: Spot) -> str:
    return spot.horizon.value if spot.horizon else OFF


def _seen(idea: Idea) -> str:
    spot = service.spot_of(idea)
    return f"{idea.status} {_name(spot)} {spot.theme_id or ''}"
