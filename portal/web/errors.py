"""Saying no and failing: a clear sentence for the person, the details for the log."""

from __future__ import annotations

import logging
import secrets
from math import ceil
from time import time
from urllib.parse import urlsplit

from flask import Flask, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from portal.credentials.queries import has_second_factor
from portal.db import db
from portal.errors import Refusal
from portal.extensions import limiter
from portal.limits import TooMuch, wait
from portal.security.log import without_tokens
from portal.web import resume
from portal.web.gates import SecondFactorRequired
from portal.web.limits import RequestsExceeded, note_refusal
from portal.web.proof import ProofRequired
from portal.web.responses import fragment, go_to, is_htmx, own_path
from portal.web.session import RulesNotAccepted, SignInRequired, forget_viewer, member, viewer

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Answer whatever goes wrong in the portal's own words."""
    app.register_error_handler(Refusal, _refuse)
    app.register_error_handler(CSRFError, _refuse_stale_form)
    app.register_error_handler(HTTPException, _explain)
    app.register_error_handler(OperationalError, _wait_for_database)
    for unfit in (DataError, OverflowError):  # letters and numbers that no column holds
        app.register_error_handler(unfit, _refuse_unreadable)
    app.register_error_handler(SignInRequired, _lead_to_sign_in)
    app.register_error_handler(RulesNotAccepted, _lead_to_rules)
    app.register_error_handler(ProofRequired, _lead_to_proof)
    app.register_error_handler(SecondFactorRequired, _lead_to_second_factor)
    app.register_error_handler(Exception, _apologise)


def refuse(message: str, status: int, error_id: str = "", bare: bool = False) -> Response:
    """Say no: a notice for htmx, a page with the way back for a plain browser; a ``bare`` one knows nobody."""
    if is_htmx():
        return make_response(fragment("components/_notice.html", text=message, kind="error"), status)
    again = own_path(request.full_path.rstrip("?"), "") if status == 429 and request.method == "GET" else ""
    about = {"status": status, "message": message, "error_id": error_id, "bare": bare, "again": again}
    shown = render_template("errors/error.html", **about)
    return make_response(shown, status)


def _refuse(refusal: Refusal) -> Response:
    db.session.rollback()
    answer = refuse(refusal.message, refusal.status, bare=isinstance(refusal, RequestsExceeded))
    if isinstance(refusal, TooMuch):
        answer.headers["Retry-After"] = str(refusal.seconds)
    return answer


def _refuse_stale_form(_error: CSRFError) -> Response:
    return refuse(_("This page was open for too long, or cookies are off. Go back, reload it and try again."), 400)


def _explain(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    if isinstance(error, SecurityError):  # a foreign Host: there is no address to build links from
        return Response(_sentence(400), 400, mimetype="text/plain")
    if status == 429:
        _note_limit()
    answer = refuse(_wait() if status == 429 else _sentence(status), status)
    for name, value in error.get_headers():
        if name in {"Retry-After", "Allow"}:
            answer.headers[name] = value
    return answer


def _sentence(status: int) -> str:
    words = {
        400: _("We could not read this request. Go back, reload the page and try again."),
        403: _("You may not do this with your account."),
        404: _("There is nothing at this address. It may have moved, or it may not be for you to see."),
        405: _("This address is not made for that."),
        409: _("Somebody else was faster. Reload the page to see how things are now."),
        413: _("This is more than we can take at once. Shorten it and try again."),
        503: _("The portal is busy and could not save that. Your text is still in the form. Try again in a minute."),
    }
    return str(words.get(status, _("That did not work. Try again.")))


def _wait() -> str:
    reached = limiter.current_limit
    if reached is None:
        return str(_("That was a lot in a short time. Wait a little, then try again. Your text is not lost."))
    return wait(max(1, ceil(reached.reset_at - time())))


def _note_limit() -> None:
    note_refusal(request.endpoint or "", viewer().id)


def _wait_for_database(error: OperationalError) -> Response:
    _give_up_database()
    log.error("database: %s", error.orig)
    answer = refuse(_sentence(503), 503)
    answer.headers["Retry-After"] = "10"
    return answer


def _refuse_unreadable(_error: Exception) -> Response:
    _give_up_database()
    log.warning("could not read %s %s", request.method, without_tokens(request.path), exc_info=True)
    return refuse(_sentence(400), 400)


def _lead_to_sign_in(_error: SignInRequired) -> Response:
    resume.keep_act()
    return go_to(url_for("accounts.sign_in", next=_place()))


def _lead_to_rules(_error: RulesNotAccepted) -> Response:
    resume.keep_act()
    return go_to(url_for("accounts.agree", next=_place()))


def _lead_to_proof(_error: ProofRequired) -> Response:
    return go_to(url_for("credentials.prove", next=_place()))


def _lead_to_second_factor(_error: SecondFactorRequired) -> Response:
    resume.keep_act()
    known = has_second_factor(member())
    return go_to(url_for("credentials.second_step" if known else "credentials.two_step", next=_place()))


def _place() -> str | None:
    """The page the person is on, as far as the browser says."""
    if request.method == "GET" and not is_htmx():
        return request.full_path.rstrip("?")
    try:
        page = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    except ValueError:
        return None
    return f"{page.path}?{page.query}".rstrip("?") if page.netloc == request.host else None


def _apologise(error: Exception) -> Response:
    _give_up_database()
    error_id = secrets.token_hex(4)
    log.exception("error %s at %s %s", error_id, request.method, without_tokens(request.path), exc_info=error)
    sentence = _("Something broke on our side. Nothing you saved is lost. We have noted it as %(id)s.", id=error_id)
    return refuse(sentence, 500, error_id)


def _give_up_database() -> None:
    """Answer without asking the database again: it may be what failed."""
    forget_viewer()
    try:
        db.session.rollback()
    except SQLAlchemyError:
        log.warning("could not roll back", exc_info=True)
