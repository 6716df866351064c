"""Asking a browser for a passkey, and taking its answer: a challenge for each, kept in the session and used once."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable
from typing import Any

from flask import jsonify, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.accounts.queries import find_user
from portal.credentials import authenticators, guessing, passkeys, recovery
from portal.credentials.passkeys import CounterWentBack, PasskeyRefused, Proof
from portal.credentials.views.base import bp
from portal.security.log import note
from portal.transactions import transaction
from portal.web.entry import half_signed_in
from portal.web.proof import prove_again
from portal.web.session import authorize, member, viewer

GOOD_FOR = 300  # seconds that a challenge waits for its answer
SIGN_IN, SECOND, PROVE, ADD = "sign-in", "second", "prove", "add"  # what a challenge is for, and nothing else


@bp.post("/passkeys/options")
def passkey_options() -> ResponseReturnValue:
    """Tell the script what to ask the browser for; the form that asks says in ``for`` what it is about."""
    what = request.form.get("for", "")
    if what == ADD:
        authorize("account.use")
        prove_again()
        return jsonify(passkeys.options_to_add(member(), _begin(ADD)))
    if what == SIGN_IN:
        return jsonify(passkeys.options_to_use(None, _begin(SIGN_IN)))
    user = _whose(what)
    if user is None:
        raise PasskeyRefused(_("That took too long. Reload the page and try again."))
    return jsonify(passkeys.options_to_use(user, _begin(what)))


def shown_passkey(what: str, user: User | None = None) -> Proof:
    """Return the passkey that this form's answer proves, of ``user`` where one is given; note it when a copy shows.

    Raises PasskeyRefused for an answer that is wrong, late, or was given before.
    """
    challenge = take_challenge(what)
    try:
        with transaction(wake=False):
            return passkeys.use(answer(), challenge, user)
    except CounterWentBack as refusal:
        with transaction(wake=False):
            note("passkey.went_back", user=find_user(refusal.user_id), passkey=refusal.passkey_id)
        raise


def knows_code(user: User, typed: str) -> bool:
    """Whether this is a code of the user's app that was not used; too many wrong ones have to wait: TooMuch."""
    return _guess(user, "app", lambda: authenticators.use_code(user, typed) or None) is not None


def use_recovery_code(user: User, typed: str) -> int | None:
    """Return how many recovery codes are left after this one, None for a wrong one; too many have to wait: TooMuch."""
    return _guess(user, "recovery", lambda: recovery.use(user, typed))


def take_challenge(what: str) -> bytes:
    """Return the challenge that was given out for ``what``, and forget it; raise PasskeyRefused if there is none."""
    asked: dict[str, Any] = session.pop("passkey", None) or {}
    if asked.get("for") != what or asked.get("at", 0) + GOOD_FOR < time.time():
        raise PasskeyRefused(_("That took too long. Try again."))
    return base64.b64decode(asked["challenge"])


def answer() -> str:
    """Return what the browser answered, as the script put it into the form."""
    said = request.form.get("credential", "")
    if not said:
        raise PasskeyRefused(_("Passkeys need JavaScript, and this page had none. Choose another way."))
    return said


def _guess(user: User, way: str, look: Callable[[], int | None]) -> int | None:
    """Look at something typed; it counts as wrong before, so that trying many at once is no way around the limit."""
    with transaction(wake=False):
        guessing.check("second step", user.id)
        guessing.fail("second step", user.id)
    with transaction():
        found = look()
        if found is None:
            note("second_step.failed", user=user, way=way)
        else:
            guessing.clear("second step", user.id)
    return found


def _begin(what: str) -> bytes:
    challenge = secrets.token_bytes(32)
    session["passkey"] = {"for": what, "challenge": base64.b64encode(challenge).decode(), "at": int(time.time())}
    return challenge


def _whose(what: str) -> User | None:
    """Return whose passkeys may answer: of somebody half signed in, or of the member who proves it once more."""
    person = viewer()
    half = half_signed_in() if what == SECOND else None
    if half:
        return half[0]
    return person if isinstance(person, User) and what in {SECOND, PROVE} else None
