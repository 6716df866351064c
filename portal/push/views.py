"""Choosing which browsers are told at once, and the script that shows there what they are told."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, current_app, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts import browsers as names
from portal.extensions import limiter
from portal.push import keys, queries, service
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.responses import go_to, page
from portal.web.session import authorize, browser_cookie, member, this_session_hash

bp = Blueprint("push", __name__)


@bp.get("/sw.js")
def worker() -> Response:
    """Fetch the script that a browser runs when it is told something."""
    script = (Path(current_app.static_folder or "static") / "sw.js").read_bytes()
    answer = current_app.response_class(script, mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@bp.get("/inbox/browsers")
def index() -> Response:
    """See which of one's browsers are told at once."""
    authorize("account.use")
    public_key = keys.public_key()
    if public_key is None:
        with transaction(wake=False):
            public_key = keys.make_keys()
    mine = queries.browsers_of(member())
    told = [
        {"row": row, "name": names.in_words(row.browser), "this": row.session_hash == this_session_hash()}
        for row in mine
    ]
    told.sort(key=lambda each: not each["this"])
    return page("push/index.html", told=told, told_here=any(each["this"] for each in told), public_key=public_key)


@bp.post("/inbox/browsers")
@limiter.limit(LIMITS["push.browsers"], key_func=per_person)
def subscribe() -> Response:
    """Have this browser told at once."""
    authorize("account.use")
    with transaction(wake=False):
        service.subscribe(
            member(),
            endpoint=request.form.get("endpoint", ""),
            public_key=request.form.get("public_key", ""),
            auth_secret=request.form.get("auth_secret", ""),
            session_hash=this_session_hash(),
            browser_hash=service.hash_of(request.cookies.get(browser_cookie(), "")),
            browser=request.user_agent.string or "",
        )
    return _back(_("This browser is told at once from now on. Send a test message to see how that looks."))


@bp.post("/inbox/browsers/<int:subscription_id>/remove")
def remove(subscription_id: int) -> Response:
    """Have one of one's browsers told nothing any more."""
    authorize("account.use")
    found = queries.get_browser(subscription_id, member())
    name = names.in_words(found.browser)
    with transaction(wake=False):
        service.forget(found)
    return _back(_("%(browser)s is told nothing any more.", browser=name))


@bp.post("/inbox/browsers/<int:subscription_id>/test")
@limiter.limit(LIMITS["push.test"], key_func=per_person)
def test(subscription_id: int) -> Response:
    """Send one message to one of one's browsers."""
    authorize("account.use")
    found = queries.get_browser(subscription_id, member())
    with transaction():
        service.queue_test(found)
    return _back(_("A test message is on its way. It can take some seconds."))


def _back(notice: str) -> Response:
    return go_to(url_for(".index"), notice)
