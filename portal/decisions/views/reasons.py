"""Keeping the list of reasons."""

from __future__ import annotations

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.decisions import queries, service
from portal.decisions.forms import ReasonForm
from portal.decisions.models import Reason
from portal.decisions.views.needing import bp
from portal.transactions import transaction
from portal.web.once import made_once
from portal.web.responses import go_to, page
from portal.web.session import authorize, member


@bp.route("/admin/reasons", methods=["GET", "POST"])
def reasons() -> Response:
    """Read the list of reasons, and add one."""
    authorize("options.decide")
    form = ReasonForm().offer()
    if form.validate_on_submit():
        with transaction():
            label, about, kinds = form.label.data, form.about.data or "", form.kinds.data or []
            made_once(Reason, lambda: service.add_reason(member(), label=label, about=about, kinds=kinds))
        return go_to(url_for(".reasons"), _("“%(name)s” is the last of the list now.", name=form.label.data))
    every = queries.list_reasons(retired=True)
    return page(
        "decisions/reasons.html",
        status=422 if form.errors else 200,
        form=form,
        offered=[reason for reason in every if reason.retired_at is None],
        retired=[reason for reason in every if reason.retired_at is not None],
        given=queries.times_given(),
    )


@bp.route("/admin/reasons/<int:reason_id>", methods=["GET", "POST"])
def reason(reason_id: int) -> Response:
    """Say a reason better, or offer it no more."""
    authorize("options.decide")
    found = queries.get_reason(reason_id)
    doing = request.form.get("do") if request.method == "POST" else ""
    if doing == "retire":
        with transaction():
            gone = service.retire_reason(found, member())
        done = _("The reason is gone.") if gone else _("Offered no more. Where it was given it stays readable.")
        return go_to(url_for(".reasons"), done)
    if doing == "restore":
        with transaction():
            service.restore_reason(found, member())
        return go_to(url_for(".reasons"), _("Offered again, as the last of the list."))
    form = ReasonForm(data={"label": found.label, "about": found.about, "kinds": found.kinds.split()}).offer()
    if form.validate_on_submit():
        with transaction():
            service.reword_reason(
                found, member(), label=form.label.data, about=form.about.data or "", kinds=form.kinds.data or []
            )
        return go_to(url_for(".reasons"), _("Saved, wherever it was given."))
    return page(
        "decisions/reason.html",
        status=422 if form.errors else 200,
        form=form,
        reason=found,
        given=queries.times_given().get(found.id, 0),
    )


@bp.post("/admin/reasons/<int:reason_id>/order")
def order_reason(reason_id: int) -> Response:
    """Move a reason up or down by one place."""
    authorize("options.decide")
    found = queries.get_reason(reason_id)
    with transaction():
        service.move_reason(found, -1 if request.form.get("to") == "up" else +1, member())
    return go_to(url_for(".reasons"))
