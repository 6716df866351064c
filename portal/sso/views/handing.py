"""Coming from the customer's own product, by a hand-over that it signed."""

from __future__ import annotations

from typing import Any

from flask import current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from portal.extensions import csrf, limiter
from portal.security.log import note
from portal.sso import handover, queries, service
from portal.sso.handover import HandOverRefused
from portal.sso.views.base import aimed_now, arrive, bp
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_address
from portal.web.responses import go_to, page
from portal.web.security import FROM_OUTSIDE

COOKIE = "hand-over"

FROM_OUTSIDE.add("sso.bring")


@bp.post("/hand-over")
@csrf.exempt
@limiter.limit(LIMITS["sso"], key_func=per_address)
def bring() -> Response:
    """Bring a hand-over in a form of another site: it is put aside, and the page below asks what to do with it.

    The answer touches no session: a form on any other site could otherwise sign people out.
    """
    return _put_aside(request.form.get("token", ""))


@bp.get("/hand-over")
def look() -> ResponseReturnValue:
    """See whom a hand-over is about, before anything happens; a token in the address does not stay there."""
    if "token" in request.args:
        return _put_aside(request.args["token"])
    given = handover.read(request.cookies.get(COOKIE, ""))
    vouched = given.vouched
    known = queries.find_identity(given.provider.id, vouched.issuer, vouched.subject)
    shown = known.user.name if known else vouched.name or vouched.email
    return page("sso/hand_over.html", given=given, shown=shown, keep=aimed_now())


@bp.post("/hand-over/go-on")
@limiter.limit(LIMITS["sso"], key_func=per_address)
def go_on() -> Response:
    """Go on as whom the hand-over is about; it works this once.

    One that another site put aside after the page was shown is shown first.
    """
    given = handover.read(request.cookies.get(COOKIE, ""))
    keep: dict[str, Any] = {**aimed_now()}
    if request.form.get("mark", given.mark) != given.mark:
        return go_to(url_for(".look", **keep))
    with transaction(wake=False):
        if not service.use_hand_over(given.mark, given.expires_at):
            raise handover.already_used()
    answer = arrive(given.provider, given.vouched, keep)
    answer.delete_cookie(COOKIE, path=url_for(".look"))
    return answer


@bp.errorhandler(HandOverRefused)
def _explain(refusal: HandOverRefused) -> Response:
    """Tell people what they can do, and developers what is wrong."""
    if request.method == "POST":
        with transaction(wake=False):
            note("sign_in.hand_over_refused", user=None, why=refusal.why)
    answer = page("sso/hand_over_failed.html", status=refusal.status, refusal=refusal)
    answer.delete_cookie(COOKIE, path=url_for(".look"))
    return answer


def _put_aside(token: str) -> Response:
    """Keep a hand-over in a cookie of its own for the page that shows it, out of addresses and histories."""
    keep: dict[str, Any] = {key: value for key, value in request.values.items() if key in {"next", "then"}}
    answer = redirect(url_for(".look", **keep), 303)
    if len(token) <= handover.LONGEST:
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        path = url_for(".look")
        answer.set_cookie(
            COOKIE, token, max_age=handover.OLDEST, path=path, secure=secure, httponly=True, samesite="Lax"
        )
    return answer
