"""What can be done by mail: opening an account, getting in, choosing another password."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from flask_babel import gettext as _

from portal.accounts import queries as accounts
from portal.accounts import service as people
from portal.accounts.events import PasswordChanged
from portal.accounts.models import User
from portal.accounts.passwords import check_strength
from portal.credentials import links
from portal.credentials.models import MailedLink, Purpose
from portal.db import db
from portal.errors import Refusal
from portal.events import emit
from portal.membership import service as membership
from portal.notifications.service import queue_letter
from portal.security.log import note

SIGN_UP_LETTER, SIGN_IN_LETTER, RESET_LETTER = "sign_up", "sign_in_link", "new_password"
PASSWORD_CHANGED_LETTER = "password_changed"  # noqa: S105 - the name of a letter

BY_CODE = (Purpose.SIGN_UP, Purpose.SIGN_IN)
"""What the six digits do as well as the link."""


class LinkGone(Refusal):
    """A mailed link, or its code, does nothing any more."""

    status = 410

    def __init__(self) -> None:
        super().__init__(_("This link no longer works. It was used already, or it is too old. Ask for a new one."))


class AccountThere(Refusal):
    """Somebody confirms a sign-up although the address has got an account meanwhile."""

    def __init__(self) -> None:
        super().__init__(_("There is an account with this address already. Sign in."))


class RulesChanged(Refusal):
    """The rules are no longer those that were agreed to when signing up."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("The rules changed since you signed up. Please read them once more."))


@dataclass(frozen=True, slots=True)
class SignUp:
    """What was filled in to open an account: it waits with the link until the address has answered."""

    name: str
    password_hash: str
    rules: int  # the version that was shown and agreed to


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for a mail: the browser, its language, and what the link leads back to."""

    browser_hash: str
    locale: str = ""
    aimed: dict[str, str] = field(default_factory=dict)
    may_mail: bool = True  # False: all that may be mailed at present was; nobody is told


def ask_to_sign_up(email: str, details: SignUp, asked: Asked) -> None:
    """Mail the link that opens an account; to an address that has one, a link that signs in.

    The same is done and written either way, so that whoever asks cannot tell.
    """
    known = accounts.find_by_email(email)
    purpose = Purpose.SIGN_IN if known else Purpose.SIGN_UP
    _mail(SIGN_UP_LETTER, purpose, email, known, asked, {"sign_up": asdict(details)})


def ask_to_sign_in(email: str, asked: Asked) -> None:
    """Mail the link that signs in; without an account the same is done, and no mail leaves."""
    _mail(SIGN_IN_LETTER, Purpose.SIGN_IN, email, accounts.find_by_email(email), asked, {})


def ask_for_new_password(email: str, asked: Asked) -> None:
    """Mail the link that lets one choose another password, or a first one."""
    _mail(RESET_LETTER, Purpose.RESET, email, accounts.find_by_email(email), asked, {})


def ask_again(kind: Purpose, email: str, asked: Asked, to: str = "") -> bool:
    """Mail once more what this browser asked for, or mail it ``to`` another address; False for nothing to repeat."""
    purposes = BY_CODE if kind is Purpose.SIGN_UP else (kind,)
    before = links.newest(email, asked.browser_hash, purposes)
    if before is None:
        return False
    waits = before.data
    asked = Asked(asked.browser_hash, asked.locale, waits["aimed"], asked.may_mail)
    if to:
        links.void(before)
    if kind is Purpose.SIGN_UP:
        ask_to_sign_up(to or email, SignUp(**waits["sign_up"]), asked)
    elif kind is Purpose.SIGN_IN:
        ask_to_sign_in(email, asked)
    else:
        ask_for_new_password(email, asked)
    return True


def try_code(code: str, email: str, browser_hash: str) -> MailedLink | None:
    """Return the link whose six digits these are, asked for by this browser; None for a wrong guess, which counts."""
    link = links.find_by_code(code, email, browser_hash, BY_CODE)
    return link if link and (link.purpose is Purpose.SIGN_UP or owner_of(link)) else None


def owner_of(link: MailedLink) -> User | None:
    """Return whose account the link is for, if it may be used and still has the address the link went to."""
    user = link.user
    return user if user and user.is_active and user.email == link.email else None


def open_account(link: MailedLink, *, name: str = "", agreed: bool = False) -> User:
    """Open the account that waited for its address to answer, and use the link up.

    Raises LinkGone, AccountThere, RulesChanged unless the rules in force were ``agreed`` to again, MembershipRefused,
    and FieldRefused for a name that somebody else took meanwhile; whoever asks can give another ``name`` then.
    """
    waits = SignUp(**link.data["sign_up"])
    if not links.use(link):
        raise LinkGone
    if accounts.find_by_email(link.email):
        raise AccountThere
    rules = accounts.rules_in_force()
    if rules and rules.version != waits.rules and not agreed:
        raise RulesChanged
    return membership.join(
        email=link.email,
        name=name or waits.name,
        password_hash=waits.password_hash,
        locale=link.data["locale"] or None,
    )


def let_in_by(link: MailedLink) -> User:
    """Use up the link that signs in and return whom it lets in; their address is confirmed by that."""
    user = owner_of(link)
    if user is None or not links.use(link):
        raise LinkGone
    people.confirm_address(user)
    return user


def choose_password(link: MailedLink, password: str, password_hash: str) -> User:
    """Give the account another password and use the link up; the caller ends its sessions.

    The hash is made by the caller, for that takes longer than others should wait for the database.
    """
    user = owner_of(link)
    if user is None or not links.use(link):
        raise LinkGone
    check_strength(password, name=user.name, email=user.email)
    user.password_hash = password_hash
    people.confirm_address(user)
    emit(PasswordChanged(actor_id=user.id))
    note_new_password(user)
    return user


def note_new_password(user: User) -> None:
    """See to what follows a change of password: open links are void, its owner is told, and it is written down."""
    links.void_all(user)
    queue_letter(PASSWORD_CHANGED_LETTER, to=user.email, user=user, rationed=False)
    note("password.changed", user=user)


def _mail(kind: str, purpose: Purpose, email: str, known: User | None, asked: Asked, data: dict[str, Any]) -> None:
    """Make a link and queue its letter: the same statements whether there is an account or not."""
    waits = data | {"aimed": asked.aimed, "locale": asked.locale}
    link = links.make(purpose, email, user=known, data=waits, browser_hash=asked.browser_hash)
    about = {"link": link.id, "locale": asked.locale}
    if not (asked.may_mail and queue_letter(kind, to=email, user=known, data=about)):
        links.without_code(link)
    note("mail.asked", user=known, what=kind)
    db.session.flush()
