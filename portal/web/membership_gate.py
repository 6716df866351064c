"""Where nobody may go yet: an unset-up portal leads to its set-up, a closed one its visitors to sign in."""

from __future__ import annotations

from flask import Flask, request, url_for
from werkzeug.wrappers import Response

from portal.accounts.models import User
from portal.membership import setting_up
from portal.options import option
from portal.web.responses import go_to
from portal.web.session import SignInRequired, viewer

UNSEEN = frozenset(
    {"assets", "static", "pages.healthz", "pages.readyz", "pages.robots", "pages.security", "push.worker"}
)
"""What is the same for everybody, and asked for by machines: nobody is looked up for it."""
TO_SET_UP = frozenset({"ideas.index", "accounts.sign_in", "accounts.sign_up"})
"""What leads to the set-up while nobody has an account."""
OPEN = frozenset(
    {
        "accounts.confirm",
        "accounts.sign_in",
        "accounts.sign_in_as",
        "accounts.sign_out",
        "accounts.sign_up",
        "feeds.private",
        "feeds.private_calendar",
        "feeds.private_idea",
        "inbound.receive",
        "membership.accept",
        "membership.set_up",
        "notifications.caught",
        "notifications.caught_html",
        "notifications.caught_mail",
        "notifications.object_by_mail",
        "notifications.objection_by_mail",
        "notifications.stop",
        "notifications.stop_now",
        "pages.appearance",
        "pages.change_password",
        "pages.privacy",
        "pages.rules",
        "privacy.come_back",
        "security.not_me",
        "verdicts.by_mail",
        "verdicts.give_by_mail",
    }
)
"""What visitors of a closed portal may see: ways in, what they agree to, links from mails."""
OPEN_GROUPS = frozenset({"credentials", "sso"})
"""Groups of addresses that are ways in as a whole; what needs an account there asks for one itself."""
WHILE_WAITING = frozenset({"account.use", "accounts", "membership.waiting", "privacy", "security"})


def init_app(app: Flask) -> None:
    """Stand before every page."""
    app.before_request(check)


def check() -> Response | None:
    """Go on, or lead to where whoever asks may go."""
    endpoint = request.endpoint
    if endpoint is None or endpoint in UNSEEN:
        return None
    if endpoint in TO_SET_UP and setting_up.is_needed():
        return go_to(url_for("membership.set_up"))
    if option("reading") == "members" and endpoint not in OPEN and request.blueprint not in OPEN_GROUPS:
        return _lead_away()
    return None


def _lead_away() -> Response | None:
    """Let members in; lead visitors to sign in and back, and who waits to the page that says so."""
    person = viewer()
    if not isinstance(person, User):
        raise SignInRequired
    if person.is_approved or request.blueprint in WHILE_WAITING or request.endpoint in WHILE_WAITING:
        return None
    return go_to(url_for("membership.waiting"))
