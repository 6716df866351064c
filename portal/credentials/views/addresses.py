"""Changing the address of one's account, which the new and the present address must both confirm."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from portal.accounts.service import FieldRefused
from portal.credentials import addresses, links
from portal.credentials.forms import AddressForm
from portal.credentials.models import Purpose
from portal.credentials.views.base import bp
from portal.transactions import transaction
from portal.web.mailed import can_mail, count_mail, rationed
from portal.web.proof import prove_again
from portal.web.responses import go_to, page
from portal.web.session import authorize, member


@bp.route("/account/address", methods=["GET", "POST"])
@rationed
def address() -> ResponseReturnValue:
    """See the address of one's account, and have it changed."""
    authorize("account.use")
    prove_again()
    form = AddressForm()
    if can_mail() and form.validate_on_submit():
        try:
            with transaction():
                addresses.ask_to_change(
                    member(), form.email.data, str(get_locale() or ""), count_mail(to_stranger=True)
                )
            return go_to(url_for(".address"), _("Look into both mailboxes. Until both agree, nothing changes."))
        except FieldRefused as refusal:
            form.email.errors = [refusal.message]
    shown: dict[str, Any] = {"user": member(), "change": addresses.waiting(member()), "can_mail": can_mail()}
    return page("credentials/mail_address.html", status=422 if form.errors else 200, form=form, **shown)


@bp.post("/account/address/withdraw")
def withdraw_address() -> ResponseReturnValue:
    """Keep the present address after all."""
    authorize("account.use")
    with transaction():
        addresses.withdraw(member())
    return go_to(url_for(".address"), _("Withdrawn. Your address stays as it is, and both links are worth nothing."))


@bp.route("/address/<token>", methods=["GET", "POST"])
def agree_to_address(token: str) -> ResponseReturnValue:
    """Agree to a change of address, by the button that the link in either mail leads to."""
    link = links.find(token, Purpose.CHANGE_ADDRESS) or links.find(token, Purpose.AGREE_TO_CHANGE)
    user = link.user if link else None
    if link is None or user is None or not user.is_active:
        return page("credentials/mail_gone.html", status=410, again_at=url_for(".address"))
    to, is_new = link.data["to"], link.purpose is Purpose.CHANGE_ADDRESS
    if request.method == "POST":
        with transaction():
            changed = addresses.agree(link)
        return page("credentials/mail_agreed.html", changed=changed, to=to, is_new=is_new)
    return page("credentials/mail_agree.html", person=user, to=to, is_new=is_new)
