"""Searching, and similar ideas while somebody types."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from portal.boards.queries import list_boards
from portal.extensions import limiter
from portal.search import forms, queries
from portal.text import clean_line
from portal.web.limits import LIMITS, per_person
from portal.web.responses import page
from portal.web.session import viewer

bp = Blueprint("search", __name__, url_prefix="/search")


@bp.get("")
@limiter.limit(LIMITS["search"], key_func=per_person)
def index() -> Response:
    """Search the ideas, their discussions and answers."""
    asked = forms.read(request.args, viewer())
    number = _page_number()
    results = None if asked.is_empty else queries.search_ideas(viewer(), asked, number)
    return page(
        "search/index.html",
        "search/_results.html",
        asked=asked,
        results=results,
        boards=list_boards(viewer()),
    )


@bp.get("/similar")
@limiter.limit(LIMITS["similar"], key_func=per_person)
def similar() -> Response:
    """See, while typing, whether the idea exists."""
    title = clean_line(request.args.get("title"))[:300]
    worth = queries.is_worth_comparing(title)
    ideas = queries.similar_ideas(viewer(), title, request.args.get("need", "")) if worth else []
    return page(
        "search/similar.html",
        "search/_similar.html",
        title=title,
        ideas=ideas,
        looked=worth,
        in_form=request.args.get("in") == "form",
    )


def _page_number() -> int:
    try:
        return min(max(int(request.args.get("page", "1")), 1), queries.RANKED // queries.PAGE)
    except ValueError:
        return 1
