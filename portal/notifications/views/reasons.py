"""“Why am I told?”, and fewer news of one idea."""

from __future__ import annotations

from flask import abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.ideas import followers
from portal.ideas import service as ideas
from portal.ideas.models import Idea
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


@bp.post("/inbox/<int:notification_id>/mute")
def mute(notification_id: int) -> Response:
    """Hear no more of an idea."""
    row = told_row(notification_id)
    undo = _as_it_was(notification_id, row.lead.idea)
    with transaction():
        ideas.unfollow(row.lead.idea, member())
    return show_row(notification_id, _("You hear no more of “%(title)s”.", title=row.lead.idea.title), undo)


@bp.post("/inbox/<int:notification_id>/unmute")
def unmute(notification_id: int) -> Response:
    """Hear of an idea again: of everything, or as it was when that is undone which made it silent."""
    row = told_row(notification_id)
    with transaction():
        if "was" in request.args:
            ideas.follow_as_before(row.lead.idea, member(), request.args["was"].split())
        else:
            ideas.follow(row.lead.idea, member())
    return show_row(notification_id, _("You hear of “%(title)s” again.", title=row.lead.idea.title))


@bp.post("/inbox/<int:notification_id>/quieter")
def quieter(notification_id: int) -> Response:
    """Hear of the decisions on an idea only."""
    row = told_row(notification_id)
    undo = _as_it_was(notification_id, row.lead.idea)
    with transaction():
        ideas.follow_quietly(row.lead.idea, member())
    return show_row(notification_id, _("You hear of decisions on “%(title)s” only.", title=row.lead.idea.title), undo)


@bp.post("/inbox/<int:notification_id>/level")
def choose_level(notification_id: int) -> Response:
    """Hear of everything, of decisions only, or of nothing that becomes of an idea."""
    row = told_row(notification_id)
    acts = {"follow": ideas.follow, "quiet": ideas.follow_quietly, "mute": ideas.unfollow}
    act = acts.get(request.form.get("choice", "")) or abort(400)
    with transaction():
        act(row.lead.idea, member())
    return go_to(url_for(".why", notification_id=notification_id), notice=_("Saved."))


def _as_it_was(notification_id: int, idea: Idea) -> str:
    """Return the address that lets the viewer hear of an idea as they do now."""
    return url_for(".unmute", notification_id=notification_id, was=followers.choices(idea, member()))
