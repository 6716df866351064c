"""How a number is made up, for everybody; and for whom one counts oneself."""

from __future__ import annotations

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.ideas.queries import get_idea
from portal.organisations import honesty, queries, service
from portal.organisations.views.base import bp
from portal.transactions import transaction
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer


@bp.get("/ideas/<int:idea_id>/count")
def count(idea_id: int) -> Response:
    """See what the number of votes is made of, and how we count."""
    idea = get_idea(idea_id, viewer())
    idea = get_idea(idea.merged_into_id, viewer()) if idea.merged_into_id else idea
    return page(
        "organisations/count.html",
        idea=idea,
        count=honesty.count_of(idea, viewer()),
        aside=honesty.is_aside_for(idea, viewer()),
        given=honesty.given_for(idea, viewer()),
        young_days=honesty.YOUNG.days,
    )


@bp.route("/account/belonging", methods=["GET", "POST"])
def belonging() -> Response:
    """Say whether one counts for the organisation of one's address, or for oneself."""
    authorize("account.use")
    if request.method == "POST":
        alone = request.form.get("alone") == "1"
        with transaction():
            (service.speak_for_oneself if alone else service.speak_for_organisation_again)(member())
        said = _("You speak for yourself.") if alone else _("Saved. Your address decides again.")
        place = queries.belonging_of(member())
        if not alone and place is not None and place.is_taken_out:
            said = _("Saved. You count for no organisation until an admin changes it.")
        return go_to(url_for(".belonging"), said)
    return page("organisations/belonging.html", place=queries.belonging_of(member()), person=member())
