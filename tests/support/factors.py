"""Second factors of people in tests, and how they use them."""

import secrets
from datetime import timedelta
from typing import Any

import pyotp

from portal.accounts.models import User
from portal.credentials import passkeys, recovery
from portal.credentials.models import Authenticator, Passkey
from portal.db import db, utcnow
from portal.sealing import seal
from portal.transactions import transaction
from tests.factories import PASSWORD
from tests.support.browser import Browser
from tests.support.passkeys import Device


def add_app(user: User) -> str:
    """Give somebody an app with codes and return its secret."""
    secret = pyotp.random_base32()
    with transaction(wake=False):
        db.session.add(Authenticator(user_id=user.id, sealed_secret=seal(secret)))
    return secret


def code_of(secret: str, steps: int = 0) -> str:
    """What the app shows now, or some steps of 30 seconds earlier or later."""
    return pyotp.TOTP(secret).at(utcnow() + timedelta(seconds=30 * steps))


def wrong_code_of(secret: str) -> str:
    """Six digits that the app shows at no time around now."""
    shown = {code_of(secret, steps) for steps in range(-3, 4)}
    return next(f"{number:06}" for number in range(10) if f"{number:06}" not in shown)


def add_passkey(user: User, device: Device | None = None, name: str = "Blue key") -> tuple[Device, Passkey]:
    """Give somebody a passkey and return the device that holds it."""
    device, challenge = device or Device(), secrets.token_bytes(32)
    with transaction(wake=False):
        answer = device.make(passkeys.options_to_add(user, challenge))
        return device, passkeys.add(user, answer, challenge, name)


def add_recovery_codes(user: User) -> list[str]:
    """Give somebody ten recovery codes and return them."""
    with transaction(wake=False):
        return recovery.renew(user)


def type_password(browser: Browser, user: User, **query: str) -> Any:
    """Prove the first factor in the form."""
    said = {"email": user.email, "password": PASSWORD}
    return browser.post("/sign-in", data=said, query_string=query)


def type_code(browser: Browser, code: str, **query: str) -> Any:
    """Prove the second factor by a code of the app."""
    return browser.post("/sign-in/second", data={"by": "code", "code": code}, query_string=query)


def type_recovery_code(browser: Browser, code: str) -> Any:
    """Prove the second factor by a recovery code."""
    return browser.post("/sign-in/second", data={"by": "recovery", "recovery": code})


def ask_for(browser: Browser, what: str) -> dict[str, Any]:
    """What the portal wants the browser to ask its devices."""
    answer = browser.post("/passkeys/options", data={"for": what})
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def is_in(browser: Browser) -> bool:
    """Whether the browser is signed in, and let through."""
    return bool(browser.get("/account").status_code == 200)
