"""Reading who vouches for people, and for whom."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import User
from portal.credentials.models import Passkey
from portal.db import db
from portal.options import option
from portal.sealing import unseal
from portal.sso.models import Identity, Provider

OPENID, HANDOVER = "openid", "handover"


@dataclass(frozen=True, slots=True)
class Offer:
    """A provider as the sign-in page shows it."""

    slug: str
    name: str


def offers() -> list[Offer]:
    """Return the OpenID providers that people may sign in with; costs no statement."""
    return [Offer(**offer) for offer in option("providers")]


def find_provider(slug: str) -> Provider | None:
    """Return an OpenID provider, switched on or off."""
    return db.session.scalar(select(Provider).where(Provider.slug == slug, Provider.kind == OPENID))


def provider_by_id(provider_id: int) -> Provider | None:
    """Return a provider of either kind."""
    return db.session.get(Provider, provider_id)


def find_by_issuer(issuer: str) -> Provider | None:
    """Return whoever speaks under this name."""
    return db.session.scalar(select(Provider).where(Provider.issuer == issuer))


def providers() -> list[tuple[Provider, int]]:
    """Return all providers by name, each with the number of people it vouches for."""
    linked = select(Identity.provider_id, func.count().label("people")).group_by(Identity.provider_id).subquery()
    people = func.coalesce(linked.c.people, 0)
    found = select(Provider, people).outerjoin(linked, linked.c.provider_id == Provider.id)
    return [(provider, count) for provider, count in db.session.execute(found.order_by(Provider.name, Provider.id))]


def count_linked(provider: Provider) -> int:
    """Return for how many people a provider vouches."""
    return db.session.scalar(select(func.count()).where(Identity.provider_id == provider.id)) or 0


def find_identity(provider_id: int, issuer: str, subject: str) -> Identity | None:
    """Return whom a provider knows by this subject; its mail address is never asked."""
    known = select(Identity).where(
        Identity.issuer == issuer, Identity.subject == subject, Identity.provider_id == provider_id
    )
    return db.session.scalar(known.options(joinedload(Identity.user)))


def identities_of(user: User) -> list[Identity]:
    """Return the sign-ins that are linked to an account, by provider."""
    mine = select(Identity).where(Identity.user_id == user.id).join(Identity.provider)
    return list(db.session.scalars(mine.options(joinedload(Identity.provider)).order_by(Provider.name, Identity.id)))


@dataclass(frozen=True, slots=True)
class Mine:
    """What the account page shows of somebody's linked sign-ins."""

    identities: list[Identity]
    only: Identity | None  # the one that cannot be unlinked, for there is no other way in
    others: list[Offer]  # providers that could be linked too


def mine(user: User) -> Mine:
    """Return the sign-ins linked to an account, and those that could be."""
    linked = identities_of(user)
    there = {identity.provider.slug for identity in linked}
    last = linked[0] if len(linked) == 1 and not has_other_way_in(user, linked[0]) else None
    return Mine(linked, last, [offer for offer in offers() if offer.slug not in there])


def has_other_way_in(user: User, identity: Identity) -> bool:
    """Whether somebody could still sign in without this link, and without waiting for a mail."""
    if user.password_hash:
        return True
    passkey = select(Passkey.id).where(Passkey.user_id == user.id).limit(1)
    other = (
        select(Identity.id)
        .join(Identity.provider)
        .where(Identity.user_id == user.id, Identity.id != identity.id, Provider.enabled)
        .limit(1)
    )
    return db.session.scalar(passkey) is not None or db.session.scalar(other) is not None


def client_secret(provider: Provider) -> str:
    """Return the secret an OpenID provider gave us, or nothing; raises SealBroken."""
    return unseal(provider.sealed_secret) if provider.sealed_secret else ""


def signing_keys(provider: Provider) -> dict[str, str]:
    """Return the secrets that a product signs its hand-overs with, by their names; raises SealBroken."""
    kept: dict[str, str] = json.loads(unseal(provider.sealed_secret)) if provider.sealed_secret else {}
    return kept
