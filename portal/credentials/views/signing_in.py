"""What admins decide about signing in: whose role must prove itself by a second factor."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectChoice, SelectMultipleField, widgets

from portal.accounts.roles import LABELS, Role
from portal.credentials import factors
from portal.credentials.views.base import bp
from portal.errors import Refusal
from portal.options import option
from portal.transactions import transaction
from portal.web.proof import prove_again
from portal.web.responses import go_to, page
from portal.web.session import authorize, member


class SecondFactorForm(FlaskForm):
    """Whose role must prove itself by a second factor."""

    roles = SelectMultipleField(
        _l("A second step is needed by"),
        choices=[SelectChoice(role.value, label) for role, label in LABELS.items()],
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )


@bp.route("/admin/sign-in", methods=["GET", "POST"])
def signing_in() -> ResponseReturnValue:
    """Decide whose role must prove itself by a second factor."""
    authorize("sign_in.decide")
    prove_again()
    form = SecondFactorForm(data={"roles": option("second_factor")})
    status, refused = 200, ""
    if form.validate_on_submit():
        try:
            with transaction():
                factors.demand_of({Role(name) for name in form.roles.data or ()}, member())
            return go_to(url_for(".signing_in"), _("Saved. It counts from the next page that anybody opens."))
        except Refusal as refusal:
            status, refused = refusal.status, refusal.message
    above = set(factors.RANKS[factors.RANKS.index(member().role) + 1 :])
    return page(
        "credentials/signing_in.html", status=422 if form.errors else status, form=form, refused=refused, above=above
    )
