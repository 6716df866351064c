"""Finishing what somebody began before signing in or agreeing to the rules: kept on the server, done right afterwards."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

import sqlalchemy as sa
from flask import current_app, request, session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from portal.accounts.models import PendingAct
from portal.db import db, utcnow
from portal.transactions import transaction
from portal.web.responses import go_to, own_path

KEPT_FOR = timedelta(hours=1)
LINKED_ACTS = {"vote": "ideas.vote", "follow": "ideas.follow"}
"""What a sign-in link may name as ``then``: acts that need no form, by the endpoint they lead to."""


def keep_act() -> None:
    """Keep the act that this request asks for; reading needs no keeping."""
    if request.method != "POST":
        return
    form = {key: value for key, value in request.form.items() if key != "csrf_token"}
    _keep(request.path, form)


def keep_linked_act(path: str, then: str | None) -> None:
    """Keep the act that a sign-in link names, if the portal knows it."""
    if then not in LINKED_ACTS:
        return
    adapter = current_app.create_url_adapter(request)
    act = f"{path.rstrip('/')}/{then}"
    try:
        endpoint, _arguments = adapter.match(act, method="POST")  # type: ignore[union-attr]
    except (HTTPException, RequestRedirect):
        return
    if endpoint == LINKED_ACTS[then]:
        _keep(act, {})


def kept_path() -> str | None:
    """Return the address of the act that waits for this browser, if there is one."""
    row = _find(session.get("pending"))
    return row.path if row else None


def go_on(fallback: str) -> Response:
    """Do the act that waits, as if it were asked for now; without one go to ``fallback``."""
    row = _find(session.pop("pending", None))
    if row is None:
        return go_to(own_path(fallback, "/"))
    path, form = row.path, dict(row.form)
    with transaction(wake=False):
        db.session.execute(sa.delete(PendingAct).where(PendingAct.token_hash == row.token_hash))
    return _perform(path, form)


def _perform(path: str, form: dict[str, str]) -> Response:
    builder = EnvironBuilder(path=path, method="POST", data=form, base_url=request.host_url)
    inner = current_app.request_context(builder.get_environ())
    inner.session = session._get_current_object()  # type: ignore[attr-defined]
    with inner:
        try:
            result = current_app.dispatch_request()
        except Exception as error:
            result = current_app.handle_user_exception(error)
        return current_app.make_response(result)


def _keep(path: str, form: dict[str, str]) -> None:
    token = secrets.token_urlsafe(32)
    session["pending"] = token
    with transaction(wake=False):
        db.session.execute(sa.delete(PendingAct).where(PendingAct.made_at < utcnow() - KEPT_FOR))
        db.session.add(PendingAct(token_hash=_hash(token), path=path[:500], form=form))


def _find(token: str | None) -> PendingAct | None:
    row = db.session.get(PendingAct, _hash(token)) if token else None
    return row if row and row.made_at > utcnow() - KEPT_FOR else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
