"""Changing the address of an account: the new one and the present one must both say yes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.accounts import queries as accounts
from portal.accounts import service as people
from portal.accounts.models import User
from portal.accounts.service import FieldRefused
from portal.credentials import links
from portal.credentials.models import MailedLink, Purpose
from portal.credentials.service import LinkGone
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.notifications.mails.coming_back import BOUNCES
from portal.notifications.service import queue_letter
from portal.security.log import note

NEW_ADDRESS_LETTER, AGREE_LETTER, CHANGED_LETTER = "new_address", "agree_to_address", "address_changed"
BOTH = (Purpose.CHANGE_ADDRESS, Purpose.AGREE_TO_CHANGE)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of address that waits: where it goes, who said yes already, and until when it waits."""

    to: str
    by_new: bool
    by_present: bool
    until: datetime


class AddressTaken(Refusal):
    """The new address has got an account of its own meanwhile."""

    def __init__(self) -> None:
        super().__init__(_("This address cannot be used. Nothing was changed. Ask for the change once more."))


def ask_to_change(user: User, email: str, locale: str = "", may_mail: bool = True) -> None:
    """Mail a link to the new address and one to the present; an earlier change that still waits is withdrawn.

    The same is done and answered whether or not the new address has an account: only its mail says so. A present
    address that was never confirmed is not asked, for it may be a slip and somebody else's; nor is one from which all
    our mails came back.
    """
    address = people.normal_email(email)
    if address == user.email:
        raise FieldRefused("email", _("This is your address already."))
    withdraw(user)
    pair = {"pair": secrets.token_hex(16), "to": address, "alone": not _can_be_asked(user)}
    to_new = links.make(Purpose.CHANGE_ADDRESS, address, user=user, data=pair)
    if may_mail:
        queue_letter(NEW_ADDRESS_LETTER, to=address, user=user, data={"link": to_new.id, "locale": locale})
    if _can_be_asked(user):
        to_present = links.make(Purpose.AGREE_TO_CHANGE, user.email, user=user, data=pair)
        about = {"link": to_present.id, "locale": locale}
        queue_letter(AGREE_LETTER, to=user.email, user=user, data=about, rationed=False)
    note("address.change_asked", user=user)


def waiting(user: User) -> Change | None:
    """Return the change that waits for one of the two links, if there is one."""
    pair = _open_pair(user)
    if not pair:
        return None
    used = {link.purpose for link in pair if link.used_at}
    alone = pair[0].data["alone"]
    return Change(
        to=pair[0].data["to"],
        by_new=Purpose.CHANGE_ADDRESS in used,
        by_present=alone or Purpose.AGREE_TO_CHANGE in used,
        until=min(link.expires_at for link in pair),
    )


def withdraw(user: User) -> None:
    """Forget the change that waits; its links are worth nothing."""
    for link in _open_pair(user):
        links.void(link)


def agree(link: MailedLink) -> bool:
    """Say yes by one of the two links; return whether the address is changed now, for both did."""
    user = link.user
    if user is None or not user.is_active or not links.use(link):
        raise LinkGone
    db.session.refresh(link)
    if not link.data["alone"] and not all(other.used_at for other in _pair_of(link)):
        return False
    _change(user, link.data["to"])
    return True


def _change(user: User, address: str) -> None:
    if accounts.find_by_email(address):
        raise AddressTaken
    before = user.email
    user.email, user.confirmed_at = address, utcnow()
    user.mail_stopped_at, user.mail_stopped_why = None, ""
    try:
        db.session.flush()
    except IntegrityError:
        raise AddressTaken from None
    links.void_all(user)
    for told in (before, address):
        queue_letter(CHANGED_LETTER, to=told, user=user, rationed=False)
    note("address.changed", user=user)


def _can_be_asked(user: User) -> bool:
    """Whether mail to the present address arrives: it was confirmed, and did not come back since."""
    return user.confirmed_at is not None and user.mail_stopped_why != BOUNCES


def _open_pair(user: User) -> list[MailedLink]:
    """Return the links of the newest change while it can still come about."""
    asked = select(MailedLink).where(MailedLink.user_id == user.id, MailedLink.purpose == Purpose.CHANGE_ADDRESS)
    newest = db.session.scalar(asked.order_by(MailedLink.id.desc()).limit(1))
    pair = _pair_of(newest) if newest else []
    open_still = all(link.used_at or links.is_good(link) for link in pair) and not all(link.used_at for link in pair)
    return pair if open_still else []


def _pair_of(link: MailedLink) -> list[MailedLink]:
    own = select(MailedLink).where(MailedLink.user_id == link.user_id, MailedLink.purpose.in_(BOTH))
    return [other for other in db.session.scalars(own) if other.data["pair"] == link.data["pair"]]
