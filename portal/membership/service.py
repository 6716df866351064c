"""Who may join, and opening the account of somebody who may."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.accounts import service as accounts
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import BoardMember
from portal.db import insert_if_absent, utcnow
from portal.errors import Refusal
from portal.membership.models import Invitation
from portal.membership.policy import roles_to_give
from portal.options import decide, option
from portal.security.log import note


class MembershipRefused(Refusal):
    """Whoever asks may not join as they asked to; the sentence says how they may."""

    status = 403


def check_may_join(email: str, invitation: Invitation | None = None) -> None:
    """Raise MembershipRefused, with what to do instead, where the owner of this address may not join.

    An invitation to this very address opens every portal; one to another address opens none.
    """
    if invitation is not None:
        check_invitation(invitation, email)
        return
    mode = option("membership")
    if mode == "invitation":
        raise MembershipRefused(
            _("This portal takes members by invitation only. Ask somebody who is a member to have you invited.")
        )
    if mode == "domains" and _domain(email) not in _domains():
        allowed = ", ".join(f"@{domain}" for domain in _domains())
        if not allowed:
            raise MembershipRefused(_("This portal takes nobody new at present. Ask a member to have you invited."))
        raise MembershipRefused(
            _(
                "This portal is for people with an address that ends in %(domains)s. Use yours, "
                "or ask a member to have you invited.",
                domains=allowed,
            )
        )


def check_invitation(invitation: Invitation, email: str) -> None:
    """Raise MembershipRefused unless the invitation is still good, and was sent to this address."""
    if invitation.accepted_at is not None:
        raise MembershipRefused(_("This invitation has been used already. If that was you, sign in."))
    if invitation.withdrawn_at is not None or invitation.expires_at <= utcnow():
        raise MembershipRefused(_("This invitation is no longer good. Ask whoever invited you to send it once more."))
    if not _may_still_be_given(invitation):
        raise MembershipRefused(_("Whoever invited you may not do so any longer. Ask for another invitation."))
    if invitation.email != accounts.normal_email(email):
        raise MembershipRefused(_("This invitation was sent to another address. It works only for that one."))


def join(
    *,
    email: str,
    name: str,
    password_hash: str | None,
    invitation: Invitation | None = None,
    vouched: bool = False,
    locale: str | None = None,
    proven: bool = True,
) -> User:
    """Open the account of somebody who agreed to the rules in force, and showed that the address is theirs.

    Not ``proven`` is the address of whoever was handed an invitation where no mail leaves the portal.

    Where membership needs a moderator's yes, the account waits for it (``approved_at`` is None), unless somebody
    speaks for this person: an invitation, or whoever ``vouched`` for them, such as the customer's own sign-on. Raises
    MembershipRefused where they may not join, and FieldRefused for an address or a name that cannot be used.
    """
    if not vouched or invitation is not None:
        check_may_join(email, invitation)
    waits = option("membership") == "approval" and invitation is None and not vouched
    on_board = invitation is not None and invitation.board_id is not None
    user = accounts.open_account(
        email=email,
        name=name,
        password_hash=password_hash,
        role=invitation.role if invitation is not None and not on_board else Role.MEMBER,
        approved=not waits,
        confirmed=proven,
        locale=locale,
    )
    if invitation is not None:
        _use(invitation, user)
    note("account.opened", user=user, waits=waits, invitation=invitation.id if invitation is not None else None)
    return user


def accept(invitation: Invitation, user: User) -> None:
    """Use an invitation with the account that its address opens already: a place on a board, and no other role."""
    check_invitation(invitation, user.email)
    _use(invitation, user)


def decide_membership(admin: User, *, membership: str, reading: str, domains: list[str], members_invite: bool) -> None:
    """Decide who may join, who may read, and who may invite; whoever is in stays in."""
    chosen = {"membership": membership, "reading": reading, "domains": domains, "members_invite": members_invite}
    changed = sorted(name for name, value in chosen.items() if option(name) != value)
    for name in changed:
        decide(name, chosen[name])
    if changed:
        note("membership.decided", user=None, actor=admin, changed=changed, membership=membership, reading=reading)


def name_portal(admin: User, *, name: str, question: str) -> None:
    """Decide what the portal is called in pages and mails, and what it asks on its home page."""
    if (option("name"), option("question")) == (name, question):
        return
    decide("name", name)
    decide("question", question)
    note("portal.named", user=None, actor=admin, name=name)


def _use(invitation: Invitation, user: User) -> None:
    """Give somebody what they were invited to; the invitation is good no more."""
    invitation.accepted_at, invitation.accepted_by_id = utcnow(), user.id
    note("invitation.accepted", user=user, invitation=invitation.id)
    if invitation.board_id is None:
        return
    insert_if_absent(
        BoardMember,
        board_id=invitation.board_id,
        user_id=user.id,
        role=invitation.role,
        added_by_id=invitation.invited_by_id,
        added_at=utcnow(),
    )
    user.has_board_roles = True


def _may_still_be_given(invitation: Invitation) -> bool:
    """Whether whoever invited may give what they gave: ranks change, and people leave."""
    if invitation.role is Role.MEMBER and invitation.board_id is None:
        return True
    by = invitation.invited_by
    if by is None or not by.is_active or (invitation.board_id is not None and not by.is_admin):
        return False
    return invitation.role in roles_to_give(by)


def _domains() -> list[str]:
    return [str(domain) for domain in option("domains")]


def _domain(email: str) -> str:
    return accounts.normal_email(email).rpartition("@")[2]
