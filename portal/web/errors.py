"""Saying no and failing: a clear sentence for the person, the details for the log."""

from __future__ import annotations

import logging
import secrets

from flask import Flask, redirect, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from portal.db import db
from portal.errors import Refusal
from portal.web import resume
from portal.web.responses import fragment, go_to, is_htmx, page
from portal.web.session import RulesNotAccepted, SignInRequired

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Answer whatever goes wrong in the portal's own words."""
    app.register_error_handler(Refusal, _refuse)
    app.register_error_handler(CSRFError, _refuse_stale_form)
    app.register_error_handler(HTTPException, _explain)
    app.register_error_handler(OperationalError, _wait_for_database)
    app.register_error_handler(SignInRequired, _lead_to_sign_in)
    app.register_error_handler(RulesNotAccepted, _lead_to_rules)
    app.register_error_handler(Exception, _apologise)


def refuse(message: str, status: int) -> Response:
    """Say no: a notice for htmx, a page with the way back for a plain browser."""
    if is_htmx():
        return _without_cache(fragment("components/_notice.html", text=message, kind="error"), status)
    return page("errors/error.html", status=status, code=status, message=message, error_id="")


def _without_cache(body: str, status: int) -> Response:
    from flask import make_response

    return make_response(body, status)


def _refuse(refusal: Refusal) -> Response:
    db.session.rollback()
    return refuse(refusal.message, refusal.status)


def _refuse_stale_form(_error: CSRFError) -> Response:
    return refuse(_("This page was open for too long, or cookies are off. Go back, reload it and try again."), 400)


def _explain(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    answer = refuse(_sentence(status), status)
    for name, value in error.get_headers():
        if name in {"Retry-After", "Allow"}:
            answer.headers[name] = value
    return answer


def _sentence(status: int) -> str:
    return {
        400: _("We could not read this request. Go back, reload the page and try again."),
        403: _("You may not do this with your account."),
        404: _("There is nothing at this address. It may have moved, or it may not be for you to see."),
        405: _("This address is not made for that."),
        409: _("Somebody else was faster. Reload the page to see how things are now."),
        413: _("This is more than we can take at once. Shorten it and try again."),
        429: _("That was a lot in a short time. Wait a little, then try again. Your text is not lost."),
        503: _("The portal is busy and could not save that. Your text is still in the form. Try again in a minute."),
    }.get(status, _("That did not work. Try again."))


def _wait_for_database(error: OperationalError) -> Response:
    db.session.rollback()
    log.error("database: %s", error.orig)
    answer = refuse(_sentence(503), 503)
    answer.headers["Retry-After"] = "10"
    return answer


def _lead_to_sign_in(_error: SignInRequired) -> Response:
    resume.keep_act()
    back = request.full_path.rstrip("?") if request.method == "GET" else ""
    target = url_for("accounts.sign_in", next=back) if back else url_for("accounts.sign_in")
    return go_to(target) if is_htmx() else redirect(target, 303)


def _lead_to_rules(_error: RulesNotAccepted) -> Response:
    resume.keep_act()
    target = url_for("accounts.agree")
    return go_to(target) if is_htmx() else redirect(target, 303)


def _apologise(error: Exception) -> Response:
    db.session.rollback()
    error_id = secrets.token_hex(4)
    log.exception("error %s at %s %s", error_id, request.method, request.path, exc_info=error)
    sentence = _("Something broke on our side. Nothing you saved is lost. We have noted it as %(id)s.", id=error_id)
    if is_htmx():
        return _without_cache(fragment("components/_notice.html", text=sentence, kind="error"), 500)
    return page("errors/error.html", status=500, code=500, message=sentence, error_id=error_id)
