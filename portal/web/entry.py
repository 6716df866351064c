"""Coming in: from a first proof of who somebody is to an open session, and on to what they came for."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from flask import flash, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts import queries as accounts
from portal.accounts import service
from portal.accounts.models import User
from portal.credentials import browsers, guessing
from portal.credentials import queries as credentials
from portal.errors import Refusal
from portal.security import service as security
from portal.transactions import transaction
from portal.web import resume
from portal.web.responses import go_to, own_path
from portal.web.session import browser_cookie, keep_browser, sign_in

HALF_FOR = 600  # seconds in which a second factor must follow the first


def enter(
    user: User,
    way: str,
    *,
    remember: bool = False,
    strong: bool = False,
    password: str = "",
    aimed: dict[str, str] | None = None,
    notice: str = "",
) -> Response:
    """Let somebody in who proved by one ``way`` who they are: ``password``, ``link``, ``passkey``, ``sso:<slug>``.

    An account with a second factor is asked for it first, whatever the way, unless the way was ``strong``: two factors
    in one, as a passkey with its owner's verification is. Every way in ends here and nowhere else. ``aimed`` says what
    the person came for where this request does not: a mailed link remembers it.
    """
    if not strong and credentials.has_second_factor(user):
        half = {"user": user.id, "way": way, "remember": remember, "at": int(time.time()), "of": _proof_of(user)}
        session["half"] = half | (aim() if aimed is None else aimed)
        if notice:
            flash(notice)
        return go_to(url_for("credentials.second_step"))
    return let_in(user, way, remember=remember, second=strong, password=password, aimed=aimed, notice=notice)


class LinkNeeded(Refusal):
    """So many passwords were guessed for an address that one alone opens nothing in a browser it does not know."""

    status = 422

    def __init__(self) -> None:
        super().__init__(
            _(
                "Too many wrong passwords were tried for this address today. In a browser that is new here, "
                "have a link mailed to you instead, or use another way in."
            )
        )


def find_by_password(email: str, password: str) -> User | None:
    """Return whose address and password these are, None for a wrong guess; raise TooMuch or LinkNeeded unlooked-at.

    Every answer is the same whether there is such an account or not.
    """
    address, browser = request.remote_addr or "", request.cookies.get(browser_cookie(), "")
    browser = browser if browsers.is_known(browser, email) else ""
    if not browser and guessing.takes_a_link(email):
        raise LinkNeeded
    with transaction(wake=False):  # counted before it is looked at: many at once are many
        guessing.begin(email, address, browser)
    user = service.find_by_password(email, password)
    with transaction(wake=False):
        if user:
            guessing.was_right(email, address, browser)
        else:
            service.note_wrong_password(email)
    return user


def half_signed_in() -> tuple[User, dict[str, Any]] | None:
    """Return who proved a first factor in this browser in the last ten minutes, and how; None for nobody.

    Another password or address since then makes it worth nothing.
    """
    half = session.get("half")
    if not half or half["at"] + HALF_FOR < time.time():
        return None
    user = accounts.find_user(half["user"])
    return (user, half) if user and user.is_active and half.get("of") == _proof_of(user) else None


def let_in(
    user: User,
    way: str,
    *,
    remember: bool = False,
    second: bool = False,
    password: str = "",
    aimed: dict[str, str] | None = None,
    notice: str = "",
) -> Response:
    """Open the session and go on with what the person came for; all that had to be proven was proven."""
    half = session.get("half", {})
    kept = {key: half[key] for key in ("next", "then", "act") if key in half and half["user"] == user.id}
    aimed = (aim() if aimed is None else aimed) | kept
    with transaction():
        service.note_sign_in(user, password)
        known_as = security.note_sign_in(user, way, request.cookies.get(browser_cookie(), ""), second)
        sign_in(user, remember=remember, way=way, second=second)
    keep_browser(known_as)
    return go_on(notice or _("Welcome back, %(name)s.", name=user.name), aimed)


def aim() -> dict[str, Any]:
    """Return what this request says the person came for: ``next``, a path, and ``then``, an act there.

    A mailed link adds ``act``, which names what waited when it was asked for.
    """
    return {key: value for key in ("next", "then") if (value := request.args.get(key))}


def go_on(notice: str = "", aimed: dict[str, str] | None = None) -> Response:
    """Do what waits for this person, or go where they came from."""
    aimed = aim() if aimed is None else aimed
    target = own_path(aimed.get("next"), url_for("ideas.index"))
    if notice:
        flash(notice)
    resume.keep_linked_act(target, aimed.get("then"))
    return resume.go_on(target, aimed.get("act"))


def _proof_of(user: User) -> str:
    """Return a mark that is another one after the password or the address changed."""
    return hashlib.sha256(f"{user.email}\0{user.password_hash}".encode()).hexdigest()[:16]
