"""Who is asking: signed-in sessions kept on the server, and the question whether they may."""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import timedelta
from typing import Any, cast

import sqlalchemy as sa
from flask import Flask, abort, after_this_request, current_app, g, request, session
from flask_login import current_user, login_user, logout_user
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from portal import permissions
from portal.accounts import queries as accounts
from portal.accounts.models import AuthSession, Guest, Person, User
from portal.accounts.queries import IDLE_STAFF, LONGEST, LONGEST_STAFF
from portal.db import db, utcnow
from portal.extensions import login_manager
from portal.push import service as push
from portal.transactions import transaction

log = logging.getLogger(__name__)

IDLE, IDLE_REMEMBERED = timedelta(hours=12), timedelta(days=14)
SEEN_EVERY = timedelta(minutes=5)
MOST_SESSIONS = 20
YEAR = 365 * 24 * 3600

NEEDS_RULES = frozenset(
    {"idea.submit", "idea.vote", "idea.follow", "idea.edit", "comment.post", "comment.edit", "comment.mark"}
)
"""What one may only do after agreeing to the rules in force."""


class SignInRequired(Exception):
    """A visitor asked for what needs an account."""


class RulesNotAccepted(Exception):
    """A member has not agreed to the rules in force."""


def init_app(app: Flask) -> None:
    """Let Flask-Login find people by the token of a session row."""
    login_manager.init_app(app)
    login_manager.session_protection = None
    login_manager.anonymous_user = Guest
    login_manager.user_loader(_find_signed_in)
    app.after_request(_note_seen)


def viewer() -> Person:
    """Return whoever asks, a User or a Guest."""
    return cast(Person, g.get("_login_user") or current_user._get_current_object())


def member() -> User:
    """Return the signed-in user; a view that calls this has authorized before."""
    person = viewer()
    if not isinstance(person, User):
        raise SignInRequired
    return person


def can(permission: str, thing: Any = None) -> bool:
    """Whether whoever asks may."""
    return permissions.can(viewer(), permission, thing)


def authorize(permission: str, thing: Any = None) -> None:
    """Go on only if whoever asks may; guests are led to sign in, members to the rules or to a 403."""
    person = viewer()
    if not permissions.can(person, permission, thing):
        if not person.is_signed_in:
            raise SignInRequired
        abort(403)
    if permission in NEEDS_RULES and isinstance(person, User) and not accounts.may_go_on_under_rules(person):
        raise RulesNotAccepted


def forget_viewer() -> None:
    """Answer the rest of this request as if a guest asked, without looking anybody up."""
    g._login_user = Guest()


def sign_in(user: User, remember: bool = False, way: str = "password", second: bool = False) -> None:
    """Open a session for ``user`` under a new random token; whatever the browser held before is dropped and ended.

    ``way`` is how they proved who they are, ``second`` whether a second factor was among it. Views do not call this:
    they call ``portal.web.entry.enter``, which asks for what is still to be proven.
    """
    here = push.hash_of(request.cookies.get(browser_cookie(), ""))
    if here:
        push.let_go_of_session(user, here)
    kept = {key: session[key] for key in ("pending", "pending_of", "vouched") if key in session}
    db.session.execute(sa.delete(AuthSession).where(AuthSession.token_hash == this_session_hash()))
    session.clear()
    session.update(kept)
    g.pop("csrf_token", None)  # a page shown in this same answer carries the new session's token
    token = secrets.token_urlsafe(32)
    idle = IDLE_STAFF if user.reads_as_staff else IDLE_REMEMBERED if remember else IDLE
    longest = LONGEST_STAFF if user.reads_as_staff else LONGEST
    now = utcnow()
    _end_oldest(user)
    user.signed_in = AuthSession(
        token_hash=_hash(token),
        user_id=user.id,
        idle_seconds=int(idle.total_seconds()),
        expires_at=now + longest,
        browser=(request.user_agent.string or "")[:200],
        address=(request.remote_addr or "")[:45],
        way=way,
        second=second,
    )
    db.session.add(user.signed_in)
    if here:
        db.session.flush()
        push.hold_on_to_session(user, here, user.signed_in.token_hash)
    user.session_token = token
    session.permanent = remember
    session["member"] = user.id  # whose requests these are, for counting them without asking the database
    login_user(user)


def renew_session() -> None:
    """Note that whoever asks has proved again who they are, and give this browser's session another token."""
    row = member().signed_in
    if row is None:
        raise SignInRequired
    token = secrets.token_urlsafe(32)
    db.session.execute(
        sa.update(AuthSession)
        .where(AuthSession.token_hash == row.token_hash)
        .values(token_hash=_hash(token), proved_at=utcnow())
    )
    session["_user_id"] = token
    member().session_token = token


def sign_out() -> None:
    """End this session for good."""
    db.session.execute(sa.delete(AuthSession).where(AuthSession.token_hash == this_session_hash()))
    logout_user()
    session.clear()


def end_sessions(user: User, except_this: bool = False) -> None:
    """End the user's sessions everywhere, or everywhere else."""
    ended = sa.delete(AuthSession).where(AuthSession.user_id == user.id)
    if except_this:
        ended = ended.where(AuthSession.token_hash != this_session_hash())
    db.session.execute(ended)
    push.forget_left_behind(user)


def end_session(user: User, token_hash: str) -> None:
    """End one of the user's sessions, wherever it is."""
    db.session.execute(
        sa.delete(AuthSession).where(AuthSession.user_id == user.id, AuthSession.token_hash == token_hash)
    )


def browser_cookie() -> str:
    """Return the name of the cookie by which accounts know a browser."""
    return "__Host-browser" if current_app.config["SESSION_COOKIE_SECURE"] else "browser"


def keep_browser(token: str) -> None:
    """Let this browser be known by ``token`` from the next answer on, for a year."""

    @after_this_request
    def keep(answer: Response) -> Response:
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        answer.set_cookie(browser_cookie(), token, YEAR, secure=secure, httponly=True, samesite="Lax")
        return answer


def this_session_hash() -> str:
    """Return how this browser's session is known in the table of sessions."""
    return _hash(session.get("_user_id", ""))


_OPEN_SESSION = (
    select(User, AuthSession)
    .join(AuthSession, AuthSession.user_id == User.id)
    .where(AuthSession.token_hash == sa.bindparam("token_hash"), AuthSession.expires_at > sa.bindparam("now"))
)


def _find_signed_in(token: str) -> User | None:
    now = utcnow()
    found = db.session.execute(_OPEN_SESSION, {"token_hash": _hash(token), "now": now}).first()
    if found is None:
        return None
    user, row = found
    if not user.is_active or accounts.ends_at(row, user.reads_as_staff) < now:
        return None
    if row.seen_at + SEEN_EVERY < now:
        g.session_seen = row.token_hash
    user.signed_in = row
    return user


def _note_seen(answer: Response) -> Response:
    """Remember, every few minutes and after the answer is made, that the session is in use."""
    token_hash = g.pop("session_seen", None)
    if token_hash:
        try:
            with transaction(wake=False):
                seen = sa.update(AuthSession).where(AuthSession.token_hash == token_hash)
                db.session.execute(seen.values(seen_at=utcnow()))
        except OperationalError:
            log.warning("could not note that a session is in use", exc_info=True)
    return answer


def _end_oldest(user: User) -> None:
    kept = (
        select(AuthSession.token_hash)
        .where(AuthSession.user_id == user.id)
        .order_by(AuthSession.seen_at.desc())
        .limit(MOST_SESSIONS - 1)
    )
    hashes = list(db.session.scalars(kept))
    if len(hashes) == MOST_SESSIONS - 1:
        db.session.execute(
            sa.delete(AuthSession).where(AuthSession.user_id == user.id, AuthSession.token_hash.not_in(hashes))
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
