"""What admins do with providers: adding, changing, switching, removing them, and the keys of hand-overs."""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from urllib.parse import urlsplit

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.service import FieldRefused
from portal.db import db
from portal.errors import Refusal
from portal.options import decide
from portal.sealing import SealBroken, seal
from portal.security.log import note
from portal.sso import queries
from portal.sso.models import Provider
from portal.sso.queries import HANDOVER, OPENID

SLUG_MAX = 30
MOST_KEYS = 2


class TooManyKeys(Refusal):
    """A product has two keys already: one more would be one too many to keep apart."""

    def __init__(self) -> None:
        super().__init__(_("There are two keys already. Remove the old one first."))


def add_provider(actor: User, *, kind: str, name: str, issuer: str) -> Provider:
    """Add a provider, switched off until it is set up."""
    _check_issuer(kind, issuer)
    provider = Provider(kind=kind, name=name, issuer=issuer, slug=_free_slug(name), enabled=False)
    provider.admits = kind == HANDOVER
    db.session.add(provider)
    db.session.flush()
    note("provider.added", user=None, actor=actor, provider=provider.slug)
    return provider


def change_provider(
    actor: User,
    provider: Provider,
    *,
    name: str,
    issuer: str,
    client_id: str = "",
    secret: str | None = "",
    admits: bool,
) -> None:
    """Change a provider; an empty secret leaves the one there is. The issuer stays once people are linked by it."""
    if issuer != provider.issuer:
        if queries.count_linked(provider):
            raise FieldRefused(
                "issuer", _("People sign in by this issuer, so it stays. Add another provider for another issuer.")
            )
        _check_issuer(provider.kind, issuer, provider)
        provider.issuer, provider.found, provider.found_at = issuer, {}, None
    provider.name, provider.admits = name, admits
    if provider.kind == OPENID:
        provider.client_id = client_id
        if secret:
            provider.sealed_secret = seal(secret)
    note("provider.changed", user=None, actor=actor, provider=provider.slug, secret_changed=bool(secret))
    _offer_anew()


def switch(actor: User, provider: Provider, on: bool) -> None:
    """Switch a provider on or off; what is linked stays."""
    if on and provider.kind == OPENID and not provider.client_id:
        raise Refusal(_("Enter the client id first."))
    if on and provider.kind == HANDOVER and not _keys(provider):
        raise Refusal(_("Make a key first."))
    provider.enabled = on
    note("provider.switched_on" if on else "provider.switched_off", user=None, actor=actor, provider=provider.slug)
    _offer_anew()


def remove(actor: User, provider: Provider) -> None:
    """Remove a provider and every link to it; the people keep their accounts."""
    note(
        "provider.removed", user=None, actor=actor, provider=provider.slug, linked_people=queries.count_linked(provider)
    )
    db.session.delete(provider)
    db.session.flush()
    _offer_anew()


def make_key(actor: User, provider: Provider) -> tuple[str, str]:
    """Make one more key to sign hand-overs with; return its name and its secret, which is shown this once."""
    keys = _keys(provider)
    if len(keys) >= MOST_KEYS:
        raise TooManyKeys
    name, secret = f"k{secrets.token_hex(3)}", secrets.token_urlsafe(32)
    provider.sealed_secret = seal(json.dumps({**keys, name: secret}))
    note("provider.key_made", user=None, actor=actor, provider=provider.slug, key=name)
    return name, secret


def remove_key(actor: User, provider: Provider, name: str) -> None:
    """Let a key count no more; without any the provider is switched off."""
    keys = _keys(provider)
    if keys.pop(name, None) is None:
        return
    provider.sealed_secret = seal(json.dumps(keys)) if keys else ""
    provider.enabled = provider.enabled and bool(keys)
    note("provider.key_removed", user=None, actor=actor, provider=provider.slug, key=name)


def key_names(provider: Provider) -> list[str]:
    """Return the names of the keys that count."""
    return list(_keys(provider))


def _keys(provider: Provider) -> dict[str, str]:
    try:
        return queries.signing_keys(provider)
    except SealBroken:  # sealed under another secret key: they are lost, and new ones can be made
        return {}


def _offer_anew() -> None:
    """Let the sign-in page offer what is switched on now."""
    db.session.flush()
    on = select(Provider).where(Provider.enabled, Provider.kind == OPENID).order_by(Provider.name, Provider.id)
    decide("providers", [{"slug": provider.slug, "name": provider.name} for provider in db.session.scalars(on)])


def _check_issuer(kind: str, issuer: str, own: Provider | None = None) -> None:
    if kind == OPENID:
        parts = urlsplit(issuer)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
            raise FieldRefused("issuer", _("An issuer is an address such as https://accounts.example.org."))
    known = queries.find_by_issuer(issuer)
    if known is not None and known is not own:
        raise FieldRefused("issuer", _("%(name)s has this issuer already.", name=known.name))


def _free_slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: SLUG_MAX - 4] or "provider"
    taken = set(db.session.scalars(select(Provider.slug)))
    return next(free for number in range(1, 1000) if (free := slug if number == 1 else f"{slug}-{number}") not in taken)
