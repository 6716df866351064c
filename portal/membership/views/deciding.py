"""Deciding what the portal is called, who may read, who may join, and who may invite."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.membership import queries, service
from portal.membership.forms import MembershipForm, PortalForm
from portal.membership.views.base import bp, status_of
from portal.options import option
from portal.transactions import transaction
from portal.web.responses import go_to, page
from portal.web.session import authorize, member


@bp.route("/admin/portal", methods=["GET", "POST"])
def portal() -> ResponseReturnValue:
    """Decide what the portal is called, and what it asks on its home page."""
    authorize("options.decide")
    form = PortalForm(portal=option("name"), question=option("question"))
    if form.validate_on_submit():
        with transaction():
            service.name_portal(member(), name=form.portal.data, question=form.question.data)
        return go_to(url_for(".portal"), _("Saved. It holds from now on."))
    return page("membership/portal.html", status=status_of(form), form=form)


@bp.route("/admin/membership", methods=["GET", "POST"])
def membership() -> ResponseReturnValue:
    """Decide how the portal takes members."""
    authorize("options.decide")
    form = MembershipForm(
        reading=option("reading"),
        membership=option("membership"),
        domains="\n".join(option("domains")),
        members_invite=option("members_invite"),
    )
    if form.validate_on_submit():
        with transaction():
            service.decide_membership(
                member(),
                membership=form.membership.data,
                reading=form.reading.data,
                domains=form.listed,
                members_invite=form.members_invite.data,
            )
        return go_to(url_for(".membership"), _("Saved. It holds from now on."))
    waiting = queries.count_people("waiting")
    return page("membership/membership.html", status=status_of(form), form=form, waiting=waiting)
