"""Second factors as a whole: who must have one, what an account has, and what follows when that changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import AuthSession, Person, User
from portal.accounts.roles import Role
from portal.credentials import links
from portal.credentials.models import Authenticator, Passkey, RecoveryCode
from portal.db import db
from portal.errors import Refusal
from portal.notifications.service import queue_letter
from portal.options import decide, option
from portal.push import service as push
from portal.security.log import note

NOTICE = "second_factor"  # the kind of letter that tells of each change
RANKS = tuple(Role)


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account has beside its first proof."""

    passkeys: list[Passkey]
    authenticator: Authenticator | None
    codes_left: int

    @property
    def count(self) -> int:
        """How many there are; recovery codes stand in for one and are none."""
        return len(self.passkeys) + (self.authenticator is not None)


class LastFactor(Refusal):
    """The only second factor of somebody whose role demands one."""

    def __init__(self) -> None:
        super().__init__(_("Your role asks for a second step. Add another one first; then you can remove this one."))


class NotBelow(Refusal):
    """Somebody of one's own rank or a higher one."""

    status = 403

    def __init__(self) -> None:
        super().__init__(_("You can do this only for people whose role is below yours."))


class LocksOut(Refusal):
    """A decision after which whoever decides could not go on."""

    def __init__(self) -> None:
        super().__init__(_("Set up a second step for yourself first. Otherwise you would stand before a closed door."))


def factors_of(user: User) -> Factors:
    """Return all second factors of an account, its oldest passkey first."""
    passkeys = select(Passkey).where(Passkey.user_id == user.id).order_by(Passkey.id)
    left = select(sa.func.count()).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    return Factors(
        passkeys=list(db.session.scalars(passkeys)),
        authenticator=db.session.get(Authenticator, user.id),
        codes_left=db.session.scalar(left) or 0,
    )


def is_demanded_of(person: Person) -> bool:
    """Whether this person's role must prove itself by a second factor."""
    return person.role is not None and person.role in option("second_factor")


def is_missing(person: Person) -> bool:
    """Whether this browser is signed in by less than the person's role demands."""
    return is_demanded_of(person) and not (person.signed_in and person.signed_in.second)


def check_may_remove(user: User) -> None:
    """Raise LastFactor when the account would be left with less than its role demands."""
    if is_demanded_of(user) and factors_of(user).count <= 1:
        raise LastFactor


def tell_of_change(user: User, what: str, actor: User | None = None, **about: Any) -> None:
    """Write down that a factor changed, tell its owner by mail, and void the links that were mailed before."""
    note(f"factor.{what}", user=user, actor=actor, **about)
    queue_letter(NOTICE, to=user.email, user=user, data={"what": what, **about}, rationed=False)
    links.void_all(user)


def remove_all(user: User, actor: User | None) -> None:
    """Take all second factors from somebody who lost them and end their sessions; their owner is told by mail.

    Raises NotBelow for people whose rank is not below the actor's. Without an actor it is the operator's word.
    """
    if actor and (not actor.is_admin or RANKS.index(user.role) >= RANKS.index(actor.role)):
        raise NotBelow
    for table in (Passkey, Authenticator, RecoveryCode, AuthSession):
        db.session.execute(sa.delete(table).where(table.user_id == user.id))
    push.forget_all(user)
    tell_of_change(user, "all_removed", actor, **({} if actor else {"by": "operator"}))


def demand_of(roles: set[Role], actor: User) -> None:
    """Decide whose role must prove itself by a second factor; of ranks above the actor's all stays as it is.

    Raises LocksOut when the actor's own role is among them and the actor has no second factor.
    """
    above = set(RANKS[RANKS.index(actor.role) + 1 :])
    decided = (roles - above) | ({Role(name) for name in option("second_factor")} & above)
    if actor.role in decided and not factors_of(actor).count:
        raise LocksOut
    names = [role.value for role in RANKS if role in decided]
    if names != option("second_factor"):
        decide("second_factor", names)
        note("second_factor.decided", user=None, actor=actor, roles=names)
