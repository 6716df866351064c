"""Standing behind a need without the solution that an idea proposes."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.extensions import limiter
from portal.ideas.models import Idea
from portal.ideas.queries import get_idea
from portal.links import service
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.responses import go_to
from portal.web.session import authorize, member, viewer

bp = Blueprint("links", __name__)


@bp.post("/ideas/<int:idea_id>/need-only")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def back_need(idea_id: int) -> Response:
    """Say that one has the need, and wants another solution."""
    idea = _main(idea_id)
    authorize("idea.vote", idea)
    with transaction():
        service.back_need(idea, member())
    return go_to(url_for("ideas.show", idea_id=idea.id), _("Noted: you have this need, and want another solution."))


@bp.post("/ideas/<int:idea_id>/need-only/withdraw")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def unback_need(idea_id: int) -> Response:
    """Take that back."""
    idea = _main(idea_id)
    authorize("idea.vote", idea)
    with transaction():
        service.unback_need(idea, member())
    return go_to(url_for("ideas.show", idea_id=idea.id), _("Taken back."))


def _main(idea_id: int) -> Idea:
    """Return the idea that counts, of a merged one the main idea, or answer 404."""
    idea = get_idea(idea_id, viewer())
    return get_idea(idea.merged_into_id, viewer()) if idea.merged_into_id else idea
