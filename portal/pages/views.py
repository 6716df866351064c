"""The plain pages: rules, privacy, how we decide, appearance; and what machines ask for."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts import queries as accounts
from portal.accounts import service
from portal.accounts.changes import changes
from portal.accounts.models import User
from portal.boards.queries import board_lines
from portal.db import utcnow
from portal.ideas.queries import usual_days_to_answer
from portal.ideas.workflow import current
from portal.pages import health
from portal.pages.forms import AppearanceForm
from portal.pages.notice import default_notice
from portal.text import render_page
from portal.transactions import transaction
from portal.web.appearance import keep_in_browser
from portal.web.context import LANGUAGES
from portal.web.responses import go_to, own_path, page
from portal.web.session import viewer

bp = Blueprint("pages", __name__)


@bp.get("/rules")
def rules() -> ResponseReturnValue:
    """Read the community rules, as they are or as they were."""
    versions = accounts.rules_versions() or [service.default_rules()]
    wanted = request.args.get("version", type=int)
    shown = next((rules for rules in versions if rules.version == wanted), versions[0])
    before = next((rules for rules in versions if rules.version == shown.version - 1), None)
    differs = changes(before.body, shown.body) if before else []
    return page("pages/rules.html", versions=versions, shown=shown, before=before, differs=differs)


@bp.get("/privacy")
def privacy() -> ResponseReturnValue:
    """Read what is kept about people, and why, as it is said now or as it was."""
    versions = accounts.privacy_versions()
    if not versions:
        return page(
            "pages/privacy.html", versions=[], shown=None, before=None, differs=[], text=render_page(default_notice())
        )
    wanted = request.args.get("version", type=int)
    shown = next((notice for notice in versions if notice.version == wanted), versions[0])
    before = next((notice for notice in versions if notice.version == shown.version - 1), None)
    differs = changes(before.body, shown.body) if before else []
    text = render_page(shown.body)
    return page("pages/privacy.html", versions=versions, shown=shown, before=before, differs=differs, text=text)


@bp.get("/how-we-decide")
def decide() -> ResponseReturnValue:
    """Read what each status means and what may follow it, from the tables the portal itself goes by."""
    open_boards = [line.id for line in board_lines(viewer()) if line.is_open]
    days = usual_days_to_answer(open_boards, utcnow() - timedelta(days=90))
    return page("pages/decide.html", workflow=current(), days=days)


@bp.route("/appearance", methods=["GET", "POST"])
def appearance() -> ResponseReturnValue:
    """Choose light or dark and the language for this browser; with an account both are among its preferences."""
    person = viewer()
    if isinstance(person, User) and request.method != "POST":
        return go_to(url_for("accounts.prefer"))
    theme = getattr(person, "theme", "") or request.cookies.get("theme", "")
    language = getattr(person, "locale", None) or request.cookies.get("language", "")
    form = AppearanceForm(LANGUAGES, data={"theme": theme, "language": language})
    if not form.validate_on_submit():
        return page("pages/appearance.html", status=422 if form.errors else 200, form=form)
    if isinstance(person, User):
        with transaction(wake=False):
            person.theme, person.locale = form.theme.data, form.language.data or None
    answer = go_to(own_path(request.args.get("next"), url_for(".appearance")), _("Saved."))
    keep_in_browser(answer, theme=form.theme.data, language=form.language.data)
    return answer


# For machines


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Hear that the process is alive."""
    return _text("alive\n")


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Hear whether the portal can do its work, and what is wrong where it cannot."""
    found = health.checks()
    words = "".join(f"{check.part}: {check.words}\n" for check in found)
    return _text(words, 200 if all(check.fine for check in found) else 503)


@bp.get("/robots.txt")
def robots() -> ResponseReturnValue:
    """Hear what is of no use to a search engine."""
    closed = (
        "/sign-in",
        "/sign-up",
        "/search",
        "/account",
        "/confirm/",
        "/password/",
        "/address/",
        "/look-into-your-mail",
        "/mail/",
        "/ideas/new",
        "/appearance",
    )
    return _text("User-agent: *\n" + "".join(f"Disallow: {path}\n" for path in closed))


@bp.get("/.well-known/security.txt")
def security() -> ResponseReturnValue:
    """Hear whom to tell of a weakness (RFC 9116)."""
    base = current_app.config["BASE_URL"].rstrip("/")
    expires = (utcnow() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    return _text(
        f"Contact: mailto:{current_app.config['MAIL_FROM']}\n"
        f"Expires: {expires}\n"
        f"Canonical: {base}{url_for('.security')}\n"
        f"Preferred-Languages: {', '.join(LANGUAGES)}\n"
    )


@bp.get("/.well-known/change-password")
def change_password() -> ResponseReturnValue:
    """Be led to where a password is changed, as password managers ask."""
    return go_to(url_for("accounts.security") + "#password")


def _text(words: str, status: int = 200) -> Response:
    answer = Response(words, status, mimetype="text/plain")
    if status != 200 or request.endpoint in {"pages.healthz", "pages.readyz"}:
        answer.headers["Cache-Control"] = "no-store"
    return answer
