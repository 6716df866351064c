"""What a browser remembers of a mail that was asked for in it, until the mail is used there or elsewhere."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from flask import Response, current_app, g, session
from flask_babel import get_locale

from portal.credentials.models import Purpose
from portal.credentials.service import Asked
from portal.extensions import limiter
from portal.web import resume
from portal.web.entry import aim
from portal.web.limits import LIMITS, may_write_to_strangers, per_address
from portal.web.responses import own_path
from portal.web.resume import LONGEST_PATH


@dataclass(frozen=True, slots=True)
class Expected:
    """The mail that was asked for last in this browser: for what, and to which address it went."""

    purpose: Purpose
    email: str
    browser_hash: str
    aimed: dict[str, str]


def expect(purpose: Purpose, email: str, aimed: dict[str, str] | None = None) -> Asked:
    """Remember that a mail is asked for now, and return who asks: to be handed to whoever queues it.

    Nothing is remembered that depends on whether the address has an account, for the cookie can be read.
    """
    browser = session.get("mailed", {}).get("browser") or secrets.token_urlsafe(32)
    aimed = _short(aim()) if aimed is None else aimed
    session["mailed"] = {"for": purpose.value, "email": email, "browser": browser, "aimed": aimed}
    act = resume.act_for_link()
    return Asked(
        browser_hash=_hash(browser),
        locale=str(get_locale() or ""),
        aimed=aimed | ({"act": act} if act else {}),
        may_mail=count_mail(to_stranger=purpose is Purpose.SIGN_UP),
    )


def expected() -> Expected | None:
    """Return the mail that was asked for last in this browser."""
    kept = session.get("mailed")
    if not kept:
        return None
    return Expected(Purpose(kept["for"]), kept["email"], _hash(kept["browser"]), kept["aimed"])


def count_mail(to_stranger: bool) -> bool:
    """Count a mail that a request asks for; False if it must not be sent, of which nobody is told.

    Only accounts are sent links to sign in and to new passwords, so those count among no mails to strangers: a flood
    of sign-ups leaves these ways open.
    """
    g.mail_asked = True
    return may_write_to_strangers() if to_stranger else True


def can_mail() -> bool:
    """Whether this portal can send mail at all."""
    return bool(current_app.config["MAIL_URL"])


def _short(aimed: dict[str, str]) -> dict[str, str]:
    """Return what fits beside the rest in a cookie, and leads nowhere outside."""
    fits = own_path(aimed.get("next"), "") and len(aimed["next"]) <= LONGEST_PATH
    return aimed if fits else {}


def _asked_for_mail(_answer: Response) -> bool:
    return bool(g.get("mail_asked"))


rationed = limiter.shared_limit(
    LIMITS["mail.address"], scope="mail", key_func=per_address, methods=["POST"], deduct_when=_asked_for_mail
)
"""Put before a view whose form has a mail sent: so many a day from one address."""


def _hash(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()
