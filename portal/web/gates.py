"""Where somebody may not go yet: a role that demands a second factor leads to it first."""

from __future__ import annotations

from flask import Flask, request

from portal.credentials import factors
from portal.web import leaving
from portal.web.session import viewer

FILES = frozenset({"assets", "static", "push.worker"})  # the same for everybody: nobody is looked up for them
OPEN = FILES | {
    "accounts.sign_out",
    "credentials.add_authenticator",
    "credentials.add_passkey",
    "credentials.mail_proof",
    "credentials.passkey_options",
    "credentials.prove",
    "credentials.second_step",
    "credentials.two_step",
    "notifications.object_by_mail",
    "notifications.objection_by_mail",
    "notifications.stop",
    "notifications.stop_now",
    "pages.appearance",
    "pages.decide",
    "pages.healthz",
    "pages.privacy",
    "pages.readyz",
    "pages.robots",
    "pages.rules",
    "pages.security",
    "security.not_me",
}
"""Where one may go without the second factor that one's role demands: setting it up, leaving, plain pages."""


class SecondFactorRequired(Exception):
    """Somebody's role demands a second factor, and this browser is signed in without one."""


def init_app(app: Flask) -> None:
    """Stand before every page."""
    leaving.init_app(app)
    app.before_request(check)


def check() -> None:
    """Go on only if this request may be answered; also asked before an act that waited for somebody to sign in."""
    leaving.check()
    if request.endpoint is not None and request.endpoint not in OPEN and factors.is_missing(viewer()):
        raise SecondFactorRequired
