"""Coming in: from a first proof of who somebody is to an open session, and on to what they came for."""

from __future__ import annotations

import time
from typing import Any

from flask import flash, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts import queries as accounts
from portal.accounts import service
from portal.accounts.models import User
from portal.credentials import queries as credentials
from portal.transactions import transaction
from portal.web import resume
from portal.web.responses import go_to, own_path
from portal.web.session import sign_in

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
        half = {"user": user.id, "way": way, "remember": remember, "at": int(time.time())}
        session["half"] = half | (aim() if aimed is None else aimed)
        return go_to(url_for("credentials.second_step"))
    return let_in(user, way, remember=remember, second=strong, password=password, aimed=aimed, notice=notice)


def half_signed_in() -> tuple[User, dict[str, Any]] | None:
    """Return who proved a first factor in this browser in the last ten minutes, and how; None for nobody."""
    half = session.get("half")
    if not half or half["at"] + HALF_FOR < time.time():
        return None
    user = accounts.find_user(half["user"])
    return (user, half) if user and user.is_active else None


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
        sign_in(user, remember=remember, way=way, second=second)
    return go_on(notice or _("Welcome back, %(name)s.", name=user.name), aimed)


def aim() -> dict[str, str]:
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
