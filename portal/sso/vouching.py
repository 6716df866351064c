"""What another service says about a person, however it said so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.accounts.service import FieldRefused, normal_email
from portal.sso.models import Provider
from portal.sso.trouble import SignOnFailed
from portal.text import clean_line

SUBJECT_MAX, EMAIL_MAX = 255, 254


@dataclass(frozen=True, slots=True)
class Vouched:
    """One person as a provider knows them; ``verified`` is whether it says that the address is theirs."""

    provider_id: int
    issuer: str
    subject: str
    email: str
    verified: bool
    name: str


def voucher(provider: Provider, claims: dict[str, Any]) -> Vouched:
    """Return what verified claims say; an address that cannot be one counts as none."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX or "\0" in subject:
        raise SignOnFailed("subject", provider.name)
    email, verified = _address(claims.get("email")), claims.get("email_verified")
    return Vouched(
        provider_id=provider.id,
        issuer=provider.issuer,
        subject=subject,
        email=email,
        verified=bool(email) and (verified is True or verified == "true"),
        name=_name(claims),
    )


def _address(email: Any) -> str:
    if not isinstance(email, str) or len(email) > EMAIL_MAX:
        return ""
    try:
        return normal_email(email)
    except FieldRefused:
        return ""


def _name(claims: dict[str, Any]) -> str:
    """The name to suggest: what can be told of it, without what would make it an address."""
    for claim in ("name", "nickname", "preferred_username", "given_name"):
        if isinstance(name := claims.get(claim), str) and (shown := clean_line(name)[:60].strip()) and "@" not in shown:
            return shown
    return ""
