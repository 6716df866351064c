"""The page of each quarter, and who gets it by mail."""

from __future__ import annotations

from flask import Blueprint, abort, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.db import utcnow
from portal.options import decide, option
from portal.quarters import queries
from portal.quarters.calendar import Quarter
from portal.quarters.forms import ReadersForm
from portal.quarters.letters import sentences
from portal.transactions import transaction
from portal.web.responses import go_to, page
from portal.web.session import authorize, viewer

bp = Blueprint("quarters", __name__)


@bp.get("/quarters")
def index() -> Response:
    """See of which quarters there is a page."""
    return page("quarters/index.html", quarters=queries.quarters(viewer()))


@bp.get("/quarters/<name>")
def show(name: str) -> Response:
    """Read what people said in a quarter, what we did, and what we did not."""
    quarter = Quarter.read(name) or abort(404)
    there = queries.quarters(viewer())
    if quarter not in there:
        abort(404)
    told = queries.report(quarter, viewer())
    return page(
        "quarters/show.html",
        told=told,
        sentences=sentences(told),
        before=quarter.before if quarter.before in there else None,
        after=quarter.next if quarter.next in there else None,
        now=utcnow(),
    )


@bp.route("/admin/quarters", methods=["GET", "POST"])
def readers() -> Response:
    """Decide who gets the page of each quarter by mail."""
    authorize("options.decide")
    form = ReadersForm(data={"addresses": "\n".join(option("quarter_readers"))})
    if form.validate_on_submit():
        with transaction(wake=False):
            decide("quarter_readers", form.lines)
        return go_to(url_for(".readers"), _("Saved."))
    return page("quarters/readers.html", status=422 if form.errors else 200, form=form)
