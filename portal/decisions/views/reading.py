"""What the team reads of decisions: all of them, and those about ideas like one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from portal.boards.queries import list_worked_on
from portal.decisions import queries
from portal.decisions.models import DECIDED
from portal.decisions.precedents import contradictions, given_for, precedents
from portal.decisions.queries import Filters
from portal.decisions.views.needing import bp
from portal.ideas.queries import get_idea
from portal.ideas.workflow import Status
from portal.web.paging import cursor, place
from portal.web.responses import fragment, is_htmx, page, swap
from portal.web.session import authorize, viewer

ON_A_PAGE = 30


@bp.get("/triage/decisions")
def index() -> Response:
    """Read what was decided, and why."""
    authorize("triage.read")
    chosen = _filters()
    after = place(request.args.get("after"), (datetime, int))
    lines = queries.list_decisions(viewer(), chosen, after, ON_A_PAGE + 1)
    last = lines[ON_A_PAGE - 1].decision if len(lines) > ON_A_PAGE else None
    kept: dict[str, Any] = {
        "status": chosen.status.value if chosen.status else None,
        "reason": chosen.reason_id,
        "only": chosen.only or None,
        "board": chosen.board or None,
    }
    return page(
        "decisions/index.html",
        lines=lines[:ON_A_PAGE],
        chosen=chosen,
        kept=kept,
        statuses=DECIDED,
        reasons=queries.list_reasons(retired=True),
        boards=list_worked_on(viewer()),
        older=url_for(".index", after=cursor(last.at, last.id), **kept) if last else None,
        first=url_for(".index", **kept) if after else None,
    )


@bp.get("/ideas/<int:idea_id>/precedents")
def precedents_of(idea_id: int) -> Response:
    """Read what was decided on ideas like this one, and what a decision now would contradict."""
    idea = get_idea(idea_id, viewer())
    authorize("triage.read", idea)
    found = precedents(idea, viewer())
    target = _status(request.args.get("target"))
    because = next((value for key, value in request.args.items() if key.endswith("because")), "")
    reason_id = int(because) if because.isdigit() and len(because) < 10 else None
    shown: dict[str, Any] = {
        "name": request.args.get("name", "")[:40] or "it",
        "against": contradictions(found, target, reason_id) if target else [],
        "same": given_for(reason_id, viewer(), idea) if reason_id else [],
    }
    if is_htmx():
        return swap(fragment("decisions/_against.html", **shown), otherwise=url_for(".precedents_of", idea_id=idea.id))
    return page("decisions/precedents.html", idea=idea, found=found, target=target, **shown)


def _filters() -> Filters:
    asked = request.args
    reason, only = asked.get("reason", ""), asked.get("only", "")
    return Filters(
        status=_status(asked.get("status")),
        reason_id=int(reason) if reason.isdigit() and len(reason) < 10 else None,
        only=only if only in {"standing", "reopened"} else "",
        board=asked.get("board", "")[:60],
    )


def _status(name: str | None) -> Status | None:
    return next((status for status in DECIDED if status.value == name), None)
