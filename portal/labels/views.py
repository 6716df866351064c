"""Looking at the team's own words for ideas, and calling them otherwise."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.labels import queries, service
from portal.transactions import transaction
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer

bp = Blueprint("labels", __name__, url_prefix="/labels")


@bp.get("")
def index() -> Response:
    """See which labels are in use, and how often."""
    authorize("triage.read")
    return page("labels/index.html", labels=queries.labels_known_to(viewer()))


@bp.get("/<int:label_id>")
def label(label_id: int) -> Response:
    """See which ideas carry a label."""
    authorize("triage.read")
    found = queries.get_label(label_id, viewer())
    return page("labels/label.html", label=found, ideas=queries.ideas_with(found, viewer()))


@bp.post("/<int:label_id>")
def rename(label_id: int) -> Response:
    """Call a label otherwise on all ideas."""
    authorize("label.manage")
    found = queries.get_label(label_id, viewer())
    name = request.form.get("name", "")
    with transaction():
        service.rename_label(found, name, member())
    return go_to(url_for(".index"), _("It is called “%(name)s” now.", name=service.clean(name)))


@bp.post("/<int:label_id>/remove")
def remove(label_id: int) -> Response:
    """Take a label off all ideas."""
    authorize("label.manage")
    found = queries.get_label(label_id, viewer())
    with transaction():
        off = service.remove_label(found, member())
    said = ngettext("The label is gone from %(num)d idea.", "The label is gone from %(num)d ideas.", off)
    return go_to(url_for(".index"), said)
