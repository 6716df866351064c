"""Inviting people, one or many, and how things stand with their invitations."""

from __future__ import annotations

from typing import Any

from flask import abort, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.accounts.roles import Role
from portal.boards import queries as boards
from portal.boards.models import Board
from portal.errors import Refusal
from portal.extensions import limiter
from portal.membership import invitations as inviting
from portal.membership import queries
from portal.membership.forms import InviteForm
from portal.membership.invitations import Reading
from portal.membership.models import Invitation
from portal.membership.policy import roles_to_give
from portal.membership.views.base import bp, language, status_of
from portal.notifications.links import absolute_url
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.paging import cursor, place
from portal.web.responses import go_to, page
from portal.web.session import authorize, can, member, viewer

FILE_MAX = 1_000_000  # bytes of a CSV file


@bp.get("/invitations")
def invitations() -> ResponseReturnValue:
    """See whom one invited, or who was invited at all, and invite more."""
    authorize("invitation.send")
    return _show(_form())


@bp.post("/invitations")
@limiter.limit(LIMITS["invitations.sent"], key_func=per_person)
def invite() -> ResponseReturnValue:
    """Look at the invitation first, send oneself a sample, or send it to those it is for."""
    authorize("invitation.send")
    form = _form()
    if not form.validate_on_submit():
        return _show(form)
    if (added := _from_file(form)) is not None:
        form.addresses.data = "\n".join(filter(None, [form.addresses.data, added]))
    reading = inviting.read_addresses(form.addresses.data or "", member())
    does = request.form.get("do", "preview")
    if form.errors:
        return _show(form, reading)
    if does == "sample":
        return _send_sample(form, reading)
    if not reading.good:
        if not reading.bad:
            form.addresses.errors = [_("Give at least one address.")]
        return _show(form, reading)
    return _send(form, reading) if does == "send" else _show(form, reading, preview=True)


@bp.post("/invitations/<int:invitation_id>/resend")
@limiter.limit(LIMITS["invitations.sent"], key_func=per_person)
def resend_invitation(invitation_id: int) -> ResponseReturnValue:
    """Send an invitation once more."""
    authorize("invitation.send")
    with transaction():
        invitation = _find(invitation_id)
        inviting.resend(invitation, member(), language())
    return go_to(url_for(".invitations"), _("Sent once more, good for 7 days."))


@bp.post("/invitations/<int:invitation_id>/withdraw")
def withdraw_invitation(invitation_id: int) -> ResponseReturnValue:
    """Take an invitation back."""
    authorize("invitation.send")
    with transaction():
        inviting.withdraw(_find(invitation_id), member())
    return go_to(url_for(".invitations"), _("Withdrawn. The link works no longer."))


def _find(invitation_id: int) -> Invitation:
    return queries.find_invitation(invitation_id, viewer()) or abort(404)


def _form() -> InviteForm:
    roles = [role for role in Role if role is Role.MEMBER or can("role.give", role)]
    offered = boards.list_boards(viewer()) if viewer().is_admin else []
    return InviteForm(roles, offered, role=Role.MEMBER.value, board="")


def _from_file(form: InviteForm) -> str | None:
    """Return the addresses of the file that came along, if one did."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return None
    data = file.read(FILE_MAX + 1)
    file.close()
    if len(data) > FILE_MAX:
        form.file.errors = [_("This file is larger than 1 MB. Split it, or paste the addresses.")]
        return None
    if b"\0" in data:
        form.file.errors = [_("This is not a text file. Save the table as CSV and try again.")]
        return None
    return inviting.read_csv(data)


def _send(form: InviteForm, reading: Reading) -> ResponseReturnValue:
    try:
        with transaction():
            inviting.invite(
                member(),
                reading.good,
                role=Role(form.role.data),
                board=_board(form),
                words=form.note.data or "",
                locale=language(),
            )
    except Refusal as refusal:
        form.form_errors.append(refusal.message)
        return _show(form, reading)
    sent = ngettext("%(num)d invitation is on its way.", "%(num)d invitations are on their way.", len(reading.good))
    if not reading.bad:
        return go_to(url_for(".invitations"), sent)
    form.addresses.data = reading.left  # nothing is lost: what could not be sent is there to be put right
    return _show(form, reading, said=sent)


def _send_sample(form: InviteForm, reading: Reading) -> ResponseReturnValue:
    with transaction():
        inviting.send_sample(
            member(), role=Role(form.role.data), board=_board(form), words=form.note.data or "", locale=language()
        )
    said = _("A sample is on its way to %(email)s.", email=member().email)
    return _show(form, reading, preview=bool(reading.good), said=said)


def _board(form: InviteForm) -> Board | None:
    return next((board for board in boards.list_boards(viewer()) if str(board.id) == form.board.data), None)


def _show(form: InviteForm, reading: Reading | None = None, *, preview: bool = False, said: str = "") -> Any:
    before = place(request.args.get("before"), (int,))
    sent = queries.invitations_of(viewer(), before[0] if before else None)
    status = status_of(form) if not reading or not reading.bad else 422
    return page(
        "membership/invitations.html",
        status=status,
        form=form,
        reading=reading,
        preview=preview,
        said=said,
        sent=sent,
        state_of=queries.state_of,
        older=cursor(sent.next_id) if sent.next_id else None,
        is_first=before is None,
        mails=bool(current_app.config["MAIL_URL"]),
        link_of=_link_of,
        role=next((role for role in Role if role.value == form.role.data), Role.MEMBER),
        board=_board(form),
    )


def _link_of(invitation: Invitation) -> str:
    """Return the link to hand over oneself: where no mail leaves the portal, and to admins who could give the role.

    Others could take the role for themselves with it.
    """
    if current_app.config["MAIL_URL"] or not viewer().is_admin or invitation.role not in roles_to_give(viewer()):
        return ""
    return absolute_url("membership.accept", token=inviting.token_of(invitation, inviting.HANDED))
