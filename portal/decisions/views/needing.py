"""Saying that one still needs what was declined."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.decisions import queries, service
from portal.extensions import limiter
from portal.ideas.models import Idea
from portal.ideas.queries import get_idea
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.responses import fragment, go_to, swap
from portal.web.session import authorize, member, viewer

bp = Blueprint("decisions", __name__)


@bp.post("/ideas/<int:idea_id>/need")
@limiter.limit(LIMITS["needs"], key_func=per_person)
def say_need(idea_id: int) -> Response:
    """Say that one still needs what was declined, with a line for the team."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.vote", idea)
    with transaction():
        service.say_need(idea, member(), request.form.get("words", ""))
    return _show(idea, _("Noted. It counts, and you hear when something changes."))


@bp.post("/ideas/<int:idea_id>/need/withdraw")
@limiter.limit(LIMITS["needs"], key_func=per_person)
def withdraw_need(idea_id: int) -> Response:
    """No longer say so."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.vote", idea)
    with transaction():
        service.take_back_need(idea, member())
    return _show(idea, _("Taken back."))


def _show(idea: Idea, said: str) -> Response:
    standing = queries.standing_for(idea, viewer())
    if standing is None:  # it has moved meanwhile
        return go_to(url_for("ideas.show", idea_id=idea.id), notice=said)
    return swap(
        fragment("decisions/_still_needed.html", standing=standing),
        otherwise=url_for("ideas.show", idea_id=idea.id, _anchor=f"idea-{idea.id}-need"),
        said=said,
    )
