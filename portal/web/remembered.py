"""Fragments that come out the same for many people, made once and kept for a moment."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from flask import Flask, current_app, request
from flask_babel import get_locale, get_timezone
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from portal.db import utcnow
from portal.ideas import workflow
from portal.web.session import viewer

MOST = 5_000  # fragments, of about a kilobyte each
TOKEN_HERE = "\x00form token\x00"  # noqa: S105 - no text that people write has this character


def init_app(app: Flask) -> None:
    """Let templates remember fragments."""
    app.jinja_env.globals["remembered"] = remembered
    app.extensions["remembered"] = (0, {})


def remembered(macro: Callable[[Any], Markup], *things: Hashable) -> Markup:
    """Show what ``macro`` makes of each thing; made again when a thing or the workflow is another, and every minute.

    The macro may ask nothing of its viewer but the role: what members share is kept with a gap for each one's token.
    Who has a role on single boards shares with nobody.
    """
    person, minute = viewer(), int(utcnow().timestamp() // 60)
    places = (person.id, *person.board_roles.items()) if person.board_roles else None
    reader = (person.is_signed_in, person.standing, places, str(get_locale()), str(get_timezone()), request.script_root)
    token, words = generate_csrf() if person.is_signed_in else "", workflow.current()
    kept, shown = _of_this(minute), list[str]()
    for thing in things:
        key = (macro, thing, reader, words)
        html = kept.get(key)
        if html is None:
            html = str(macro(thing))
            if token:
                html = html.replace(token, TOKEN_HERE)
            if len(kept) < MOST and not current_app.debug:
                kept[key] = html
        shown.append(html)
    return Markup("".join(shown).replace(TOKEN_HERE, token))  # noqa: S704 - the macro's own answer, and our token


def _of_this(minute: int) -> dict[Hashable, str]:
    kept_in, kept = current_app.extensions["remembered"]
    if kept_in != minute:
        kept = {}
        current_app.extensions["remembered"] = (minute, kept)
    return kept
