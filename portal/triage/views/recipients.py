"""Who would hear of a move, an answer or a merge, by number and by name; and what was sent of earlier ones."""

from __future__ import annotations

from typing import Any

from flask import abort, request, url_for
from flask.typing import ResponseReturnValue

from portal.ideas.queries import get_idea
from portal.notifications import recipients
from portal.notifications.sent import sent_about
from portal.triage.recipients import step_named
from portal.triage.views.pages import bp
from portal.web import paging
from portal.web.responses import fragment, is_htmx, page
from portal.web.session import authorize, viewer

ON_A_PAGE = 100


@bp.get("/recipients/<int:idea_id>/<name>")
def recipients_of(idea_id: int, name: str) -> ResponseReturnValue:
    """See who would hear of it, how, and who would not, and why."""
    idea = get_idea(idea_id, viewer())
    authorize("votes.see_names", idea)
    step = step_named(idea, name)
    if step is None and is_htmx() and "short" in request.args:
        return fragment("triage/_recipients_gone.html", idea=idea, name=name)
    if step is None:
        abort(404)
    counted = recipients.count(step.kind, idea, viewer().id, step.among)
    if is_htmx() and "short" in request.args:
        return fragment("triage/_recipients.html", idea=idea, name=name, counted=counted)
    ways = [way for way in recipients.BY if counted.by.get(way)]
    way = request.args.get("way", "")
    way = way if way in recipients.BY else ways[0] if ways else "mail"
    after = paging.place(request.args.get("after"), (str, int))
    rows = recipients.people(step.kind, idea, viewer().id, step.among, way, after, ON_A_PAGE + 1)
    last = rows[ON_A_PAGE - 1].user if len(rows) > ON_A_PAGE else None
    here: dict[str, Any] = {"idea_id": idea_id, "name": name, "way": way}
    return page(
        "triage/recipients.html",
        idea=idea,
        step=step,
        counted=counted,
        ways=recipients.BY,
        way=way,
        rows=rows[:ON_A_PAGE],
        older=url_for(".recipients_of", after=paging.cursor(last.name_key, last.id), **here) if last else None,
        first=url_for(".recipients_of", **here) if after else None,
    )


@bp.get("/sent/<int:idea_id>")
def sent(idea_id: int) -> ResponseReturnValue:
    """See what went out about an idea, and what became of it."""
    idea = get_idea(idea_id, viewer())
    authorize("triage.read", idea)
    return page("triage/sent.html", idea=idea, rows=sent_about(idea))
