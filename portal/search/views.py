"""Searching, and similar ideas while somebody types."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.boards.queries import board_lines
from portal.demand.queries import backings
from portal.demand.service import note_search
from portal.extensions import limiter
from portal.search import facets, forms, queries, results, synonyms
from portal.search import saved as keeping
from portal.search.asking import read
from portal.search.models import SavedSearch
from portal.text import clean_line
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.machines import is_machine
from portal.web.once import made_once
from portal.web.responses import go_to, page
from portal.web.session import authorize, can, member, viewer

bp = Blueprint("search", __name__, url_prefix="/search")
synonyms_bp = Blueprint("synonyms", __name__, url_prefix="/admin/synonyms")


@bp.get("")
@limiter.limit(LIMITS["search"], key_func=per_person)
def index() -> Response:
    """Search the ideas, their discussions and answers."""
    typed = forms.typed(request.args)
    asked, number = read(typed, viewer().works_here), _page_number()
    found = None if asked.is_empty else results.search_ideas(viewer(), asked, number)
    token = ""
    if found and asked.wanted and number == 1:
        token = note_search(asked.wanted, found.total, viewer(), is_machine(request.environ))
    return page(
        "search/index.html",
        "search/_results.html",
        typed=typed,
        results=found,
        chips=facets.chips(found.asked) if found else [],
        token=token,
        boards=found.boards if found else board_lines(viewer()),
        kept=keeping.kept_for(viewer()) if can("search.staff") else None,
    )


@bp.get("/saved")
def saved() -> Response:
    """See the searches that one keeps, and those that colleagues share."""
    authorize("search.staff")
    return page("search/saved.html", kept=keeping.kept_for(viewer()), form=None, changed=0)


@bp.post("/saved")
def save() -> Response:
    """Keep a search."""
    authorize("search.staff")
    form = forms.SaveForm()
    if not form.validate_on_submit():
        return _show_kept(form)
    line = clean_line(form.q.data)
    with transaction():
        name = form.name.data or ""
        search = made_once(SavedSearch, lambda: keeping.save_search(member(), line, name=name, **form.choices))
    return go_to(url_for(".index", q=search.query), notice=_("Kept as “%(name)s”.", name=search.name))


@bp.get("/saved/<int:search_id>")
def open_saved(search_id: int) -> Response:
    """See what a kept search finds now."""
    authorize("search.staff")
    return go_to(url_for(".index", q=keeping.get_shown(search_id, viewer()).query))


@bp.post("/saved/<int:search_id>")
def change_saved(search_id: int) -> Response:
    """Call a kept search otherwise, share it or not, hear of it or not."""
    authorize("search.staff")
    search = keeping.get_own(search_id, viewer())
    form = forms.SaveForm()
    if not form.validate_on_submit():
        return _show_kept(form, search_id)
    with transaction():
        keeping.change_search(search, name=form.name.data or "", **form.choices)
    return go_to(url_for(".saved"), notice=_("Saved."))


@bp.post("/saved/<int:search_id>/delete")
def delete_saved(search_id: int) -> Response:
    """Keep a search no more."""
    authorize("search.staff")
    search = keeping.get_own(search_id, viewer())
    with transaction():
        keeping.delete_search(search)
    return go_to(url_for(".saved"), notice=_("Deleted."))


@bp.get("/similar")
@limiter.limit(LIMITS["similar"], key_func=per_person)
def similar() -> Response:
    """See, while typing, whether the idea exists."""
    title = clean_line(request.args.get("title"))[:300]
    worth = queries.is_worth_comparing(title)
    ideas = queries.similar_ideas(viewer(), title, request.args.get("need", "")) if worth else []
    in_form = request.args.get("in") == "form"
    return page(
        "search/similar.html",
        "search/_similar.html",
        title=title,
        ideas=ideas,
        backings=backings([idea.row.ballot for idea in ideas], viewer(), title, in_form=in_form),
        looked=worth,
        in_form=in_form,
    )


def _show_kept(form: forms.SaveForm, changed: int = 0) -> Response:
    return page("search/saved.html", status=422, kept=keeping.kept_for(viewer()), form=form, changed=changed)


def _page_number() -> int:
    try:
        return min(max(int(request.args.get("page", "1")), 1), results.RANKED // results.PAGE)
    except ValueError:
        return 1


# Words that mean the same


@synonyms_bp.get("")
def list_synonyms() -> Response:
    """Read which words mean the same, and which are proposed."""
    authorize("options.decide")
    return page(
        "search/synonyms.html",
        proposed=synonyms.proposed(),
        accepted=synonyms.decided(True),
        refused=synonyms.decided(False),
    )


@synonyms_bp.post("")
def decide_synonyms() -> Response:
    """Say that two words mean the same, or that they do not."""
    authorize("options.decide")
    one, other = (clean_line(request.form.get(name)) for name in ("one", "other"))
    with transaction():
        synonyms.decide_on(
            one, other, request.form.get("verdict") != "refuse", member(), by_hand="by_hand" in request.form
        )
    return go_to(url_for("synonyms.list_synonyms"), notice=_("Searches know it within seconds."))


@synonyms_bp.post("/take-back")
def take_back_synonyms() -> Response:
    """Take back what was decided on two words."""
    authorize("options.decide")
    with transaction():
        synonyms.take_back(request.form.get("one", ""), request.form.get("other", ""), member())
    return go_to(url_for("synonyms.list_synonyms"))
