"""“Why am I told?”, and fewer news of one idea."""

from __future__ import annotations

from flask import abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.ideas import service as ideas
from portal.notifications import queries, reasons
from portal.notifications.views.pages import bp, show_row, told_row
from portal.transactions import transaction
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer


@bp.get("/inbox/<int:notification_id>/why")
def why(notification_id: int) -> Response:
    """See why one was told of something, by which rule, and where to change it."""
    authorize("account.use")
    notification = queries.get_notification(notification_id, viewer())
    story = queries.news_row(notification, notification.id, viewer()).lead
    return page("notifications/why.html", shown=reasons.explain(story, member()), notification_id=notification_id)


@bp.post("/inbox/<int:notification_id>/quieter")
def quieter(notification_id: int) -> Response:
    """Hear of the decisions on an idea only."""
    row = told_row(notification_id)
    with transaction():
        ideas.follow_quietly(row.lead.idea, member())
    return show_row(notification_id, _("You hear of decisions on “%(title)s” only.", title=row.lead.idea.title))


@bp.post("/inbox/<int:notification_id>/level")
def choose_level(notification_id: int) -> Response:
    """Hear of everything, of decisions only, or of nothing that becomes of an idea."""
    row = told_row(notification_id)
    acts = {"follow": ideas.follow, "quiet": ideas.follow_quietly, "mute": ideas.unfollow}
    act = acts.get(request.form.get("choice", "")) or abort(400)
    with transaction():
        act(row.lead.idea, member())
    return go_to(url_for(".why", notification_id=notification_id), notice=_("Saved."))
