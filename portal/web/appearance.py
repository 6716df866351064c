"""How pages look and speak: what one may choose, and keeping the choice in a browser."""

from __future__ import annotations

from flask import current_app
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import SelectChoice

A_YEAR = 365 * 24 * 3600  # seconds
THEMES = [
    SelectChoice("", _l("As my system says")),
    SelectChoice("light", _l("Light")),
    SelectChoice("dark", _l("Dark")),
]


def language_choices(languages: dict[str, str]) -> list[SelectChoice]:
    """Return the languages to choose from, the browser's own wish first."""
    own = SelectChoice("", _l("As my browser asks"))
    return [own, *(SelectChoice(code, name) for code, name in languages.items())]


def keep_in_browser(answer: Response, **choices: str) -> None:
    """Keep choices in this browser, for pages without an account; no choice needs no cookie."""
    for name, choice in choices.items():
        if not choice:
            answer.delete_cookie(name)
            continue
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        answer.set_cookie(name, choice, max_age=A_YEAR, secure=secure, httponly=True, samesite="Lax")
