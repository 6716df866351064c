"""What can be done with another service's word: opening accounts, linking it to one, and taking that back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts import queries as accounts
from portal.accounts.models import User
from portal.credentials import links
from portal.credentials.models import MailedLink, Purpose
from portal.credentials.service import Asked, LinkGone, RulesChanged
from portal.db import db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.membership import service as membership
from portal.membership.models import Invitation
from portal.notifications.service import queue_letter
from portal.security.log import note
from portal.sso import queries
from portal.sso.models import Identity, Provider, UsedHandOver
from portal.sso.vouching import Vouched

LINKED_LETTER, UNLINKED_LETTER, ADDRESS_LETTER = "sso_linked", "sso_unlinked", "sso_address"


class NotLinked(Refusal):
    """A sign-in cannot be linked to this account."""


class HasAccount(Refusal):
    """The address that a provider names has an account: its owner has to prove that before anything is linked."""

    def __init__(self) -> None:
        super().__init__(_("There is an account with this address already. Sign in to it to link the two."))


class OnlyWayIn(Refusal):
    """The last way into an account stays."""

    def __init__(self, name: str) -> None:
        super().__init__(_("%(name)s is your only way in. Choose a password or add a passkey first.", name=name))


def note_use(identity: Identity, vouched: Vouched) -> None:
    """Note that somebody came by a linked sign-in; another address than before changes nothing but the note."""
    identity.used_at = utcnow()
    identity.email = vouched.email


def check_may_come(provider: Provider, email: str) -> Invitation | None:
    """Return the invitation that opens the portal to this address, if there is one; raise MembershipRefused."""
    invitation = _invitation_to(email) if email else None
    if not provider.admits or invitation is not None:
        membership.check_may_join(email, invitation)
    return invitation


def open_account(provider: Provider, vouched: Vouched, name: str, locale: str | None = None) -> User:
    """Open an account for somebody whose address is known to be theirs, and link the sign-in to it.

    Raises HasAccount, MembershipRefused, and FieldRefused for a name that cannot be used.
    """
    if accounts.find_by_email(vouched.email):
        raise HasAccount
    invitation = check_may_come(provider, vouched.email)
    user = membership.join(
        email=vouched.email,
        name=name,
        password_hash=None,
        invitation=invitation,
        vouched=provider.admits,
        locale=locale,
    )
    _link(user, provider, vouched)
    return user


def why_not_linked(user: User, vouched: Vouched) -> str:
    """Return why a sign-in cannot be linked to this account; nothing where it can."""
    if not vouched.verified:
        return str(_("It does not say that the address is yours, so it cannot be linked."))
    if vouched.email != user.email and accounts.find_by_email(vouched.email):
        return str(_("Its address belongs to another account here. Sign in to that one to link it."))
    return ""


def link(user: User, provider: Provider, vouched: Vouched) -> None:
    """Let somebody who proved both, this account and that sign-in, use either from now on."""
    if why := why_not_linked(user, vouched):
        raise NotLinked(why)
    if not _link(user, provider, vouched):
        raise NotLinked(_("This sign-in is linked to another account already."))
    queue_letter(LINKED_LETTER, to=user.email, user=user, data={"provider": provider.id}, rationed=False)


def unlink(user: User, identity: Identity) -> None:
    """Take a sign-in away from an account that can be entered in another way."""
    provider = identity.provider
    db.session.execute(sa.select(User.id).where(User.id == user.id).with_for_update())
    if not queries.has_other_way_in(user, identity):
        raise OnlyWayIn(provider.name)
    db.session.delete(identity)
    queue_letter(UNLINKED_LETTER, to=user.email, user=user, data={"provider": provider.id}, rationed=False)
    note("identity.unlinked", user=user, provider=provider.slug)


def forget_linked_since(user: User, moment: datetime) -> None:
    """Take away what was linked to an account since ``moment``: somebody else was signed in then."""
    linked = select(Identity).where(Identity.user_id == user.id, Identity.linked_at >= moment)
    for identity in db.session.scalars(linked).all():
        note("identity.unlinked", user=user, provider=identity.provider.slug)
        db.session.delete(identity)


def ask_for_address(provider: Provider, vouched: Vouched, email: str, name: str, rules: int, asked: Asked) -> None:
    """Mail a link to an address that the provider did not confirm; it opens the account in the same browser.

    To an address that has an account goes a mail that says so: whoever asks cannot tell the two apart.
    """
    known = accounts.find_by_email(email)
    waits = {"vouched": asdict(vouched), "name": name, "rules": rules, "aimed": asked.aimed, "locale": asked.locale}
    mailed = links.make(Purpose.VOUCHED, email, user=known, data=waits, browser_hash=asked.browser_hash)
    if asked.may_mail:
        about = {"link": mailed.id, "provider": provider.id, "locale": asked.locale}
        queue_letter(ADDRESS_LETTER, to=email, user=known, data=about)
    note("mail.asked", user=known, what=ADDRESS_LETTER)


def open_confirmed(mailed: MailedLink, provider: Provider) -> User:
    """Open the account whose address has answered now, and use the link up."""
    rules = accounts.rules_in_force()
    if not links.use(mailed):
        raise LinkGone
    if rules and rules.version != mailed.data["rules"]:
        raise RulesChanged
    vouched = Vouched(**{**mailed.data["vouched"], "email": mailed.email, "verified": False})
    return open_account(provider, vouched, mailed.data["name"], mailed.data["locale"] or None)


def use_hand_over(mark: str, expires_at: Any) -> bool:
    """Use a hand-over up; False when it was used before."""
    return insert_if_absent(UsedHandOver, token_hash=mark, expires_at=expires_at)


def is_used(mark: str) -> bool:
    """Whether a hand-over was used before."""
    return db.session.get(UsedHandOver, mark) is not None


def _link(user: User, provider: Provider, vouched: Vouched) -> bool:
    now = utcnow()
    linked = insert_if_absent(
        Identity,
        user_id=user.id,
        provider_id=provider.id,
        issuer=vouched.issuer,
        subject=vouched.subject,
        email=vouched.email,
        linked_at=now,
        used_at=now,
    )
    if linked:
        note("identity.linked", user=user, provider=provider.slug)
    return linked


def _invitation_to(email: str) -> Invitation | None:
    """The newest invitation to this address that is still good."""
    good = sa.and_(
        Invitation.email == email,
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > utcnow(),
    )
    return db.session.scalar(select(Invitation).where(good).order_by(Invitation.id.desc()).limit(1))
