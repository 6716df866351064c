"""Giving scores, the list of ideas in the order of what speaks for them, and the formula."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.boards.queries import list_worked_on
from portal.errors import Refusal
from portal.ideas.models import Idea
from portal.ideas.queries import get_idea
from portal.numbers import NotClear, read_number
from portal.organisations.queries import list_organisations
from portal.organisations.segments import list_segments
from portal.scores import queries, service
from portal.scores.factors import COUNTED, HIGHEST, MOST, Factor, scoring
from portal.scores.formula import FUNCTIONS, WrongFormula
from portal.text import clean_line
from portal.transactions import transaction
from portal.web.responses import fragment, go_to, own_path, page, swap
from portal.web.session import authorize, member, viewer

bp = Blueprint("scores", __name__)


@bp.get("/scores")
def index() -> Response:
    """Look through ideas by score, by organisations or by votes."""
    authorize("triage.read")
    filters = queries.Filters.read(request.args)
    rows, more = queries.list_ranked(viewer(), filters)
    return page(
        "scores/index.html",
        filters=filters,
        rows=rows,
        more=more,
        boards=list_worked_on(viewer()),
        organisations=list_organisations(),
        segments=list_segments(),
        formula=scoring().formula,
        here=url_for(".index", **filters.but(page=filters.page)),
    )


@bp.route("/ideas/<int:idea_id>/score", methods=["GET", "POST"])
def score(idea_id: int) -> Response:
    """Give an idea the parts of its score."""
    idea = get_idea(idea_id, viewer())
    authorize("triage.read", idea)
    if request.method != "POST":
        return page("scores/score.html", card=queries.card_of(idea))
    authorize("idea.triage", idea)
    try:
        with transaction():
            service.give_score(idea, member(), request.form)
    except Refusal as refusal:
        return _again(idea, refusal)
    back = own_path(request.form.get("next"), url_for(".score", idea_id=idea.id))
    return swap(fragment("scores/_score.html", card=queries.card_of(idea)), otherwise=back, notice=_("Score saved."))


@bp.route("/admin/score", methods=["GET", "POST"])
def formula() -> Response:
    """Decide how scores come about."""
    authorize("options.decide")
    method = scoring()
    if request.method != "POST":
        return _show_formula(method.formula, method.factors)
    typed, factors = request.form.get("formula", ""), _factors()
    try:
        with transaction():
            service.change_formula(member(), typed, factors)
    except WrongFormula as refusal:
        return _show_formula(typed, factors, refusal)
    return go_to(url_for(".formula"), _("Saved. Scores given already are counted again by this."))


def _again(idea: Idea, refusal: Refusal) -> Response:
    card = queries.card_of(get_idea(idea.id, viewer()))
    typed = {part.factor.key: request.form.get(part.factor.key, "")[:20] for part in card.parts}
    said = {"sentence": refusal.message, "typed": typed, "wrong": getattr(refusal, "key", "")}
    return page("scores/score.html", "scores/_score.html", refusal.status, card=card, **said)


def _factors() -> list[Factor]:
    form = request.form
    rows = zip(*(form.getlist(name)[:20] for name in ("key", "label", "low", "high", "hint")), strict=False)
    return [
        Factor(
            clean_line(key).lower(),
            clean_line(label)[:40],
            _limit(low, 0),
            _limit(high, HIGHEST),
            clean_line(hint)[:120],
        )
        for key, label, low, high, hint in rows
        if key.strip() or label.strip()
    ]


def _limit(text: str, otherwise: float) -> float:
    try:
        return read_number(text) if text.strip() else otherwise
    except NotClear:
        return float("nan")


def _show_formula(text: str, factors: tuple[Factor, ...] | list[Factor], refusal: Refusal | None = None) -> Response:
    return page(
        "scores/formula.html",
        status=422 if refusal else 200,
        formula=text,
        rows=[*factors, *[None] * max(min(2, MOST - len(factors)), 0)],
        counted=COUNTED,
        functions=list(FUNCTIONS),
        refusal=refusal,
        highest=HIGHEST,
    )
