"""Somebody who is leaving may only stay after all, or go."""

from __future__ import annotations

from flask import Flask, request, url_for
from werkzeug.wrappers import Response

from portal.accounts.models import User
from portal.web.responses import go_to
from portal.web.session import viewer

OPEN = frozenset(
    {
        *("assets", "static", "accounts.sign_out", "privacy.stay_or_go", "privacy.come_back"),
        *("pages.rules", "pages.privacy", "pages.decide", "pages.appearance"),
        *("pages.healthz", "pages.readyz", "pages.robots", "pages.security"),
    }
)


class StayOrGo(Exception):
    """Somebody who is leaving has signed in."""


def init_app(app: Flask) -> None:
    """Lead them to the one question there is."""
    app.register_error_handler(StayOrGo, _ask)


def check() -> None:
    """Go on only if whoever asks is not leaving, or asks for what they may still see."""
    if request.endpoint in OPEN or request.endpoint is None:
        return
    person = viewer()
    if isinstance(person, User) and person.is_leaving:
        raise StayOrGo


def _ask(_leaving: StayOrGo) -> Response:
    return go_to(url_for("privacy.stay_or_go"))
