"""Searching, and similar ideas while somebody types."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from portal.boards.queries import board_lines
from portal.demand.queries import backings
from portal.demand.service import note_search
from portal.extensions import limiter
from portal.search import facets, forms, queries, results
from portal.search.asking import read
from portal.text import clean_line
from portal.web.limits import LIMITS, per_person
from portal.web.machines import is_machine
from portal.web.responses import page
from portal.web.session import viewer

bp = Blueprint("search", __name__, url_prefix="/search")


@bp.get("")
@limiter.limit(LIMITS["search"], key_func=per_person)
def index() -> Response:
    """Search the ideas, their discussions and answers."""
    typed = forms.typed(request.args)
    asked, number = read(typed), _page_number()
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
        boards=board_lines(viewer()),
    )


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


def _page_number() -> int:
    try:
        return min(max(int(request.args.get("page", "1")), 1), results.RANKED // results.PAGE)
    except ValueError:
        return 1
