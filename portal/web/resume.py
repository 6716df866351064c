"""Finishing what somebody began before signing in or agreeing to the rules: kept on the server, done afterwards."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask, current_app, flash, request, session
from flask.ctx import RequestContext
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from portal.accounts.models import PendingAct
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.transactions import transaction
from portal.web import gates
from portal.web.responses import go_to, own_path
from portal.web.session import viewer

KEPT_FOR = timedelta(hours=1)  # in the browser where it was begun
KEPT_WITH_LINK = timedelta(hours=25)  # where a mailed link leads back to it: as long as such a link works, and a little
LONGEST_PATH, MOST_WORDS = 500, 50_000  # characters; of a form, more than the longest idea has
LINKED_ACTS = {"vote": "ideas.vote", "follow": "ideas.follow"}
"""What a sign-in link may name as ``then``: acts that need no form, by the endpoint they lead to."""


NEVER_KEPT = frozenset({"accounts", "credentials", "sso"})
"""Blueprints whose forms hold passwords or only make sense for whoever sent them."""


def keep_act() -> None:
    """Keep the act that this request asks for; reading needs no keeping."""
    if request.method == "POST" and request.blueprint not in NEVER_KEPT:
        form = {key: values for key, values in request.form.to_dict(flat=False).items() if key != "csrf_token"}
        _keep(request.full_path.rstrip("?"), form)


def keep_linked_act(path: str, then: str | None) -> None:
    """Keep the act that a sign-in link names, if the portal knows it."""
    if act := _linked(path, then):
        _keep(act, {})


def kept_path() -> str | None:
    """Return the address of the act that waits for this browser, if there is one."""
    row = _find(session.get("pending"))
    return row.path if row else None


def waiting(path: str = "", then: str | None = None) -> str | None:
    """Return the endpoint of what will be done after signing in: what the link names, else what was kept."""
    act = _linked(path, then) or kept_path()
    return _endpoint(act) if act else None


def act_for_link() -> str | None:
    """Return what names the act that waits for this browser, for a mailed link that may be opened in another one."""
    row = _own(_find(session.get("pending")))
    return row.token_hash if row else None


def go_on(fallback: str, linked: str | None = None) -> Response:
    """Do the act that waits, here or by the mailed link that leads back to it; without one go to ``fallback``."""
    row = _own(_find(session.pop("pending", None))) or _fresh(linked, KEPT_WITH_LINK)
    if row is None:
        return go_to(own_path(fallback, "/"))
    path, form = row.path, dict(row.form)
    with transaction(wake=False):
        db.session.execute(sa.delete(PendingAct).where(PendingAct.token_hash == row.token_hash))
    return _perform(path, form, fallback)


def _perform(path: str, form: dict[str, Any], fallback: str) -> Response:
    who = {"REMOTE_ADDR": request.remote_addr}
    builder = EnvironBuilder(path=path, method="POST", data=form, base_url=request.host_url, environ_base=who)
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    said = len(session.get("_flashes", []))
    with RequestContext(app, builder.get_environ(), session=session._get_current_object()):  # type: ignore[attr-defined]
        try:
            gates.check()
            result = app.dispatch_request()
        except Refusal as refusal:
            db.session.rollback()
            flash(refusal.message, "error")
            return go_to(own_path(fallback, "/"))
        except Exception as error:
            result = app.handle_user_exception(error)
        answer = app.make_response(result)
        done = answer.location and "pending" not in session
        if done and len(session.get("_flashes", [])) == said:
            flash(_("Done: what you began is finished."))
        return answer


def _linked(path: str, then: str | None) -> str | None:
    if then not in LINKED_ACTS:
        return None
    act = f"{urlsplit(own_path(path, '/')).path.rstrip('/')}/{then}"
    return act if _endpoint(act) == LINKED_ACTS[then] else None


def _endpoint(path: str) -> str | None:
    adapter = current_app.create_url_adapter(request)
    try:
        endpoint, _arguments = adapter.match(urlsplit(path).path, method="POST")  # type: ignore[union-attr]
    except (HTTPException, RequestRedirect):
        return None
    return str(endpoint)


def _keep(path: str, form: dict[str, Any]) -> None:
    if len(path) > LONGEST_PATH or sum(len(key) + len(value) for key in form for value in form[key]) > MOST_WORDS:
        return
    token = secrets.token_urlsafe(32)
    session["pending"], session["pending_of"] = token, viewer().id
    with transaction(wake=False):
        db.session.execute(sa.delete(PendingAct).where(PendingAct.made_at < utcnow() - KEPT_WITH_LINK))
        db.session.add(PendingAct(token_hash=_hash(token), path=path, form=form))


def _own(row: PendingAct | None) -> PendingAct | None:
    """Return the act unless somebody else was signed in here when it was begun: it is done for nobody but them."""
    return row if session.get("pending_of") in {None, viewer().id} else None


def _find(token: str | None) -> PendingAct | None:
    return _fresh(_hash(token) if token else None, KEPT_FOR)


def _fresh(token_hash: str | None, within: timedelta) -> PendingAct | None:
    row = db.session.get(PendingAct, token_hash) if token_hash else None
    return row if row and row.made_at > utcnow() - within else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
